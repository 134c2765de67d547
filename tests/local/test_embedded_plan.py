"""What models need is known before they are loaded, and what can never be held is told."""

from pathlib import Path

import pytest

from gateway.local.embedded_plan import plan_models
from gateway.local.embedded_settings import EmbeddedSettings
from tests.engine.tiny import write_encoder


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A small model."""
    return str(write_encoder(tmp_path / "m.gguf", 4))


def test_a_draft_model_counts_too(file: str) -> None:
    """It lies beside the model that it drafts for."""
    rooms = {
        "one": EmbeddedSettings(model=file, context=128),
        "both": EmbeddedSettings(model=file, context=128, draft_model=file),
    }
    needs = plan_models(rooms, memory=None, gpu_memory=None).needs
    assert needs["both"].total == 2 * needs["one"].total > 10**6


def test_a_file_that_can_not_be_read_stops_nobody(file: str, tmp_path: Path) -> None:
    """Its own target says so when it is asked to load."""
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    rooms = {"bad": EmbeddedSettings(model=str(tmp_path / "bad.gguf")), "good": EmbeddedSettings(model=file)}
    plan = plan_models(rooms, memory=10**9, gpu_memory=None)
    assert plan.needs["bad"].total == 0
    assert plan.problems() == []


def test_what_can_never_be_held(file: str) -> None:
    """Alone, on GPUs, or together at start; models on demand only have to fit alone."""
    rooms = {name: EmbeddedSettings(model=file, context=128) for name in ("a", "b")}
    size = plan_models(rooms, memory=None, gpu_memory=None).needs["a"].total
    alone = plan_models(rooms, memory=size - 1, gpu_memory=None).problems()
    assert [problem.split(":")[0] for problem in alone] == ["targets.a", "targets.b"]
    (together,) = plan_models(rooms, memory=2 * size - 1, gpu_memory=None).problems()
    assert "at start (a, b)" in together
    assert "load: on_demand" in together
    later = {name: EmbeddedSettings(model=file, context=128, load="on_demand") for name in rooms}
    assert plan_models(later, memory=2 * size - 1, gpu_memory=None).problems() == []

"""What is shown to paste is a configuration that finds the model."""

from pathlib import Path

import pytest

from gateway.cli.models.configuration import example
from gateway.local.embedded.models.files import model_path
from gateway.local.embedded.models.records import link
from gateway.settings import load_settings
from gateway.settings.targets import EmbeddedTargetConfig
from tests.standins.hub import tiny_gguf


@pytest.mark.parametrize("projector", [False, True])
def test_the_lines_to_paste_find_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, projector: bool) -> None:
    """Between the two sentences stands YAML whose names are found in the directory."""
    files = [tmp_path / "blob", tmp_path / "eyes"]
    for file in files:
        file.write_bytes(tiny_gguf())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADUANA_STATE_DIR", str(tmp_path))
    link(tmp_path / "models", "qwen3-14b", files[:1], source="x", added="2026-11-29", projector=files[1])
    shown = example("qwen3-14b", projector=projector)
    lines = shown.splitlines()
    (tmp_path / "aduana.yaml").write_text("\n".join(lines[lines.index("targets:") : -2]))
    settings = load_settings()
    home = settings.targets["home"]
    assert isinstance(home, EmbeddedTargetConfig)
    assert model_path(home.model, settings.model_directory).resolve() == files[0]
    assert bool(home.mmproj) is projector
    assert not projector or model_path(str(home.mmproj), settings.model_directory).resolve() == files[1]

"""What a start says of targets that hear and speak, before anything is loaded."""

import importlib.util
from pathlib import Path

import pytest

from gateway.app.models.plan import holding, planned
from gateway.app.models.speech import speech_problems
from gateway.core.errors import ConfigurationError
from gateway.settings import Settings


def settings_of(folder: Path, target: dict[str, object], **more: object) -> Settings:
    """Return a configuration with one target."""
    return Settings(**{"state_dir": folder, "targets": {"ear": target}, **more})  # type: ignore[arg-type]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a model, in the model directory."""
    folder = tmp_path / "models" / "base"
    folder.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (folder / name).write_bytes(bytes(5000))
    return tmp_path


@pytest.mark.skipif(importlib.util.find_spec("faster_whisper") is None, reason="the extra 'speech' is not installed")
def test_a_model_that_is_there_counts_in_the_memory(model: Path) -> None:
    """Beside all others."""
    settings = settings_of(model, {"kind": "speech", "model": "base"})
    assert list(speech_problems(settings)) == []
    assert planned(settings).footprints["ear"].weights == 5000
    with pytest.raises(ConfigurationError):
        holding(settings_of(model, {"kind": "speech", "model": "base"}, engine={"memory": "1 MB"}))


def test_a_model_that_is_missing_is_said_where_it_is_configured(model: Path) -> None:
    """With its place in the configuration."""
    (problem,) = speech_problems(settings_of(model, {"kind": "speech", "model": "bass"}))
    assert problem.startswith("targets.ear.model: There is no speech model 'bass'")
    assert "'base'" in problem


def test_packages_that_are_missing_are_said(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs them."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (problem,) = speech_problems(settings_of(model, {"kind": "speech", "model": "base"}))
    assert "aduana extras install speech" in problem


def test_a_program_that_is_missing_is_said(tmp_path: Path) -> None:
    """With the command that installs it."""
    (problem,) = speech_problems(settings_of(tmp_path, {"kind": "espeak", "program": "no-such-voice"}))
    assert "apt install espeak-ng" in problem

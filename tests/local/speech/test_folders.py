"""Folders of speech models: by name, by path, inside a package; what is missing is told."""

import sys
from pathlib import Path

import pytest

from gateway.core.errors import ConfigurationError
from gateway.local.speech.folders import speech_footprint, speech_model_folder

FILES = ("model.bin", "config.json", "tokenizer.json")


def model(folder: Path) -> Path:
    """Write a folder that looks like a model."""
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(bytes(1000))
    return folder


def test_a_model_is_found_by_its_name_or_path(tmp_path: Path) -> None:
    """In the model directory, or anywhere."""
    inside, outside = model(tmp_path / "models" / "whisper-base"), model(tmp_path / "else" / "tiny")
    assert speech_model_folder("whisper-base", tmp_path / "models") == inside
    assert speech_model_folder(str(outside), tmp_path / "models") == outside


def test_a_model_inside_a_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without importing the package."""
    folder = model(tmp_path / "some_voice_models" / "data" / "model")
    (tmp_path / "some_voice_models" / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert speech_model_folder("package:some-voice-models", tmp_path) == folder
    assert "some_voice_models" not in sys.modules


@pytest.mark.parametrize("name", ["whisper-bse", "package:nobody_has_this", "package:..", "/nowhere/at/all"])
def test_a_model_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    """With what looks like it, and where it belongs."""
    model(tmp_path / "whisper-base")
    with pytest.raises(ConfigurationError, match="nothing is downloaded") as raised:
        speech_model_folder(name, tmp_path)
    assert ("whisper-base" in raised.value.message) == (name == "whisper-bse")


def test_an_incomplete_model_is_told(tmp_path: Path) -> None:
    """What is missing would else be fetched from a hub."""
    (model(tmp_path / "base") / "tokenizer.json").unlink()
    with pytest.raises(ConfigurationError, match=r"lacks tokenizer\.json"):
        speech_model_folder("base", tmp_path)


def test_a_model_takes_its_weights_and_some_room(tmp_path: Path) -> None:
    """On a card, its weights lie there."""
    folder = model(tmp_path / "base")
    assert speech_footprint(folder, gpu=False).weights == 1000
    assert (speech_footprint(folder, gpu=False).gpu, speech_footprint(folder, gpu=True).gpu) == (0, 1000)
    assert speech_footprint(folder, gpu=False).total > 2**27

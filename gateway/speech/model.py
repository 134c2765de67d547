"""The model: samples → segments of text. The only user of faster-whisper."""

import importlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gateway.speech.messages import MODEL_FILES, Hear, Problem, SpeechSettings
from gateway.speech.sound import RATE, Recording, Samples, SoundFault
from gateway.speech.transcript import Hearing, Segment, Word

_PROMPT = 200  # characters of what was said before that a passage is given; Whisper reads 224 tokens
_FRAME = RATE // 10  # samples
_LOUD = 0.0056  # root mean square from which a tenth of a second is not silent: -45 dBFS
_BESIDE = 0.3  # seconds around a segment that belong to it
_ENGLISH = "en"


class ModelFault(Exception):
    """Reason why a model can't be loaded. `public` is for clients: no path."""

    def __init__(self, message: str, public: str) -> None:
        super().__init__(message)
        self.public = public


def _load(settings: SpeechSettings) -> Any:
    """Return the loaded model.

    Raises:
        ModelFault: A file is missing or broken, or it does not fit into the memory.
    """
    folder = Path(settings.model)
    missing = [name for name in MODEL_FILES if not (folder / name).is_file()]
    if missing:
        raise ModelFault(
            f"{folder} is no model in CTranslate2's format: it lacks {', '.join(missing)}.",
            "Its model is incomplete; the gateway's log says what is missing.",
        )
    os.environ["HF_HUB_OFFLINE"] = "1"
    library: Any = importlib.import_module("faster_whisper")
    try:
        return library.WhisperModel(
            str(folder),
            device=settings.device,
            compute_type=settings.compute_type,
            cpu_threads=settings.threads,
            num_workers=settings.slots,
            local_files_only=True,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelFault(f"{folder} can't be loaded: {error}", "Its model can't be loaded.") from error


class SpeechModel:
    """A loaded model. Several threads may use it at once."""

    def __init__(self, settings: SpeechSettings) -> None:
        """Load it.

        Raises:
            ModelFault: It can't be loaded.
        """
        self._settings = settings
        self._model = _load(settings)
        self.on_gpu = self._model.model.device != "cpu"
        self.languages: tuple[str, ...] = tuple(self._model.supported_languages)

    def hear(self, order: Hear) -> Iterator[Segment | Hearing]:
        """Yield the segments of a recording as they are heard, and at last what is known of the whole.

        Raises:
            SoundFault: The recording can't be heard, or not in the language that was asked for.
            RuntimeError: The model failed.
        """
        if order.language and order.language not in self.languages:
            raise SoundFault(Problem.LANGUAGE)
        if order.translate and len(self.languages) == 1:
            raise SoundFault(Problem.NO_TRANSLATION)
        recording = Recording(order.sound, self._settings.most_seconds)
        language, probability = order.language, 0.0
        said, unheard = "", 0.0
        for passage in recording.passages():
            found, info = self._model.transcribe(passage.samples, **self._options(order, language, said))
            if not language and len(self.languages) > 1:
                probability = float(info.language_probability)
            language = language or info.language
            covered: list[tuple[float, float]] = []
            for one in found:
                segment = _segment(one, passage.start)
                covered.append((one.start, one.end))
                said = (said + segment.text)[-_PROMPT:]
                yield segment
            unheard += _unheard(passage.samples, covered)
        yield Hearing(
            seconds=recording.seconds,
            language=_ENGLISH if order.translate else language,
            language_probability=probability,
            unheard=unheard,
            broken=recording.broken,
        )

    def warm_up(self) -> None:
        """Compute once, so that what fails only then fails at the start."""
        silence = np.zeros(RATE, np.float32)
        for skips in (True, False):  # what looks for voices is loaded as well
            found, _ = self._model.transcribe(
                silence, language=_ENGLISH, beam_size=1, max_new_tokens=1, vad_filter=skips
            )
            for _ in found:
                pass

    def _options(self, order: Hear, language: str, said: str) -> dict[str, Any]:
        options: dict[str, Any] = {
            "task": "translate" if order.translate else "transcribe",
            "language": language or (None if len(self.languages) > 1 else self.languages[0]),
            "beam_size": self._settings.beam,
            "initial_prompt": f"{order.prompt} {said}".strip() or None,
            "word_timestamps": order.words,
            "vad_filter": self._settings.skip_silence,
        }
        if order.temperature is not None:
            options["temperature"] = order.temperature
        return options


def _segment(one: Any, start: float) -> Segment:
    return Segment(
        start=_seconds(start + one.start),
        end=_seconds(start + one.end),
        text=one.text,
        tokens=tuple(one.tokens),
        temperature=float(one.temperature or 0.0),
        avg_logprob=_finite(one.avg_logprob),
        compression_ratio=_finite(one.compression_ratio),
        no_speech_prob=_finite(one.no_speech_prob),
        words=tuple(
            Word(
                start=_seconds(start + word.start),
                end=_seconds(start + word.end),
                text=word.word,
                probability=_finite(word.probability),
            )
            for word in one.words or ()
        ),
    )


def _seconds(value: float) -> float:
    return round(float(value), 3)  # the library gives numpy's numbers


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0


def _unheard(samples: Samples, covered: list[tuple[float, float]]) -> float:
    """Return the seconds of a passage that are not silent and that no segment covers."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    if not len(frames):
        return 0.0
    loud = np.sqrt((frames**2).mean(axis=1)) > _LOUD
    each = _FRAME / RATE
    for start, end in covered:
        loud[max(0, math.floor((start - _BESIDE) / each)) : math.ceil((end + _BESIDE) / each)] = False
    return float(loud.sum()) * each

"""The judge of sensitivity: texts in, what is somebody's affair in them out. On this machine, always on.

INVARIANT: a text is as sensitive as its worst window, so that nothing around a confidence, and no word about itself,
makes it less so. A sentence that its neighbours make look harmless is read once more without them; one that is a line
of its own, as entries and remarks in long files are, then needs less to count. What the encoder can't read, because it
is in another script, is unsure and never clean.
"""

import enum
import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from cachetools import LRUCache

from gateway.core.finding import Finding
from gateway.late_module import late_module
from gateway.privacy.sensitivity.encoder import WEIGHTS, Encoder, shipped
from gateway.privacy.sensitivity.kinds import SENSITIVE, UNSURE
from gateway.privacy.sensitivity.passages import Passage, Window, is_entry, passages, surroundings
from gateway.privacy.sensitivity.units import Unit
from gateway.privacy.text_keys import TextKeys
from gateway.privacy.topic_questions import speaks_of_itself

np: Any = late_module("numpy")  # only a judge that is on computes

DETECTOR = "judge"
_CATEGORIES = tuple(SENSITIVE.values())
_KNOWN_TEXTS, _KNOWN_PASSAGES = 20_000, 100_000
_AT_ONCE = 16  # passages between two looks at the clock
_UNREADABLE = 0.3  # share of unknown pieces from which a passage is unsure
_SURELY_CLEAN = 0.5  # share of the strict threshold below which a text is surely clean
_SURELY_NOBODYS = 0.2  # probability below which names in a text are those of the famous and of the invented
_SURELY_HARMLESS = 0.02  # probability below which a window is not read again without its neighbours
_LEAST_PIECES = 3  # of a passage that can tell anything
_LINE_ALONE = 0.6  # probability from which a line that is read alone counts; set on the texts of `calibrate/`


class Mode(enum.StrEnum):
    """How much the judge keeps at home."""

    OFF = "off"
    BALANCED = "balanced"
    STRICT = "strict"


class Late(Exception):
    """Error of a judgement that took more computing time than it may. What was judged is remembered."""


class Calibration(msgspec.Struct, frozen=True):
    """From logits to probabilities, and from which probability a window counts. Written by training.

    A window that is read alone, because its neighbours made it look harmless, needs more to count.
    """

    scale: float
    shift: float
    balanced: float
    strict: float
    balanced_alone: float
    strict_alone: float

    def probability(self, outweighs: float) -> float:
        """Return the probability that a window is sensitive."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.scale * outweighs + self.shift))))


class Sight(msgspec.Struct, frozen=True, array_like=True):
    """One window: where it is in its text, how probable it is that it is sensitive, and as what it would be found."""

    start: int
    stop: int
    probability: float
    category: str


class Judged(msgspec.Struct, frozen=True):
    """All windows of one text."""

    sights: tuple[Sight, ...] = ()

    def probability(self, start: int, stop: int) -> float:
        """Return how probably the smallest window around a place is sensitive; 1 where nothing was judged."""
        around = [sight for sight in self.sights if sight.start <= start and stop <= sight.stop]
        return min(around, key=lambda sight: sight.stop - sight.start).probability if around else 1.0


class Judge:
    """Judgement of texts. Thread-safe. Remembers by keyed hash what it judged, never the texts."""

    def __init__(
        self,
        mode: Mode = Mode.BALANCED,
        *,
        seconds: float = 5.0,
        clock: Callable[[], float] = time.thread_time,
        encoder: Callable[[], Encoder] = shipped,
        calibration: Calibration | None = None,
    ) -> None:
        """Take a mode, and the computing time of one request. The encoder is loaded at the first judgement."""
        self._seconds, self._clock, self._encoder = seconds, clock, encoder
        self._calibration = calibration or shipped_calibration()
        found = self._calibration
        strict = mode is Mode.STRICT
        self.least, self._alone = (
            (found.strict, found.strict_alone) if strict else (found.balanced, found.balanced_alone)
        )
        self._line = max(self.least, min(_LINE_ALONE, self._alone))
        self._keys = TextKeys()
        self._texts: LRUCache[int, Judged] = LRUCache(_KNOWN_TEXTS)
        self._passages: LRUCache[int, Judged] = LRUCache(_KNOWN_PASSAGES)
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Load the encoder now.

        Raises:
            OSError: A file can't be read.
        """
        self._encoder().logits([])

    def known(self, texts: Sequence[str]) -> list[Judged] | None:
        """Return the judgements of texts that were all judged before; None: one was not."""
        with self._lock:
            found = [self._texts.get(self._keys.of(text)) for text in texts]
        return None if None in found else [one for one in found if one is not None]

    def judge(self, texts: Sequence[str]) -> list[Judged]:
        """Return the judgement of each text.

        Raises:
            Late: It took too long.
        """
        until = self._clock() + self._seconds
        return [self._judged(text, until) for text in texts]

    def nobodys(self, judged: Judged) -> bool:
        """Tell whether a text is surely nobody's affair, whoever is named in it."""
        return all(sight.probability < _SURELY_NOBODYS for sight in judged.sights)

    def unsure(self, judged: Judged) -> bool:
        """Tell whether a text is neither surely clean nor kept: its worst window is between, or can't be read."""
        worst = max((sight.probability for sight in judged.sights), default=0.0)
        unreadable = any(sight.category == UNSURE for sight in judged.sights)
        return unreadable or self._calibration.strict * _SURELY_CLEAN <= worst < self.least

    def findings(self, unit: Unit, judged: Judged) -> Iterator[Finding]:
        """Yield the windows of a text that count, the smallest of those that overlap."""
        taken: list[tuple[int, int]] = []
        for sight in sorted(judged.sights, key=lambda one: (one.stop - one.start, -one.probability)):
            if sight.probability < self.least or any(
                sight.start < stop and start < sight.stop for start, stop in taken
            ):
                continue
            taken.append((sight.start, sight.stop))
            path, start, stop = unit.place(sight.start, sight.stop)
            yield Finding(
                detector=DETECTOR, category=sight.category, path=path, start=start, end=stop,
                confidence=round(sight.probability, 3),
            )  # fmt: skip

    def _judged(self, text: str, until: float) -> Judged:
        mark = self._keys.of(text)
        with self._lock:
            known = self._texts.get(mark)
        if known is None:
            known = Judged(tuple(self._sights(text, until)))
            with self._lock:
                self._texts[mark] = known
        return known

    def _sights(self, text: str, until: float) -> Iterator[Sight]:
        waiting: list[tuple[int, int, Passage]] = []  # key, start in the text
        for passage in passages(text, self._encoder().pieces, speaks_of_itself):
            if not passage.windows:
                continue
            start, stop = passage.windows[0].start, passage.windows[0].stop
            # Whether its first and last sentences are entries is told by what stands around them, too.
            mark = self._keys.of(f"{surroundings(text, start, stop)}{text[start:stop]}")
            with self._lock:
                known = self._passages.get(mark)
            if known is not None:
                yield from _moved(known.sights, start)
                continue
            waiting.append((mark, start, passage))
            if len(waiting) >= _AT_ONCE:
                yield from self._new(text, waiting, until)
                waiting = []
        yield from self._new(text, waiting, until)

    def _new(self, text: str, waiting: Sequence[tuple[int, int, Passage]], until: float) -> Iterator[Sight]:
        """Judge passages of a text that are not known yet.

        Raises:
            Late: Time is over.
        """
        if waiting and self._clock() > until:
            raise Late
        logits = self._encoder().logits([passage for _, _, passage in waiting])
        alone = self._read_alone(text, [passage for _, _, passage in waiting], logits)
        for (mark, start, passage), rows, again in zip(waiting, logits, alone, strict=True):
            judged = Judged((*self._windows(passage, rows, start), *_moved(again, -start)))
            with self._lock:
                self._passages[mark] = judged
            yield from _moved(judged.sights, start)

    def _read_alone(self, text: str, together: Sequence[Passage], logits: Sequence[Any]) -> list[list[Sight]]:
        """Return, for each passage, the windows that count once they are read without their neighbours."""
        doubtful = [
            (number, passage.alone(window))
            for number, (passage, rows) in enumerate(zip(together, logits, strict=True))
            for window in doubtful_windows(passage, rows, self._calibration, self.least)
        ]
        found: list[list[Sight]] = [[] for _ in together]
        if not doubtful:
            return found
        read = self._encoder().logits([passage for _, passage in doubtful])
        for (number, passage), rows in zip(doubtful, read, strict=True):
            probability = self._calibration.probability(float(outweighs(rows)[0]))
            window, kind = passage.windows[0], rows[0, : len(SENSITIVE)].argmax()
            entry = is_entry(text, window.start, window.stop)
            if probability >= (self._line if entry else self._alone):
                found[number].append(Sight(window.start, window.stop, probability, _CATEGORIES[kind]))
        return found

    def _windows(self, passage: Passage, rows: Any, start: int) -> Iterator[Sight]:
        if len(passage.pieces) < _LEAST_PIECES + 2:
            return
        if passage.unknown > _UNREADABLE:
            whole = passage.windows[0]
            yield Sight(0, whole.stop - start, 1.0, UNSURE)
            return
        kinds = rows[:, : len(SENSITIVE)].argmax(axis=1)
        for window, outweigh, kind in zip(passage.windows, outweighs(rows), kinds, strict=True):
            probability = self._calibration.probability(float(outweigh))
            yield Sight(window.start - start, window.stop - start, probability, _CATEGORIES[kind])


def doubtful_windows(passage: Passage, rows: Any, calibration: Calibration, least: float) -> Iterator[Window]:
    """Yield the windows inside a passage that do not count, and might without their neighbours."""
    for window, outweigh in zip(passage.windows[1:], outweighs(rows)[1:], strict=True):
        if _SURELY_HARMLESS <= calibration.probability(float(outweigh)) < least:
            yield window


def outweighs(rows: Any) -> Any:
    """Return by how much (in logits) sensitive outweighs clean, (n_windows,)."""
    some = len(SENSITIVE)
    return np.logaddexp.reduce(rows[:, :some], axis=1) - np.logaddexp.reduce(rows[:, some:], axis=1)


def _moved(sights: Iterable[Sight], by: int) -> Iterator[Sight]:
    for sight in sights:
        yield Sight(sight.start + by, sight.stop + by, sight.probability, sight.category)


@cache
def shipped_calibration(folder: Path = WEIGHTS) -> Calibration:
    """Return the calibration of this release.

    Raises:
        OSError: It can't be read.
    """
    return msgspec.convert(json.loads((folder / "calibration.json").read_text("utf-8")), Calibration)

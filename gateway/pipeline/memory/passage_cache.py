"""Cache of the hashes of texts, and of what this process knows about them. The texts themselves are not kept.

A long conversation brings the same turns again and again. Their hashes are at hand, and a turn in which nothing
sensitive was known is not looked up again until something sensitive was remembered.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import TypeVar

import msgspec
from cachetools import FIFOCache

from gateway.privacy.taint.conversation import Turn, turn_digest
from gateway.privacy.taint.document_texts import Ends, ends_of
from gateway.privacy.taint.fingerprints import MOST, passages, passages_of
from gateway.privacy.taint.lines import LEAST, line_hashes, lines
from gateway.privacy.taint.media_text import remembered_part
from gateway.privacy.taint.readings import readings
from gateway.privacy.text_keys import TextKeys

K = TypeVar("K")
V = TypeVar("V")
_CHECKED = 50_000  # texts
_HARMLESS = 200_000  # passages and lines
_AT_HAND = 400_000  # hashes, about 25 MiB
_TURNS = 50_000
_ENDS = 8_000  # texts, about 4 MiB


class TextHashes(msgspec.Struct, frozen=True):
    """Everything by which a text is known again, in all its readings; not made for any key yet."""

    passages: tuple[bytes, ...]
    lines: tuple[bytes, ...]

    @property
    def count(self) -> int:
        """Number of hashes, and one for the entry itself."""
        return 1 + len(self.passages) + len(self.lines)


class PassageCache:
    """Memory of texts that were looked up and of texts that have left, by keyed hashes. Thread-safe."""

    def __init__(self, key: bytes, *, forgetful: bool = False) -> None:
        """Begin empty. `forgetful`: that something is unknown holds for one look only, since others remember too."""
        self._key = key
        self._forgetful = forgetful
        self._text_keys = TextKeys()
        self._generation = 0
        # By hand where every text of every request is looked up: the library's look-up takes several calls.
        self._checked: OrderedDict[tuple[int | bytes, bytes], int] = OrderedDict()
        self._harmless: FIFOCache[int | bytes, None] = FIFOCache(_HARMLESS)
        self._hashes: FIFOCache[tuple[int, bool], TextHashes] = FIFOCache(_AT_HAND, lambda entry: entry.count)
        self._turns: OrderedDict[int, Turn] = OrderedDict()
        self._ends: OrderedDict[int, Ends] = OrderedDict()
        self._lock = threading.Lock()

    def mark(self, text: str) -> int:
        """Return the key of a text in this process."""
        return self._text_keys.of(text)

    def state(self) -> int:
        """Return the state of memory, as `unknown` takes it."""
        return self._generation

    def checked(self, state: int, mark: int | bytes, scope: bytes) -> bool:
        """Return whether in this state of memory nothing sensitive was known of a text, or of a link, under a key."""
        return self._checked.get((mark, scope)) == state

    def unknown(self, state: int, marks: Iterable[int | bytes], scope: bytes) -> None:
        """Note that in this state of memory nothing sensitive was known of these texts and links."""
        if self._forgetful:
            return
        with self._lock:
            for mark in marks:
                _keep(self._checked, (mark, scope), state, _CHECKED)

    def changed(self) -> None:
        """Note that something sensitive is being remembered, so that every text is looked up again."""
        self._generation += 1

    def of(self, mark: int, text: str) -> TextHashes:
        """Return the hashes of a text, in all its readings."""
        return self._at_hand((mark, False), lambda: self._made(text))

    def of_seam(self, mark: int, plain: str) -> TextHashes:
        """Return the hashes of a seam: letters and digits around the borders of neighbouring texts."""
        return self._at_hand((mark, True), lambda: TextHashes(passages_of(plain, self._key), ()))

    def ends(self, text: str) -> Ends:
        """Return the letters and digits at the ends of a text."""
        mark = self._text_keys.of(text)
        known = self._ends.get(mark)
        if known is None:
            known = ends_of(text)
            with self._lock:
                _keep(self._ends, mark, known, _ENDS)
        return known

    def turn(self, text: str, *, own: bool) -> Turn:
        """Return a turn as the hashes of its conversation see it."""
        mark = self._text_keys.of(("own " if own else "answer ") + text)
        known = self._turns.get(mark)
        if known is None:
            known = Turn(*turn_digest(text, self._key), own)
            with self._lock:
                _keep(self._turns, mark, known, _TURNS)
        return known

    def harmless(self, mark: int, hashes: Callable[[], TextHashes]) -> None:
        """Note that a text was public and has left."""
        if mark in self._harmless:
            return
        known = hashes()
        with self._lock:
            self._harmless[mark] = None  # first, so that it is forgotten before them
            for item in chain(known.passages, known.lines):
                self._harmless[item] = None

    def telling(self, hashes: Iterable[bytes]) -> tuple[bytes, ...]:
        """Return those passages and lines that have not left before."""
        return tuple(item for item in hashes if item not in self._harmless)

    def _made(self, text: str) -> TextHashes:
        if len(text) < LEAST:
            return TextHashes((), ())
        every = tuple(readings(remembered_part(text)))
        found = chain.from_iterable(passages(reading, self._key) for reading in every)
        return TextHashes(
            tuple(dict.fromkeys(found)),
            line_hashes(chain.from_iterable(lines(reading) for reading in every), self._key),
        )

    def _at_hand(self, mark: tuple[int, bool], make: Callable[[], TextHashes]) -> TextHashes:
        with self._lock:
            known = self._hashes.get(mark)
        if known is None:
            known = make()
            if known.count <= _AT_HAND // 4:
                with self._lock:
                    self._hashes[mark] = known
        return known


def bounded(hashes: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return at most `MOST` of a text's hashes: always the same, wherever in it they stand."""
    return hashes if len(hashes) <= MOST else tuple(sorted(hashes)[:MOST])


def _keep(memory: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """Keep a value; beyond so many the oldest goes."""
    memory[key] = value
    if len(memory) > most:
        memory.popitem(last=False)

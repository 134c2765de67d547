"""Cache of what this process knows about texts by their passages. The texts themselves are not kept.

A long conversation brings the same turns again and again. A turn in which nothing sensitive was known is not looked up
again until something sensitive was remembered.
"""

import threading
from collections.abc import Hashable, Iterable

from cachetools import FIFOCache

from gateway.privacy.taint.fingerprints import MOST, RUN, passages
from gateway.privacy.text_keys import TextKeys

_CHECKED = 20_000  # texts
_HARMLESS = 200_000  # passages
_RECENT = 256  # texts whose passages are at hand, since a request's are needed twice


class PassageCache:
    """Memory of texts that were looked up and of texts that were harmless, by keyed hashes. Thread-safe."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._text_keys = TextKeys()
        self._generation = 0
        self._checked: FIFOCache[int, int] = FIFOCache(_CHECKED)
        self._harmless: FIFOCache[Hashable, None] = FIFOCache(_HARMLESS)
        self._recent: FIFOCache[int, tuple[bytes, ...]] = FIFOCache(_RECENT)
        self._lock = threading.Lock()

    def fresh(self, texts: Iterable[str]) -> tuple[int, dict[int, str]]:
        """Return the state of memory, and by their marks the texts that must be looked up.

        Short texts have no passages and are left out.
        """
        of = self._text_keys.of
        marked = {of(text): text for text in texts if len(text) >= RUN}
        now = self._generation
        with self._lock:
            return now, {mark: text for mark, text in marked.items() if self._checked.get(mark) != now}

    def unknown(self, state: int, marks: Iterable[int]) -> None:
        """Note that in this state of memory nothing sensitive was known of these texts."""
        with self._lock:
            for mark in marks:
                self._checked[mark] = state

    def changed(self) -> None:
        """Note that something sensitive is being remembered, so that every text is looked up again."""
        self._generation += 1

    def harmless(self, texts: Iterable[str]) -> None:
        """Note that these texts stood in a request that was not sensitive."""
        for text in texts:
            if len(text) < RUN:
                continue
            mark = self._text_keys.of(text)
            if mark in self._harmless:
                continue
            found = self._of(mark, text, MOST)
            with self._lock:
                self._harmless[mark] = None
                for item in found:
                    self._harmless[item] = None

    def looked_for(self, texts: Iterable[str]) -> tuple[bytes, ...]:
        """Return all passages of these texts."""
        return tuple(item for text in texts for item in self._of(self._text_keys.of(text), text, None))

    def telling(self, texts: Iterable[str]) -> tuple[bytes, ...]:
        """Return at most `MOST` passages of each text, without those that harmless requests had."""
        found = [item for text in texts for item in self._of(self._text_keys.of(text), text, MOST)]
        return tuple(item for item in found if item not in self._harmless)

    def _of(self, mark: int, text: str, most: int | None) -> tuple[bytes, ...]:
        with self._lock:
            known = self._recent.get(mark)
        if known is None:
            known = passages(text, self._key, most)
            if len(known) < MOST:  # so it is the same with and without the limit
                with self._lock:
                    self._recent[mark] = known
        return known

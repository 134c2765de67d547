"""A quick look over a document that was inspected before: what patterns and checksums find in each string as it stands.

No decoding, nothing across strings, no bytes of media: whatever it finds, inspection finds in the same strings, too.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from gateway.core.document import JsonObject, Place, long_numbers, path_of
from gateway.privacy.decoding.carried import base64_in
from gateway.privacy.detectors.custom import Custom
from gateway.privacy.inspection.scanner import Scanner
from gateway.privacy.inspection.walk import OF_THE_API, leaves_by_role
from gateway.privacy.settings import InspectionSettings
from gateway.privacy.text_keys import TextKeys

_PIECE = 65_536  # characters scanned at once, with an overlap
_OVERLAP = 2_048
_SHORTEST = 4


class QuickLook:
    """Search of documents for categories. Thread-safe. Remembers strings by keyed hash, never the strings."""

    def __init__(self, settings: InspectionSettings, *, cache_dir: Path | None = None, hyperscan: bool = True) -> None:
        """Compile the patterns.

        Raises:
            ConfigurationError: A pattern of the user's can't be used.
        """
        self._custom = Custom(settings.words, settings.patterns, settings.lists)
        self._scanner = Scanner(cache_dir=cache_dir, hyperscan=hyperscan)
        self._most = settings.cached_strings
        self._text_keys = TextKeys()
        self._known: OrderedDict[int, frozenset[str]] = OrderedDict()
        self._lock = threading.Lock()

    def categories(self, document: JsonObject) -> Iterator[tuple[str, str]]:
        """Yield the path of each string or long number that holds something, and each category of what it holds."""
        for place, leaf, _, _ in leaves_by_role(document):
            if isinstance(leaf, str):
                if len(leaf) >= _SHORTEST and leaf not in OF_THE_API:
                    yield from self._at(place, leaf)
            elif leaf is not None:
                for _, text in long_numbers(leaf if isinstance(leaf, tuple) else (leaf,)):
                    yield from self._at(place, text)

    def of(self, text: str) -> frozenset[str]:
        """Return the categories of what one text holds."""
        mark = self._text_keys.of(text)
        with self._lock:
            known = self._known.get(mark)
            if known is not None:
                self._known.move_to_end(mark)
                return known
        found = frozenset(self._found(text))
        with self._lock:
            self._known[mark] = found
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return found

    def _at(self, place: Place, text: str) -> Iterator[tuple[str, str]]:
        found = self.of(text)
        if found:
            path = path_of(place)
            yield from ((path, category) for category in found)

    def _found(self, text: str) -> Iterator[str]:
        if base64_in(text) is not None:  # letters that are no text: among a million of them some look like a key
            return
        for start in range(0, max(1, len(text)), _PIECE - _OVERLAP):
            piece = text[start : start + _PIECE]
            yield from (category for _, category, *_ in self._scanner.scan(piece).hits())
            yield from (category for category, _, _ in self._custom.find(piece))
            if start + _PIECE >= len(text):
                return

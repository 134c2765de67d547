"""Detokenizer: tokens back to text, as they come. Pure.

Holds back characters whose bytes span several tokens, and stop strings that span several texts.
"""

import codecs
from collections.abc import Sequence


class Detokenizer:
    """Joins token bytes to text; a character is given out when its last byte has come.

    One whose last byte never comes, since the answer was cut, is no part of the text.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, piece: bytes) -> str:
        """Return the characters that are complete now."""
        return self._decoder.decode(piece)


class StopStrings:
    """Filter that cuts the text at the first stop string, and holds back what could be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.found: str | None = None

    @property
    def stopped(self) -> bool:
        """Whether a stop string was found."""
        return self.found is not None

    def feed(self, text: str) -> str:
        """Return the text that can be given out.

        Sets `found` when a stop string was found; it is not part of the text.
        """
        if not self._stops or self.stopped:
            return "" if self.stopped else text
        text = self._held + text
        places = [(place, stop) for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            place, self.found = min(places)
            self._held = ""
            return text[:place]
        keep = max((overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """Return what was held back, at the end of the answer."""
        held, self._held = self._held, ""
        return held


def overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of `text` that is a beginning of `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0

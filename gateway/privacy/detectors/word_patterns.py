"""Patterns that begin at a word: the words are found in linear time (RE2), and only beside them is anything looked for.

They stand where a compiled pattern stands in a detector. Each is compiled when it is first used, because most of the
world's words stand in no text of a day.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from re import Match, Pattern
from typing import Any

from gateway.privacy.detectors.detector import lexicon


class BehindWord:
    """Pattern of what follows a word."""

    def __init__(self, words: str, rest: str) -> None:
        self._words = words
        self._rest = rest

    @cached_property
    def pattern(self) -> str:
        """Return the whole as one expression, for the first pass."""
        return rf"\b(?i:{self._words}){self._rest}"

    @cached_property
    def _lead(self) -> Any:
        return lexicon(rf"\b(?:{self._words})(?:\b|[0-9_]|([^0-9A-Za-z_])|\z)")  # RE2's edges are those of ASCII

    @cached_property
    def _follows(self) -> Pattern[str]:
        return re.compile(self._rest, re.ASCII)

    def finditer(self, text: str) -> Iterator[Match[str]]:
        """Yield the hits in a text."""
        done = -1
        for word in self._lead.finditer(text):
            end = word.end() - (word[1] is not None)
            end -= text[end - 1].isdigit()  # a number that is grown together with its word
            found = self._follows.match(text, end) if end > done else None
            if found is not None:
                done = found.end()
                yield found


class BesideWords:
    """Pattern of a number around whose words it is looked for, and of its spellings that need no word."""

    def __init__(self, shape: str, words: str, alone: str, reach: int) -> None:
        self.pattern = shape
        self._words = words
        self._alone = alone
        self._reach = reach

    @cached_property
    def _beside(self) -> Any:
        return lexicon(self._words) if self._words else None

    @cached_property
    def _shape(self) -> Pattern[str]:
        return re.compile(self.pattern, re.ASCII)

    @cached_property
    def _free(self) -> Pattern[str]:
        return re.compile(self._alone, re.ASCII)

    def finditer(self, text: str) -> Iterator[Match[str]]:
        """Yield the hits in a text: those near words in its order, then those that need none."""
        for begin, end in self._windows(text):
            yield from self._shape.finditer(text, begin, end)
        if self._alone:
            yield from self._free.finditer(text)

    def _windows(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the surroundings of words; those that overlap or touch are one, or a number in both would be cut."""
        begin = end = -1
        for word in self._beside.finditer(text) if self._beside is not None else ():
            first, last = max(0, word.start() - self._reach), min(len(text), word.end() + self._reach)
            if begin < 0:
                begin = first
            elif first > end:
                yield begin, end
                begin = first
            end = last
        if begin >= 0:
            yield begin, end

"""The user's own words, regular expressions and lists, in linear time whatever they write (RE2, Aho-Corasick)."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import ahocorasick
import re2 as untyped_re2

from gateway.core.errors import ConfigurationError
from gateway.privacy.patterns import late
from gateway.privacy.settings import WordList

re2: Any = untyped_re2  # the package has no types


class Custom:
    """The user's words, expressions and lists, compiled once. Words are found whole, in any case."""

    def __init__(
        self,
        words: Mapping[str, tuple[str, ...]],
        patterns: Mapping[str, tuple[str, ...]],
        lists: Mapping[str, WordList] = MappingProxyType({}),
    ) -> None:
        """Compile them all.

        Raises:
            ConfigurationError: RE2 does not take a pattern, or an entry can't be used.
        """
        self._lists = Gazetteers(lists)
        self._patterns: list[tuple[str, Any, int]] = []
        for name, items in words.items():
            if any(not item.strip() for item in items):
                raise ConfigurationError((f"inspection.words.{name}: an empty word would be found everywhere.",))
            choices = "|".join(re2.escape(item) for item in items)
            if choices:
                self._add(name, rf"(?i)(?:^|[^\pL\pN_])({choices})(?:$|[^\pL\pN_])", f"inspection.words.{name}", 1)
        for name, items in patterns.items():
            for item in items:
                self._add(name, item, f"inspection.patterns.{name}")

    def _add(self, name: str, pattern: str, place: str, group: int = 0) -> None:
        try:
            compiled = re2.compile(pattern)
        except re2.error as error:
            raise ConfigurationError((f"{place}: this regular expression can't be used: {error}.",)) from error
        if compiled.search("") is not None:
            raise ConfigurationError((f"{place}: this regular expression also matches an empty text.",))
        self._patterns.append((f"custom.{name}", compiled, group))

    def find(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Yield category, start and end of each hit."""
        for category, pattern, group in self._patterns:
            for match in pattern.finditer(text):
                yield category, match.start(group), match.end(group)
        yield from self._lists.find(text)


# The user's own long lists (clients, projects, places): all entries of all lists in one pass (Aho-Corasick). Pure.


LONGEST = 400  # characters of an entry: what stands at the seam of two scanned pieces must fit into their overlap
SHORTEST = {True: 2, False: 4}  # letters and digits of an entry, by whether it is found as whole words only
_SPACES = late(" {2,}")


class _Folding(dict[int, str]):
    """Table of how characters are compared, one for one; filled as characters come."""

    def __init__(self, *, case: bool, accents: bool) -> None:
        super().__init__()
        self._case, self._accents = case, accents

    def __missing__(self, code: int) -> str:
        folded = chr(code)
        if folded.isspace():
            folded = " "
        if not self._accents:
            folded = unicodedata.normalize("NFKD", folded)[0]
        if not self._case and len(folded.lower()) == 1:
            folded = folded.lower()
        if len(self) < 70_000:
            self[code] = folded
        return folded


class _Folded:
    """Text as it is compared, and the way back to its places."""

    def __init__(self, text: str, folding: _Folding) -> None:
        plain = text.translate(folding)
        runs = [match.span() for match in _SPACES.finditer(plain)]
        self.text = _SPACES.sub(" ", plain) if runs else plain
        lost = list(accumulate(end - start - 1 for start, end in runs))
        self._lost = [0, *lost]
        self._from = [start + 1 - gone for (start, _), gone in zip(runs, self._lost, strict=False)]

    def place(self, at: int) -> int:
        """Return where this character stands in the text as it came."""
        return at + self._lost[bisect_right(self._from, at)]


class Gazetteers:
    """The user's lists, compiled once; as many passes over a text as there are ways of folding (one, as a rule)."""

    def __init__(self, lists: Mapping[str, WordList]) -> None:
        """Compile the lists.

        Raises:
            ConfigurationError: An entry can't be used.
        """
        self._passes: list[tuple[_Folding, Any]] = []
        kinds: dict[tuple[bool, bool], dict[str, set[tuple[str, bool]]]] = {}
        foldings: dict[tuple[bool, bool], _Folding] = {}
        for name, words in lists.items():
            key = (words.match_case, words.match_accents)
            folding = foldings.setdefault(key, _Folding(case=key[0], accents=key[1]))
            entries = kinds.setdefault(key, {})
            for entry in words.entries:
                folded = " ".join(_Folded(unicodedata.normalize("NFC", entry), folding).text.split())
                _usable(name, folded, words)
                entries.setdefault(folded, set()).add((f"custom.{name}", words.whole_words))
        for key, entries in kinds.items():
            automaton = ahocorasick.Automaton()
            for folded, kinds_of_entry in entries.items():
                automaton.add_word(folded, (len(folded), tuple(sorted(kinds_of_entry))))
            if entries:
                automaton.make_automaton()
                self._passes.append((foldings[key], automaton))

    def find(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Yield category, start and end of each hit; of hits inside one another only the longest."""
        for folding, automaton in self._passes:
            folded = _Folded(text, folding)
            found: list[tuple[int, int, str]] = []
            for last, (length, kinds) in automaton.iter(folded.text):
                start, end = last + 1 - length, last + 1
                for category, whole in kinds:
                    if not whole or _whole(folded.text, start, end):
                        found.append((start, end, category))
            reach: dict[str, int] = {}
            for start, end, category in sorted(found, key=lambda hit: (hit[0], -hit[1])):
                if end > reach.get(category, 0):
                    reach[category] = end
                    yield category, folded.place(start), folded.place(end - 1) + 1


def _whole(text: str, start: int, end: int) -> bool:
    """Tell whether a word ends at both ends: no letter, digit or underscore goes on there."""
    before = start > 0 and _in_word(text[start - 1]) and _in_word(text[start])
    return not before and not (end < len(text) and _in_word(text[end]) and _in_word(text[end - 1]))


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _usable(name: str, folded: str, words: WordList) -> None:
    marks = sum(map(str.isalnum, folded))
    if marks < SHORTEST[words.whole_words]:
        raise ConfigurationError(
            (f"inspection.lists.{name}: an entry of {marks} letters and digits would be found everywhere.",)
        )
    if len(folded) > LONGEST:
        raise ConfigurationError((f"inspection.lists.{name}: an entry is longer than {LONGEST} characters.",))

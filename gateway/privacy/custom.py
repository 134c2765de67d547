"""The user's own words, regular expressions and lists, in linear time whatever they write (RE2, Aho-Corasick)."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import re2 as untyped_re2

from gateway.core.errors import ConfigurationError
from gateway.privacy.gazetteers import Gazetteers
from gateway.privacy.settings import WordList

re2: Any = untyped_re2  # the package has no types


class Custom:
    """Compiled once. Words are found whole, in any case."""

    def __init__(
        self,
        words: Mapping[str, tuple[str, ...]],
        patterns: Mapping[str, tuple[str, ...]],
        lists: Mapping[str, WordList] = MappingProxyType({}),
    ) -> None:
        """Raises ConfigurationError for a pattern that RE2 does not take, and for an entry that can't be used."""
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
        """Category, start and end of each hit."""
        for category, pattern, group in self._patterns:
            for match in pattern.finditer(text):
                yield category, match.start(group), match.end(group)
        yield from self._lists.find(text)

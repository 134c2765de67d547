"""What inspection can be told. Plain values; whoever reads the configuration file fills them in."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class WordList(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one of the user's lists, thousands if need be. White space between words counts as one blank."""

    entries: tuple[str, ...]
    whole_words: bool = True
    """Not inside a longer word."""
    match_case: bool = False
    """Capitals count."""
    match_accents: bool = False
    """Accents count."""


class InspectionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits, and the user's own words. Beyond a limit the request counts as sensitive."""

    seconds: float = 1.0
    """Computing time for one request: time of its thread on a core, however long that waits for one."""
    max_characters: int = 16_000_000
    """Characters of one request, decoded parts included."""
    words: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """The user's words by name: found whole, in any case, as category `custom.<name>`."""
    patterns: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """The user's regular expressions by name, in RE2 syntax (linear time), as category `custom.<name>`."""
    lists: Mapping[str, WordList] = MappingProxyType({})
    """The user's long lists by name, as category `custom.<name>`."""
    cached_strings: int = 20_000
    """Strings whose findings are remembered, by keyed hash, so that a long conversation costs only its new turn."""

"""Which views of a text are worth making, where no pass of Hyperscan has said so. Pure.

RE2 takes time in proportion to the text; like Hyperscan it reads bytes, in UTF-8.
"""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

import re2 as untyped_re2

from gateway.privacy.decoding.views import TRIGGERS, ViewKind

re2: Any = untyped_re2  # the package has no types


def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # every byte is a character
    return re2.compile(expression.encode(), options)


_PATTERNS = {kind: _compiled(expression) for kind, expression in TRIGGERS.items()}
_LONG = 16 * 1024  # bytes, from which on a pattern of all together may take longer than each of them


def kinds_of(text: str) -> frozenset[ViewKind]:
    """Return the kinds of views that a text is worth."""
    return _of(text.encode("utf-8", "replace"), _PATTERNS)


class Kinds:
    """Some of the kinds of views. Most texts are worth none of them, which one pass over a text tells."""

    def __init__(self, among: Collection[ViewKind]) -> None:
        self._patterns = {kind: _PATTERNS[kind] for kind in among}

    @cached_property
    def _any(self) -> Any:
        return _compiled("|".join([f"(?:{TRIGGERS[kind]})" for kind in self._patterns]))

    def of(self, text: str) -> frozenset[ViewKind]:
        """Return those that a text is worth."""
        data = text.encode("utf-8", "replace")
        if len(data) < _LONG and self._any.search(data) is None:
            return frozenset()
        return _of(data, self._patterns)


def _of(data: bytes, patterns: Mapping[ViewKind, Any]) -> frozenset[ViewKind]:
    return frozenset([kind for kind, pattern in patterns.items() if pattern.search(data)])

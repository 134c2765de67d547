"""What a detector is, and the measures that checks share. Pure data and predicates."""

import math
import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cache
from re import Match, Pattern
from typing import Any, TypeAlias

import msgspec
import re2 as untyped_re2

from gateway.privacy.patterns import late, late_re2

re2: Any = untyped_re2  # the package has no types

_PINNED = late(r"==[ \t]?v?[0-9]{1,6}\.[0-9]")
_VERSION = late(
    r"(?:[\w.\[\]-]{1,80}[=~<>!]=)?v?[0-9]{1,4}\.[0-9]{1,6}(?:\.[0-9]{1,10}){0,2}(?:[.-]?(?:a|b|rc|alpha|beta|dev|post|pre)[.-]?[0-9]{0,10})?"
)
_NO_DIGIT = late(r"[^0-9]+")
_SEPARATOR = late(r"[\s.\-/]+")
_UNIT = late(
    r"[ \t\u00a0]?(?:[%‰€$£¥°]|(?:eur(?:os?)?|usd|dol+ar[es]*|dólares|reais|pesos|bytes?|octets|[kmgt]i?b|ms|kg|"
    r"km|mm?|cm|mg|ml|kwh|mv|units?|unidades|rows|filas|"
    r"edges|layers|people|persons?|personas|pessoas|personnes|habitant\w*|"
    r"inhabitants|einwohner|menschen|users?|usuarios|tel[eé]fonos|phones|vend\w+|sold|stück|mill?\w+|trips|travellers|"
    r"times|years|d[ií]as|days)\b)",
    re.IGNORECASE,
)
_LONGEST_WORD = 24
_FEW = 16  # hits of which each looks around by itself

Check: TypeAlias = Callable[[Match[str]], bool]

BEGIN, END = r"(?<![\w.@-])", r"(?![\w@-])"


def always(match: Match[str]) -> bool:
    """Return True: the pattern alone decides."""
    return True


def span_of_value(match: Match[str]) -> tuple[int, int]:
    """Return where the group `value` stands."""
    return match.span("value")


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of sensitive data: the pattern proposes, the check disposes.

    The group `value` is the finding's span, or what `extent` says. Patterns are ASCII-only: other digits and look-alike
    letters are folded by a view. `hint` lists lower-case words of which the text must hold one.
    """

    name: str
    category: str
    pattern: Any  # of `re`, or of RE2 where `whole` looks
    source: str  # law, issuer or checksum
    check: Check = always
    extent: Callable[[Match[str]], tuple[int, int]] = span_of_value
    proposal: str = ""  # what Hyperscan looks for instead of the pattern, where that is costly to compile: a superset
    hint: tuple[str, ...] = ()
    confidence: float = 1.0
    joins: bool = True  # also looked for in pieces that were put together from two lines or messages
    whole: Callable[[str], tuple[int, int] | None] | None = None  # looks at the whole text instead of at each hit

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield start and end of each hit."""
        if self.whole is not None:
            span = self.whole(text)
            if span is not None:
                yield span
            return
        try:
            for match in self.pattern.finditer(text):
                if self.check(match):
                    yield self.extent(match)
        finally:
            _around.clear()


def is_version(text: str, start: int, end: int) -> bool:
    """Tell whether a value is a version: `2.0.1-beta.3`, or what `==` pins, also with the next line behind it."""
    if _VERSION.fullmatch(text, start, end) is not None:
        return True
    sign = text.rfind("==", max(0, start - 2), start + 2)
    return sign >= 0 and _PINNED.match(text, sign) is not None


def rx(pattern: str, flags: int = 0) -> Pattern[str]:
    """Return a pattern with classes of ASCII characters."""
    return late(pattern, flags | re.ASCII)


def words(pattern: str) -> Pattern[str]:
    """Return a search for context words, in any case."""
    return late(pattern, re.IGNORECASE)


@cache
def _linear(context: Pattern[str]) -> Any:
    """Return the same search by RE2, ten times quicker over a whole text.

    Python's own search stays where RE2 does not know the syntax.
    """
    try:
        return re2.compile(_in_any_case(context.pattern))
    except re2.error:
        return context


def lexicon(pattern: str) -> Any:
    """Return a search for many words over whole texts, in any case and in linear time (RE2)."""
    return late_re2(_in_any_case(pattern))


def _in_any_case(pattern: str) -> str:
    return f"(?i){pattern}"


def digits(text: str) -> str:
    """Return the digits of a text."""
    return text if text.isdecimal() and text.isascii() else _NO_DIGIT.sub("", text)


def compact(match: Match[str]) -> str:
    """Return the value without separators."""
    value: str = match["value"]
    return value if value.isalnum() else _SEPARATOR.sub("", value)


def near(match: Match[str], context: Pattern[str], before: int = 64, after: int = 32) -> bool:
    """Tell whether a context word stands near the hit."""
    text = match.string
    start, end = match.span("value")
    return _around.has(text, context, word_start(text, max(0, start - before)), min(len(text), end + after))


def word_start(text: str, at: int) -> int:
    """Return where the word begins that `at` stands in, so that no part of a word is taken for a word."""
    least = max(0, at - _LONGEST_WORD)
    while at > least and text[at - 1].isalnum():
        at -= 1
    return at


def measured(match: Match[str]) -> bool:
    """Tell whether a unit or a currency follows: an amount is nobody's number."""
    return _UNIT.match(match.string, match.end("value")) is not None


class _Around(threading.local):
    """Memory of the context words of one text.

    Where one detector has many hits, all words are found once for all of them.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the text."""
        self._text = ""
        self._asked: dict[Pattern[str], int] = {}
        self._spans: dict[Pattern[str], tuple[list[int], list[int]]] = {}

    def has(self, text: str, context: Pattern[str], start: int, end: int) -> bool:
        """Tell whether a context word stands between `start` and `end`."""
        if text is not self._text:
            self.clear()
            self._text = text
        asked = self._asked[context] = self._asked.get(context, 0) + 1
        if asked <= _FEW:
            return context.search(text, start, end) is not None
        if context not in self._spans:
            spans = [match.span() for match in _linear(context).finditer(text)]
            self._spans[context] = [begin for begin, _ in spans], [stop for _, stop in spans]
        begins, stops = self._spans[context]
        return bisect_right(stops, start) < bisect_left(begins, end)


_around = _Around()


def entropy(text: str) -> float:
    """Return Shannon's entropy in bits per character."""
    counts: dict[str, int] = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())

"""What a detector is, and the measures that checks share. Pure data and predicates."""

import math
import re
from collections.abc import Callable, Iterator
from re import Match, Pattern
from typing import Any, TypeAlias

import msgspec
import re2 as untyped_re2

re2: Any = untyped_re2  # the package has no types

Check: TypeAlias = Callable[[Match[str]], bool]

BEGIN, END = r"(?<![\w.@-])", r"(?![\w@-])"


def always(match: Match[str]) -> bool:
    """The pattern alone decides."""
    return True


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of sensitive data: the pattern proposes, the check disposes.

    The group `value`, where the pattern has one, is the finding's span. Patterns are ASCII-only: other digits and
    look-alike letters are folded by a view. `hint` lists lower-case words of which the text must hold one.
    """

    name: str
    category: str
    pattern: Any  # of `re`, or of RE2 where `whole` looks
    source: str  # law, issuer or checksum
    check: Check = always
    proposal: str = ""  # what Hyperscan looks for instead of the pattern, where that is costly to compile: a superset
    hint: tuple[str, ...] = ()
    confidence: float = 1.0
    joins: bool = True  # also looked for in pieces that were put together from two lines or messages
    whole: Callable[[str], tuple[int, int] | None] | None = None  # looks at the whole text instead of at each hit

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each hit."""
        if self.whole is not None:
            span = self.whole(text)
            if span is not None:
                yield span
            return
        for match in self.pattern.finditer(text):
            if self.check(match):
                yield match.span("value")


def rx(pattern: str, flags: int = 0) -> Pattern[str]:
    """Compiled for ASCII classes."""
    return re.compile(pattern, flags | re.ASCII)


def words(pattern: str) -> Pattern[str]:
    """A search for context words, in any case."""
    return re.compile(pattern, re.IGNORECASE)


def lexicon(pattern: str) -> Any:
    """A search for many words over whole texts, in any case and in linear time (RE2)."""
    return re2.compile(f"(?i){pattern}")


def digits(text: str) -> str:
    """The text's digits."""
    return re.sub(r"[^0-9]", "", text)


def compact(match: Match[str]) -> str:
    """The value without separators."""
    return re.sub(r"[\s.\-/]", "", match["value"])


def near(match: Match[str], context: Pattern[str], before: int = 64, after: int = 32) -> bool:
    """Whether a context word stands near the hit."""
    start, end = match.span("value")
    return context.search(match.string, max(0, start - before), min(len(match.string), end + after)) is not None


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    counts: dict[str, int] = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())

"""Values that documentation publishes as samples: nobody's keys, accounts, cards and numbers. Pure.

The table is `gateway/privacy/data/published_samples.toml`. A sample is passed over by every detector; what stands
beside it is not. A number that a person may hold, or type into a form, only counts as a sample where words beside it
speak of examples, tests or documents.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
import tomllib
from bisect import bisect_left
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import re2 as untyped_re2

re2: Any = untyped_re2  # the package has no types

_UNMISTAKABLE = 24  # letters and digits of a sample of which the rest was read as something else
_LEAST = 6  # letters and digits; shorter ones are in the table, or a part of it, by chance
_AROUND = 48  # characters around a hit in which the rest of a sample may stand
_REACH = 160  # characters around a sample in which a word has to stand
_SAYS = re2.compile(
    r"(?i)\b(?:examples?|sampl\w+|ejemplos?|exempl\w+|exemples?|beispiel\w*|esempi\w*|voorbeeld\w*|muster\w*|prueba\w*|prova|teste?s?|testing|testkart\w+|testnum\w+|proefnum\w+|"
    r"test[_-]?\w+|sandbox|stripe|adyen|braintree|paypal|worldpay|docs?|document(?:ation|aci\w+|a[cç][aã]o|a\w+zione|atie)|dokumentation|tutorial\w*|textbook|apuntes|manuals?|handbuch|manuel|lehrbuch|"
    r"wikipedia|registry|(?:rfc|bip|eip)[ -]?[0-9]+|genesis|fictional|drama|fictici\w+|fictif\w*|fiktiv\w*|films?|movies?|pel[ií]culas?|pel·l[ií]cul\w+|filmes?|filmen|hollywood|luhn|checksums?|"
    r"m[oòó]dul[oe] ?[0-9]+|mod[ -]?[0-9]+|pr[uü]fziff\w+|d[ií]gitos? de control|check digit\w*|cl[eé] de luhn|validator|validador|validateur|placeholder\w*|dummy|mock\w*|fixtures?|insee)\b"
)


class _Samples(msgspec.Struct, frozen=True):
    """Table of samples, as their letters and digits alone, in capitals."""

    alone: frozenset[str]
    told: frozenset[str]
    lengths: tuple[int, ...]
    all: str  # one behind the other
    all_alone: str  # the same of those that need no word
    ranges: Any  # of RE2


@cache
def _samples() -> _Samples:
    data = tomllib.loads(files("gateway.privacy").joinpath("data/published_samples.toml").read_text("utf-8"))
    alone, told = (
        frozenset(
            _bare(value)
            for row in data["samples"]
            if row.get("told", False) == kind
            for value in row.get("values", "").split()
        )
        for kind in (False, True)
    )
    ranges = "|".join(item for row in data["samples"] for item in row.get("ranges", ()))
    every = alone | told
    return _Samples(
        alone, told, tuple(sorted(set(map(len, every)))), "\n".join(every), "\n".join(alone), re2.compile(ranges)
    )


def _bare(text: str) -> str:
    return _SIGNS.sub("", text).upper()


_SIGNS = re.compile(r"[^0-9A-Za-z]+")


def is_published(text: str, start: int, end: int) -> bool:
    """Tell whether a hit is a published sample, or a part of one, and no part of anything longer.

    Most hits are neither: their own digits and letters say so without a look at what stands around them.
    """
    samples = _samples()
    hit = _bare(text[start:end])
    if hit in samples.alone or (len(hit) >= _UNMISTAKABLE and hit in samples.all_alone):
        return True
    if len(hit) < _LEAST:  # a card's code counts as a sample beside its card alone
        return hit in samples.told and _is_told(text, start, end) and _beside_sample(samples, text, start, end)
    listed = hit in samples.all
    if not listed and not hit.isdecimal():
        return False
    if not (hit in samples.all_alone or _is_told(text, start, end)):
        return False
    found = _whole(samples, text, start, end, len(hit)) if listed else ""
    if found in samples.alone:
        return True
    return (found != "" or _in_range(samples, text, start, end)) and _is_told(text, start, end)


def _is_told(text: str, start: int, end: int) -> bool:
    """Tell whether a word near a hit speaks of samples."""
    return _SAYS.search(text[max(0, start - _REACH) : end + _REACH]) is not None


def _beside_sample(samples: _Samples, text: str, start: int, end: int) -> bool:
    around = _bare(text[max(0, start - _AROUND) : end + _AROUND])
    return any(len(value) >= _LEAST and value in around for value in samples.told)


def _whole(samples: _Samples, text: str, start: int, end: int, least: int) -> str:
    """Return the sample that a hit is or is a part of; empty: none, or a part of something longer."""
    begin = max(0, start - _AROUND)
    places = [at for at in range(begin, min(len(text), end + _AROUND)) if text[at].isascii() and text[at].isalnum()]
    letters = "".join(map(text.__getitem__, places)).upper()
    first, last = bisect_left(places, start), bisect_left(places, end)
    for length in (one for one in samples.lengths if one >= least):
        for at in range(max(0, last - length), first + 1):
            value = letters[at : at + length]
            known = len(value) == length and (value in samples.told or value in samples.alone)
            if known and _stands_free(text, places[at], places[at + length - 1] + 1):
                return value
    return ""


def _in_range(samples: _Samples, text: str, start: int, end: int) -> bool:
    begin = max(0, start - _AROUND)
    spans = (match.span() for match in samples.ranges.finditer(text[begin : end + _AROUND]))
    return any(
        begin + first <= start + 1 and end <= begin + last + 1 and _stands_free(text, begin + first, begin + last)
        for first, last in spans
    )


def _stands_free(text: str, start: int, end: int) -> bool:
    """Tell whether it is no part of a longer number or word."""
    return _GROWN.search(text, max(0, start - 2), start) is None and _GROWS.match(text, end) is None


_GROWN = re.compile(r"[0-9A-Za-z]\Z|[0-9][ .-]\Z")
_GROWS = re.compile(r"[0-9A-Za-z]|[ ./-][0-9]")

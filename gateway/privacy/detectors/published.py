"""Values that documentation publishes as samples: nobody's keys, accounts, cards and numbers. Pure.

The table is `gateway/privacy/data/published_samples.toml`. A sample is passed over by the detectors that its row names;
what stands beside it is not. A number that a person may hold, or type into a form, only counts as a sample where a word
close to it in its line speaks of examples, tests or documents, and nobody calls it his own.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import tomllib
from bisect import bisect_left
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import re2 as untyped_re2

from gateway.privacy.detectors.detector import word_start
from gateway.privacy.patterns import late, late_re2

re2: Any = untyped_re2  # the package has no types

_UNMISTAKABLE = 24  # letters and digits of a sample of which the rest was read as something else
_LEAST = 6  # letters and digits; shorter ones are in the table, or a part of it, by chance
_AROUND = 48  # characters around a hit in which the rest of a sample may stand
_REACH = 60  # characters around a sample in which a word has to stand, in the same line
_SAYS = late_re2(
    r"(?i)\b(?:examples?|sampl\w+|ejemplos?|exempl\w+|exemples?|beispiel\w*|esempi\w*|voorbeeld\w*|muster\w*|prueba\w*|prova|teste?s?|testing|testkart\w+|testnum\w+|proefnum\w+|"
    r"test[_-]?\w+|sandbox|stripe|adyen|braintree|paypal|worldpay|docs?|document(?:ation|aci\w+|a[cç][aã]o|a\w+zione|atie)|dokumentation|tutorial\w*|textbook|apuntes|manuals?|handbuch|manuel|lehrbuch|"
    r"wikipedia|registry|(?:rfc|bip|eip)[ -]?[0-9]+|genesis|fictional|drama|fictici\w+|fictif\w*|fiktiv\w*|films?|movies?|pel[ií]culas?|pel·l[ií]cul\w+|filmes?|filmen|hollywood|luhn|checksums?|"
    r"m[oòó]dul[oe] ?[0-9]+|mod[ -]?[0-9]+|pr[uü]fziff\w+|d[ií]gitos? de control|check digit\w*|cl[eé] de luhn|validator|validador|validateur|placeholder\w*|dummy|mock\w*|fixtures?|insee)\b"
)


_OWN = late_re2(
    r"(?i)(?:\b(?:my|our|mi|mis|mon|ma|meu|minha|mein|meine|il mio|la mia|el meu|la meva|mijn)\s(?:[^\s\d]{1,20}\s){0,2}(?:[a-z]{2,14}|n[º°])(?:\s(?:number|no\.?|is|es|est|ist|é|è))?"
    r"|\b(?:call|text|ring|phone|reach|whatsapp) (?:me|us)(?: at| on)?|\b(?:ll[aá]ma|escr[ií]be)(?:me|nos)(?: al?)?|\bappelle[zr]?-(?:moi|nous)(?: au)?|\bchiama(?:mi|ci)(?: al)?|\brufen? sie mich(?: unter)?)\s?[:=]?\s?\(?\z"
)
"""What says whose the number behind it is: `my SSN is`, `mi DNI es`, `call me at`."""
_TRIED = late_re2(
    r"(?i)\b(?:tests?|testing|examples?|samples?|mock|dummy|fake|sandbox|prueba\w*|ejemplos?|exempl\w+|beispiel\w*|fictici\w+)\b"
)


class _Samples(msgspec.Struct, frozen=True):
    """Table of samples, as their letters and digits alone, in capitals, with the detectors for which they are some."""

    alone: Mapping[str, frozenset[str]]
    told: Mapping[str, frozenset[str]]
    lengths: tuple[int, ...]
    all: str  # one behind the other
    all_alone: str  # the same of those that need no word
    ranges: tuple[tuple[Any, frozenset[str]], ...]  # of RE2


@cache
def _samples() -> _Samples:
    data = tomllib.loads(files("gateway.privacy").joinpath("data/published_samples.toml").read_text("utf-8"))
    alone: dict[str, frozenset[str]] = {}
    told: dict[str, frozenset[str]] = {}
    for row in data["samples"]:
        kind = told if row.get("told", False) else alone
        for value in map(_bare, row.get("values", "").split()):
            kind[value] = kind.get(value, frozenset()) | frozenset(row["silences"])
    ranges = tuple(
        (re2.compile("|".join(row["ranges"])), frozenset(row["silences"])) for row in data["samples"] if "ranges" in row
    )
    lengths = tuple(sorted({len(value) for value in (*alone, *told)}))
    return _Samples(alone, told, lengths, "\n".join((*alone, *told)), "\n".join(alone), ranges)


def _bare(text: str) -> str:
    return _SIGNS.sub("", text).upper()


_SIGNS = late(r"[^0-9A-Za-z]+")


class Sought(msgspec.Struct, frozen=True):
    """What a hit would be found as."""

    detector: str
    category: str

    def silenced(self, by: Collection[str]) -> bool:
        """Tell whether a sample of these detectors and categories is no find of it."""
        return self.detector in by or self.category in by or self.category.partition(".")[0] in by


def is_published(text: str, start: int, end: int, sought: Sought) -> bool:
    """Tell whether a hit is a published sample, or a part of one, and no part of anything longer.

    Most hits are neither: their own digits and letters say so without a look at what stands around them.
    """
    samples = _samples()
    hit = _bare(text[start:end])
    if sought.silenced(samples.alone.get(hit, ())):
        return True
    if len(hit) >= _UNMISTAKABLE and hit in samples.all_alone:
        return any(hit in value and sought.silenced(by) for value, by in samples.alone.items())
    if len(hit) < _LEAST:  # a card's code counts as a sample beside its card alone
        told = sought.silenced(samples.told.get(hit, ())) and _is_told(text, start, end)
        return told and _beside_sample(samples, text, start, end)
    listed = hit in samples.all
    if not listed and not hit.isdecimal():
        return False
    if not (hit in samples.all_alone or _is_told(text, start, end)):
        return False
    found = _whole(samples, text, start, end, len(hit)) if listed else ""
    if found in samples.alone:
        return sought.silenced(samples.alone[found])
    known = sought.silenced(samples.told.get(found, ())) or _in_range(samples, text, start, end, sought)
    return known and _is_told(text, start, end)


def _is_told(text: str, start: int, end: int) -> bool:
    """Tell whether a word near a hit, in its line, speaks of samples, and none says whose it is."""
    first = word_start(text, max(text.rfind("\n", 0, start) + 1, start - _REACH))
    last = text.find("\n", end, end + _REACH)
    line = text[first : last if last >= 0 else end + _REACH]
    if _SAYS.search(line) is None:
        return False
    own = _OWN.search(text[first:start])
    return own is None or _TRIED.search(own[0]) is not None


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


def _in_range(samples: _Samples, text: str, start: int, end: int, sought: Sought) -> bool:
    begin = max(0, start - _AROUND)
    around = text[begin : end + _AROUND]
    spans = (
        match.span() for pattern, by in samples.ranges if sought.silenced(by) for match in pattern.finditer(around)
    )
    return any(
        begin + first <= start + 1 and end <= begin + last + 1 and _stands_free(text, begin + first, begin + last)
        for first, last in spans
    )


def _stands_free(text: str, start: int, end: int) -> bool:
    """Tell whether it is no part of a longer number or word."""
    return _GROWN.search(text, max(0, start - 2), start) is None and _GROWS.match(text, end) is None


_GROWN = late(r"[0-9A-Za-z]\Z|[0-9][ .-]\Z")
_GROWS = late(r"[0-9A-Za-z]|[ ./-][0-9]")

"""How a row of the tables becomes a detector: shape and words propose, the check of python-stdnum disposes. Pure.

A number counts where its word stands near and its check digits are right; written in a form that nothing else has, it
counts without a word. Where a number has no check digit, its word has to stand before it.
"""

import re
from functools import cache
from importlib import import_module
from re import Match, Pattern
from typing import Any

import msgspec

from gateway.privacy.detectors.detector import Check, Detector, measured, near, word_start, words
from gateway.privacy.detectors.word_patterns import BesideWords
from gateway.privacy.patterns import late

SEPARATOR = r"[ ./-]{0,3}"
BEGIN, END = r"(?<![A-Za-z0-9@])(?<![0-9][.,/-])", r"(?![A-Za-z0-9@]|[.,-][0-9])"
_SEPARATORS = late(r"[ ./-]+")
_CLASSES = {"D": "[0-9]", "L": "[A-Za-z]", "X": "[0-9A-Za-z]", "U": "(?-i:[0-9A-Z])"}
_TOKEN = late(r"([DLXU])([0-9]+)(?:-([0-9]+))?")
_SHORT_WORD = late(r"[A-Z]{2,6}!?")
_BESIDE, _BEHIND = 64, 32  # characters before and behind a number in which its word counts
_CLOSE = 40  # the same before a number that has no check digit


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of number that a country gives: a row of the tables.

    `shape` is a row of `D8` (eight digits), `D7-8`, `L2` (letters), `X3` (either), `U3` (digits and capitals) and
    literals, optional with a `?`; any separators may stand between. `words` are divided by `|`; a word in capitals is
    also found with dots (`C.P.F.`), and one that ends in `!` in capitals or before a sign, because it means something
    else in small letters (`PAN`, `SIN`).
    """

    module: str  # in python-stdnum: its country and name; where it has none, a name of the same form
    category: str
    shape: str
    words: str = ""
    alone: str = ""  # the spellings that count without a word
    led: bool = False  # its word has to stand before it: it has no check digit, or its word means more
    title: str = ""  # where python-stdnum has no module
    check: Check | None = None  # the same

    @property
    def name(self) -> str:
        """Return the name of the detector."""
        return self.module.replace("_", "").replace(".", "_")


def detector(number: Number) -> Detector:
    """Return the detector of a row."""
    proposals = [
        *map(_proposal, number.words.split("|") if number.words else ()),
        *((rf"(?i:\b(?:{_beginning(number.alone)}))",) if number.alone else ()),
    ]
    return Detector(
        name=number.name,
        category=number.category,
        pattern=BesideWords(
            f"(?i){BEGIN}(?=(?P<value>{_shape(number.shape)}){END})",
            "|".join(map(_word, number.words.split("|"))) if number.words else "",
            f"(?i){BEGIN}(?P<value>{number.alone}){END}" if number.alone else "",
            _REACH,
        ),
        proposal="|".join(proposals),
        hint=() if number.alone else tuple(hint for word in number.words.split("|") for hint in _hints(word)),
        source=number.title or f"python-stdnum {number.module}",
        check=lambda match: _holds(number, match),
        confidence=0.8 if number.led else 0.9,
        joins=bool(number.alone),
    )


def title(number: Number) -> str:
    """Return what a number is, in the words of python-stdnum."""
    said = number.title or (_module(number.module).__doc__ or "").strip().partition("\n")[0]
    return said.rstrip(". ")


def _holds(number: Number, match: Match[str]) -> bool:
    value = match["value"]
    if measured(match) or _masked(value):
        return False
    told = (
        number.alone
        and _compiled(number.alone).fullmatch(value) is not None
        and _compiled(f"(?:{_shape(number.shape)})").fullmatch(value) is not None
    )
    if not told and not _named(number, match):
        return False
    if number.check is not None:
        return number.check(match)
    module = _module(number.module)
    return bool(module.is_valid(value) or module.is_valid(_SEPARATORS.sub("", value)))


def _masked(value: str) -> bool:
    """Tell whether most of it is the letter X, as in a form that nobody filled in and in a pseudonym."""
    return 2 * value.upper().count("X") >= sum(map(str.isalnum, value))


def _named(number: Number, match: Match[str]) -> bool:
    if not number.words:
        return False
    if number.led:
        return _led(match, _words(number.words)) or _told_behind(match, _words(number.words))
    return near(match, _words(number.words), before=_BESIDE, after=_BEHIND)


def _led(match: Match[str], context: Pattern[str]) -> bool:
    """Tell whether the word stands right before it, with no other number between; a date is no such number."""
    start = match.start("value")
    if _DATE.fullmatch(match["value"]) is not None:
        return False
    begin = word_start(match.string, max(0, start - _CLOSE))
    lead = max((found.end() for found in context.finditer(match.string, begin, start)), default=-1)
    return lead >= 0 and not any(character.isdigit() for character in match.string[lead:start])


def _told_behind(match: Match[str], context: Pattern[str]) -> bool:
    """Tell whether the word stands behind it in brackets: `39053344705 (CPF)`."""
    bracket = _BRACKET.match(match.string, match.end("value"))
    return bracket is not None and context.match(match.string, bracket.end()) is not None


@cache
def _words(listed: str) -> Pattern[str]:
    return words("|".join(map(_word, listed.split("|"))))


def _word(word: str) -> str:
    """Return the expression of a word: whole, with or without its accents and dots."""
    exact = word.endswith("!")
    plain = word.removesuffix("!")
    if _SHORT_WORD.fullmatch(word):
        found = r"\.?".join(plain)
    else:
        found = "".join(f"(?:{c}|{_ACCENTS[c]})" if c in _ACCENTS else re.escape(c) for c in plain)
        found = found.replace(r"\ ", r"[\s_-]{1,2}")
    if not plain[0].isascii():
        return f"(?-i:{found})" if exact else found  # RE2 knows the edges of words in ASCII alone
    if exact:
        return rf"(?:\b|_)(?:(?-i:{found})(?:\b|_)|{found}{_SIGN})"
    return rf"(?:\b|_){found}" + (r"(?:\b|_)" if plain[-1].isascii() and plain[-1].isalnum() else "")


_BRACKET = late(r"[ \t]?[(\[]")
_SIGN = r"[\"']?\s?[:=#]"
_DATE = late(r"[0-9]{1,2}[ ./-][0-9]{1,2}[ ./-](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[ ./-][0-9]{1,2}[ ./-][0-9]{1,2}")
_ACCENTS = dict(zip("áàâãäéèêëíìîïóòôõöúùûüçñšž", "aaaaaeeeeiiiiooooouuuucnsz", strict=True))


def _proposal(word: str) -> str:
    """Return what Hyperscan looks for: the word, with and without its accents.

    Hyperscan knows no cases but those of ASCII.
    """
    plain = word.removesuffix("!")
    if not plain[0].isascii() or not plain[-1].isascii():
        return "|".join(map(re.escape, sorted({plain, plain.lower(), plain.upper(), plain.capitalize()})))
    if _SHORT_WORD.fullmatch(word):
        found = r"\.?".join(plain)
    else:
        found = "".join(map(_spellings, plain)).replace(r"\ ", r"[\s_-]{1,2}")
    if word.endswith("!"):
        return rf"(?:\b|_){found}(?:\b|_)|(?i:(?:\b|_){found}{_SIGN})"
    return rf"(?i:(?:\b|_){found}" + (r"(?:\b|_))" if plain[-1].isalnum() else ")")


def _spellings(character: str) -> str:
    """Return a letter, in both cases and without its accent where it has one."""
    if character.isascii():
        return re.escape(character)
    return "(?:" + "|".join(dict.fromkeys((character, character.upper(), _ACCENTS.get(character, character)))) + ")"


def _hints(word: str) -> tuple[str, ...]:
    """Return what a text in small letters holds wherever it has the word."""
    plain = word.removesuffix("!").lower()
    if _SHORT_WORD.fullmatch(word):
        return plain, ".".join(plain)
    runs = [run for run in re.split(r"[^a-z0-9]+", plain) if len(run) >= _LEAST]
    return (max(runs, key=len),) if runs else (plain,)


_LEAST = 3  # letters of a part of a word that are worth looking for


def _shape(shape: str) -> str:
    """Return the expression of a shape."""
    built = ""
    for token in shape.split():
        found = _TOKEN.fullmatch(token.removesuffix("?"))
        if found is not None:
            kind, least, most = _CLASSES[found[1]], int(found[2]), int(found[3] or found[2])
            part = kind + (f"(?:{SEPARATOR}{kind}){{{least - 1},{most - 1}}}" if most > 1 else "")
        else:
            part = token.removesuffix("?")
        if not token.endswith("?"):
            built += (SEPARATOR if built and not built.endswith(_LED) else "") + part
        else:
            built += f"(?:{SEPARATOR}{part})?" if built and not built.endswith(_LED) else f"(?:{part}{_LED}"
    return built


_LED = f"{SEPARATOR})?"


def _beginning(alone: str) -> str:
    """Return a short beginning of an expression, because a longer one takes Hyperscan more time to search for."""
    if re.sub(r"\(\?:[^()]*\)|\[[^\]]*\]", "", alone).count("|"):
        return alone
    least, kept = 0, ""
    for atom in _ATOM.finditer(alone):
        kept += atom[0]
        count = atom["count"] or ""
        least += 0 if count == "?" else int(re.split("[{,}]", count)[1]) if count else 1
        if least >= _TELLING:
            break
    return kept if "[0-9]" in kept else rf"{alone}\b"


_ATOM = late(r"(?:\[[^\]]*\]|\\.|\(\?:[^()]*\)|[^\[\]\\(){}?])(?P<count>\{[0-9,]+\}|\?)?")
_TELLING = 8  # characters
_REACH = 110  # characters on both sides of a word: the distance in which it counts, and the number itself


@cache
def _compiled(pattern: str) -> Pattern[str]:
    return late(pattern, re.IGNORECASE | re.ASCII)


@cache
def _module(name: str) -> Any:
    return import_module(f"stdnum.{name}")

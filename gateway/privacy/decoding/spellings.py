"""Numbers, letters and addresses as people say them: "seis uno dos", "ana (at) gil (dot) es". Pure.

Digits and numbers below a thousand in Spanish, English, Portuguese, French, German, Italian, Catalan and Dutch.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from re import Match
from typing import Any

import re2 as untyped_re2

from gateway.privacy.decoding.asked import number_asked, secret_asked
from gateway.privacy.decoding.budget import UNREADABLE, Decoding
from gateway.privacy.decoding.number_words import (
    BY_NAME,
    HUNDREDS,
    NAMED,
    NOTHING,
    PHONETIC,
    PLUS,
    TEENS,
    TENS,
    TIMES,
    UNITS,
)
from gateway.privacy.patterns import late, late_re2

re2: Any = untyped_re2  # the package has no types

_LEAST_DIGITS = 6
_STEP = 3  # by which people count at most
_LEAST_WORDS = 4  # that say a number


def _plain(word: str) -> str:
    """Return a word without accents, in small letters."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFD", word.lower().replace("ß", "ss"))
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")


def _numbers() -> Iterator[tuple[str, int]]:
    """Yield each single word with its number; what is said in several words is put together by `_read`."""
    for words in UNITS:
        yield from ((word, number) for number, word in enumerate(words.split()))
    for words in TEENS:
        yield from ((word, number) for number, word in enumerate(words.split(), 10))
    for words in TENS:
        yield from ((word, 10 * ten) for ten, word in enumerate(words.split(), 2))
    for words in HUNDREDS:
        yield from ((word, 100 * hundred) for hundred, word in enumerate(words.split(), 1))
    for ten, word in enumerate(TENS[5].split(), 2):
        for unit, said in enumerate(UNITS[5].split()[1:], 1):
            yield (word[:-1] if unit in (1, 8) else word) + said, 10 * ten + unit
    for ten, word in enumerate(TENS[4].split(), 2):
        units = ("ein", *UNITS[4].split()[2:])
        yield from ((f"{said}und{word}", 10 * ten + unit) for unit, said in enumerate(units, 1))
    yield from ((f"veinti{said}", 20 + unit) for unit, said in enumerate(UNITS[0].split()) if unit)


_VALUES = {_plain(word): number for word, number in _numbers() if word != "_"}
_NAMES = {_plain(word): word[0].upper() for word in BY_NAME.split()}
_LETTERS = _NAMES | {_plain(word): word[0].upper() for word in PHONETIC.split()}
_SIGN_OF = {_plain(word): "+" for word in PLUS.split()} | {"+": "+"}
_SKIPPED = frozenset(map(_plain, NOTHING.split()))
_JOINS = frozenset(("y", "e", "et", "i", "und", "and"))
_HUNDRED = frozenset(("hundred", "cent", "cents", "hundert"))
_THOUSAND = dict.fromkeys(("mil", "thousand", "mille", "mila", "tausend", "duizend"), 1_000) | dict.fromkeys(
    ("millon", "millones", "million", "millions", "milhao", "milhoes", "milione", "milioni", "millionen", "miljoen", "milio", "milions"), 1_000_000
)  # fmt: skip
_CATALAN_ONE = "u"
_LONE = frozenset("bcdfghjklmnpqrstvwxz")  # letters that are no word by themselves

_WORD = late(r"[^\W\d_]{1,24}|[0-9]{1,4}|\+")
_GAP = late(r"[ \t\r\n,.;:/_\u2013\u2014·-]{0,3}")
_SPAN = late(r".+", re.DOTALL)


class Spelled:
    """Pattern for runs of words that spell digits and letters; yields matches like a compiled expression."""

    def __init__(self, trigger: str) -> None:
        self._close = re2.compile(trigger)

    def finditer(self, text: str) -> Iterator[Match[str]]:
        """Yield each run that says at least four numbers, from its first word to its last."""
        for first, last in _places(self._close, text):
            yield from _runs(text, first, last)


def _places(close: Any, text: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text number words stand close together, with what is around them."""
    first = last = 0
    for match in close.finditer(text):
        begin = max(0, text.rfind(" ", 0, max(0, match.start() - _AROUND)))
        if begin > last and last:
            yield first, last
            last = 0
        first, last = (first if last else begin), match.end() + _AROUND
    if last:
        yield first, min(last, len(text))


def _runs(text: str, first: int, last: int) -> Iterator[Match[str]]:
    begin = end = values = 0
    for word in _WORD.finditer(text, first, last):
        kind = _kind(word[0])
        if end and not (kind and _GAP.fullmatch(text, end, word.start())):
            yield from _run(text, begin, end, values)
            end = values = 0
        if kind == 0 or (kind == _FILLER and not end):
            continue
        begin = begin if end else word.start()
        values += kind == _SAYS
        end = word.end()
    yield from _run(text, begin, end, values)


_FILLER, _LETTER, _SAYS = 1, 2, 3


def _kind(word: str) -> int:
    """Return what a word may be in such a run; 0: it ends one."""
    if len(word) == 1:
        if word.isdecimal() or word == _CATALAN_ONE:
            return _SAYS
        return _LETTER if word.isupper() or word in _LONE or word == "+" else _FILLER if word in _JOINS else 0
    if word.isdecimal():
        return _SAYS
    plain = _plain(word)
    if plain in _VALUES or plain in _HUNDRED or plain in _THOUSAND:
        return _SAYS
    if plain in _LETTERS or plain in _SIGN_OF or plain in NAMED:
        return _LETTER
    return _LETTER if plain in TIMES else _FILLER if plain in _SKIPPED else 0


def _run(text: str, begin: int, end: int, values: int) -> Iterator[Match[str]]:
    said = text[begin:end]
    if values < _LEAST_WORDS and values >= _LEAST_BESIDE_NAMES and _by_name(said) >= _LEAST_NAMES:
        values = _LEAST_WORDS
    if values >= _LEAST_WORDS and not text[begin:end].replace(" ", "").isdecimal():
        match = _SPAN.match(text, begin, end)
        if match is not None:
            yield match


def _by_name(said: str) -> int:
    """Return how many words of a run stand for a letter by their name, as in the alphabets of NATO and of cities."""
    return sum(_plain(word) in _LETTERS for word in _WORD.findall(said))


_LEAST_BESIDE_NAMES, _LEAST_NAMES = 2, 3  # numbers and names in what spells a plate or a password


def _bytes(word: str) -> str:
    """Return a word as the pass over a text looks for it: any letter may stand for one with an accent."""
    return re.sub(r"[^a-z]", r"\\S\\S?", word)


def _any_of(*lists: str) -> str:
    return "|".join(sorted({_bytes(word.lower()) for words in lists for word in words.split() if len(word) > 1}))


_NATO = _any_of(PHONETIC, BY_NAME)
_SINGLE = _any_of(*UNITS[:-1], *TEENS, *TENS, *HUNDREDS, "thousand mil tausend")
_POLISH = _any_of(UNITS[-1])
_JOINED = (
    rf"(?:{_any_of('ein ' + UNITS[4])})und(?:{_any_of(TENS[4])})"
    rf"|(?:veint|vent|trent|quarant|cinquant|sessant|settant|ottant|novant)[ai]?(?:{_any_of(UNITS[0], UNITS[5])})"
)
_OTHER = "[^a-z0-9][^a-z0-9]?[^a-z0-9]?"  # Hyperscan takes little more than this in one expression: no counts here
_NEXT = rf"{_OTHER}(?:[a-z0-9]{{1,8}}{_OTHER})?"
SPELLED_TRIGGER = (
    rf"(?i)\b(?:{_SINGLE}){_NEXT}(?:{_SINGLE}){_NEXT}(?:{_SINGLE})\b|(?:{_JOINED}){_OTHER}(?:{_JOINED}|{_SINGLE})"
)
# Hyperscan takes no more in the expression above
LETTERED_TRIGGER = (
    rf"(?i)\b(?:{_NATO})[^a-z0-9][^a-z0-9]?(?:{_NATO})\b|\b(?:{_POLISH}){_OTHER}(?:{_POLISH}){_OTHER}(?:{_POLISH})"
)
SPELLED, LETTERED = Spelled(SPELLED_TRIGGER), Spelled(LETTERED_TRIGGER)
_AROUND = 200  # characters


def unspell(match: Match[str], decoding: Decoding) -> str:
    """Return the digits and letters that words stand for, or the words, where they are few or count up or down."""
    decoding.spend(len(match[0]))
    told = _read([(word[0], _plain(word[0])) for word in _WORD.finditer(match[0])])
    joined = "".join(told)
    if _by_name(match[0]) >= _LEAST_NAMES:
        return _by_names(match, joined, decoding)
    least = _LEAST_DIGITS
    if _CODE.search(match.string, max(0, match.start() - _BEFORE), match.start()):
        least = _LEAST_OF_CODE
    if sum(map(str.isdecimal, joined)) < least or _counts(told):
        return match[0]
    return number_asked(match.string, match.start(), joined)


def _by_names(match: Match[str], joined: str, decoding: Decoding) -> str:
    """Return letters and digits that were told by name; what asks for a plate or a code with them is a doubt."""
    digits = sum(map(str.isdecimal, joined))
    if _SPELLS.search(match.string, max(0, match.start() - _BEFORE), match.start()):
        named = secret_asked(match.string, match.start(), match.start(), joined, apart=True)
        if named == joined and digits:
            decoding.doubt(UNREADABLE)
        return named
    return joined if digits >= _LEAST_DIGITS else match[0]


_SPELLS = late(
    r"(?i)\b(?:plate|registration|number plate|matr[ií]cula|kennzeichen|targa|plaque|immatriculation|kenteken|placa|pass\w*|clave|contrase\S*|senha|kennwort|wachtwoord|"
    r"mot de passe|codice fiscale|postcode|licen[cs]e|dni|nie|nif|iban|account|cuenta|conto|konto|compte|code|c[oó]digo|booking|locator|localizador|letter by letter|lettera per lettera|letra por letra)\b"
)
_LEAST_OF_CODE = 4
_CODE = late(
    r"(?i)\b(?:code|c[oó]digo|codi|codice|clave|pin|contrase\S*|password|passcode|combina\w+|geheimzahl|toegangscode|senha)\b"
)


def _read(words: list[tuple[str, str]]) -> list[str]:
    """Return the digits and letters of each word or group of words (`treinta y cuatro`, `quatre-vingt-dix`)."""
    told: list[str] = []
    times, at = 1, 0
    while at < len(words):
        word, plain = words[at]
        at += 1
        if plain in TIMES:
            times = TIMES[plain]
            continue
        if plain in _THOUSAND or (plain in _VALUES and (len(plain) > 1 or word == _CATALAN_ONE)):
            number, at = _large(words, at - 1)
            told.append(str(number) * times)
        elif plain in _LETTERS or plain in NAMED or plain in _SIGN_OF:
            told.append((_LETTERS.get(plain) or NAMED.get(plain) or "+") * times)
        elif word.isdecimal() or (len(word) == 1 and (plain not in _JOINS or word.isupper())):
            told.append(word.upper() * times)
        times = 1
    return told


def _large(words: list[tuple[str, str]], at: int) -> tuple[int, int]:
    """Return the number that begins at a word, with its thousands and millions, and where the next one begins."""
    total, least = 0, 1_000_000_000
    while at < len(words):
        before = at
        if words[at][1] in _THOUSAND:
            value = 1
        elif words[at][1] in _VALUES:
            value, at = _number(words, at)
        else:
            break
        scale = _THOUSAND.get(words[at][1], 1) if at < len(words) else 1
        if total and (scale >= least or value >= _LARGEST):
            return total, before
        if scale == 1:
            return total + value, at
        total, least, at = total + value * scale, scale, at + 1
        at += at + 1 < len(words) and words[at][1] in _JOINS and words[at + 1][1] in _VALUES
    return total, at


_LARGEST = 1_000  # below which a group of digits is


def _number(words: list[tuple[str, str]], at: int) -> tuple[int, int]:
    """Return the number that begins at a word, and where the next one begins."""
    value = _VALUES[words[at][1]]
    at += 1
    if value == 4 and words[at : at + 1] and words[at][1] in ("vingt", "vingts"):
        value, at = 80, at + 1
    if value < 10 and words[at : at + 1] and words[at][1] in _HUNDRED:
        value, at = value * 100, at + 1
    if words[at - 1][1] == "dix" and words[at : at + 1] and _VALUES.get(words[at][1], 0) in (7, 8, 9):
        return 10 + _VALUES[words[at][1]], at + 1
    if value < 20 or (value < 100 and value % 10):
        return value, at
    after = at + (words[at : at + 1] != [] and words[at][1] in _JOINS)
    following = _VALUES.get(words[after][1], 0) if after < len(words) else 0
    if 0 < following < (100 if value >= 100 else 20 if value in (60, 80) else 10):
        rest, at = _number(words, after)
        return value + rest, at
    return value, at


def _counts(told: list[str]) -> bool:
    """Tell whether numbers go up or down by one, as in counting."""
    numbers = [int(part) for part in told if part.isdecimal()]
    steps = [second - first for first, second in pairwise(numbers)]
    return len(numbers) == len(told) and steps != [] and set(steps) <= {steps[0]} and abs(steps[0]) < _STEP


_AT_WORDS = r"at|arroba|arrova|arobase|arrobase|chiocciola|klammeraffe|ät|@"
_DOT_WORDS = r"dot|punto|ponto|point|punkt|punt|\."
_SAID_AT = rf"(?:\s?[(\[{{<]\s?(?:{_AT_WORDS})\s?[)\]}}>]\s?|\s(?:{_AT_WORDS})\s|_at_)"
_AT = rf"(?:{_SAID_AT}|@)"
_DOT = rf"(?:\s?[(\[{{<]\s?(?:{_DOT_WORDS})\s?[)\]}}>]\s?|\s(?:{_DOT_WORDS})\s|_dot_|\.)"
MAIL = late_re2(
    rf"(?i)\b[a-z0-9][a-z0-9+-]{{0,40}}(?:(?:{_DOT}|_)[a-z0-9+-]{{1,40}}){{0,4}}{_AT}[a-z0-9-]{{1,60}}(?:{_DOT}[a-z0-9-]{{1,40}}){{0,3}}{_DOT}[a-z]{{2,12}}\b"
)
_DOT_SAID = r"(?:dot|punto|ponto|point|punkt|punt)"
MAIL_TRIGGER = (
    rf"(?i)[a-z0-9](?:\s?[(\[{{<]\s?(?:at|arroba|arrova|arr?obase|chiocciola|klammeraffe|@|[\x80-\xff]{{2}}t)\s?[)\]}}>]|\s(?:arroba|arrova|arr?obase|chiocciola|klammeraffe)\s|_at_)"
    rf"|[a-z0-9](?:\s(?:at|@)\s|@)[a-z0-9-]+(?:\s{_DOT_SAID}\s|\s\.\s|\s?[(\[{{<]\s?(?:{_DOT_SAID}|\.))|[a-z0-9]\sAT\s[a-z0-9-]+\."
)
_AT_SIGN, _DOT_SIGN = late_re2(f"(?i){_AT}"), late_re2(f"(?i){_DOT}")
_PLAIN_AT = late_re2(r"(?i)[a-z]\s(?:at|point)\s")
_ASKS = late(
    r"(?i)mail|corr?eo|escr[ií]|escrev|[ée]cri|scriv|schreib|write|contact|kontakt|reach|send|address|adres|env[ií]"
)
_BEFORE = 60
_SAYS_DOT = late_re2(
    rf"(?i)\s(?:{_DOT_WORDS})\s|[(\[{{<]\s?(?:{_AT_WORDS}|{_DOT_WORDS})|_at_|\s(?:arroba|arrova|arr?obase|chiocciola|klammeraffe)\s|(?-i:\sAT\s)"
)


def unmail(match: Match[str], decoding: Decoding) -> str:
    """Return the address that somebody says or hides from programs that collect them."""
    decoding.spend(0)
    if _SAYS_DOT.search(match[0]) is None:
        return match[0]  # "at example.com", in a sentence
    local = match[0][: _AT_SIGN.search(match[0]).start()]
    before = match.string[max(0, match.start() - _BEFORE) : match.start()]
    if _PLAIN_AT.search(match[0]) and local.isalpha() and before.strip() and not _ASKS.search(before):
        return match[0]  # "we met at example dot com"
    return str(_DOT_SIGN.sub(".", _AT_SIGN.sub("@", match[0])))

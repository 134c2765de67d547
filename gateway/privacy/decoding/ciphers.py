"""What is turned letter by letter: Morse, and text beside a word that says how it was turned. Pure and bounded.

Backwards, ROT13, ROT47, Caesar's shift and Atbash are read where the text names them: without that word, any text
would have to be read in dozens of ways.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from collections.abc import Iterator
from functools import partial
from re import Match

from gateway.privacy.decoding.asked import secret_asked
from gateway.privacy.decoding.budget import Decoding, DecodingLimit
from gateway.privacy.patterns import late, late_re2

_CODES = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. ----- .---- "
    "..--- ...-- ....- ..... -.... --... ---.. ----. .--.-. .-.-.- -....- ..--.- -..-. .-.-. --..-- ..--.. -.-.-- ---... -...- "
    ".----. .-..-. --.--"
)
_MORSE = dict(zip(_CODES.split(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@.-_/+,?!:='\"Ñ", strict=True))  # ITU-R M.1677
_SIGN = r"[.\-_·•\u2212\u2013\u2014]"
MORSE = late(rf"(?<![^\s\"'`(:=]){_SIGN}{{1,6}}(?:[ \t\r\n/|,]{{1,3}}{_SIGN}{{1,6}}){{5,4096}}(?![^\W_])")
MORSE_TRIGGER = r"(?:[.\-_\x80-\xff]{1,18}[ \t\r\n/|,]{1,3}){5}[.\-_\x80-\xff]"
_AS_ASCII = str.maketrans("·•\u2212\u2013\u2014_", "..----")
_WORD_GAP = late(r"\s*/\s+|\s+/\s*|\s{3}|[|]\s*|\r?\n|/{2,}")

_HINT = (
    r"rot-?\s?(?:13|47)|c[eéa]sar|caesar|atbash|revers(?:ed?|o|a)?(?:[^A-Za-z0-9_(=.\[]|$)|backward|al rev[eé]s|invertid|invers|r[uü]ckw[aä]rts|l'envers|"
    r"al contrari|rovesci|de tr[aá]s|mirror(?:ed|ing)|in (?:the |a )?mirror|mirror (?:writ|text|image)|espejo|rightto ?left"
)
TURNED_TRIGGER = rf"(?i)(?:{_HINT})"
_HINTS = late_re2(TURNED_TRIGGER)
_NEAR = 120  # characters between a text and the word that says how it was turned
_MOST_HINTS = 200
_WINDOW = late(r".+", re.DOTALL)


class Turned:
    """Pattern for the text around words such as "rot13" or "reversed"; yields matches like a compiled expression."""

    def finditer(self, text: str) -> Iterator[Match[str]]:
        """Yield the surroundings of each such word, of words close to each other once.

        Raises:
            DecodingLimit: There are more such words than a text has that means them.
        """
        begin = end = 0
        for number, hint in enumerate(_HINTS.finditer(text)):
            if number == _MOST_HINTS:
                raise DecodingLimit
            first, last = _whole_words(text, hint.start(), hint.end())
            if first > end or not end:
                yield from _window(text, begin, end)
                begin = first
            end = last
        yield from _window(text, begin, end)


TURNED = Turned()


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the surroundings of a place, not from and to inside a word of ordinary length."""
    first = max(text.rfind(" ", 0, max(0, start - _NEAR)), text.rfind("\n", 0, max(0, start - _NEAR))) + 1
    behind = [at for at in (text.find(" ", end + _NEAR), text.find("\n", end + _NEAR)) if at >= 0]
    last = min(behind, default=len(text))
    return max(first, start - 3 * _NEAR), min(last, end + 3 * _NEAR)


def _window(text: str, begin: int, end: int) -> Iterator[Match[str]]:
    match = _WINDOW.match(text, begin, end) if end else None
    if match is not None and _TURNABLE.search(match[0]):
        yield match


_TURNABLE = late(
    r"[0-9](?:[^\n]{0,3}[0-9]){3}|@|=[A-Za-z0-9+/]|[^\s]{16}|[^\s]{0,20}[A-Za-z][0-9][A-Za-z][^\s]{7}|(?i:rot-?\s?(?:13|47)|atbash|c[eé]sar|caesar)|[^\s]{2}[!#$%&*+<>?^][^\s]{3}"
)
_VALUE = late(r"(?<!\S)[^\s]*[0-9@=][^\s]*(?: [^\s]*[0-9@][^\s]*){0,7}|(?<!\S)[^\s]{10,}")
_PUNCTUATION = "\"'`«»“”.,;:()[]{}"
_SHIFT = late(r"(?<![0-9])(?:2[0-5]|1[0-9]|[1-9])(?![0-9])")


def unmorse(match: Match[str], decoding: Decoding) -> str:
    """Return what dots and dashes say, or the signs themselves: rulers, tables and lists are made of them, too."""
    decoding.spend(0)
    signs = match[0].translate(_AS_ASCII)
    if len(set(signs.split())) < 3 and len(set(signs.split("/"))) < 3:
        return match[0]
    words = [
        [_MORSE.get(code) for code in re.split(r"[\s/|,]+", word) if code] for word in _WORD_GAP.split(signs) if word
    ]
    letters = [letter for word in words for letter in word]
    if None in letters or len(set(letters)) < 4:
        return match[0]
    return " ".join("".join(letter or "" for letter in word) for word in words)


def unturn(match: Match[str], decoding: Decoding) -> str:
    """Return a text with what is beside a hint turned back: each value in its place, and the whole text behind it."""
    ways = {way for hint in _HINTS.finditer(match[0]) for way in _ways(hint[0].lower(), match[0])}
    decoding.spend(len(match[0]) * 2 * len(ways))
    readings: list[str] = []
    for way in sorted(ways):
        readings.append(_VALUE.sub(partial(_turned, way=way), match[0]))
        readings.append(_turn(match[0], way))
    return " \n ".join(readings)


def _ways(hint: str, around: str) -> list[int]:
    """Return the ways that a hint may mean: -1 backwards, -2 Atbash, 47 for ROT47, else the letters of a shift."""
    if hint.startswith("rot"):
        return [47] if hint.endswith("47") else [13]
    if hint.startswith(("césar", "cesar", "caesar")):
        told = {int(number) for number in _SHIFT.findall(around)}
        return sorted(26 - shift for shift in (told or range(1, 26)))
    return [-2] if hint == "atbash" else [-1]


def _turned(value: Match[str], way: int) -> str:
    return secret_asked(value.string, value.start(), value.end(), _turn(value[0], way))


def _turn(text: str, way: int) -> str:
    if way == -1:
        bare = text.strip(_PUNCTUATION)
        return text.replace(bare, bare[::-1], 1) if bare else text
    return text.translate(_tables(way))


def _tables(way: int) -> dict[int, int]:
    if way == 47:
        return {33 + number: 33 + (number + 47) % 94 for number in range(94)}
    return {base + at: base + (25 - at if way == -2 else (at + way) % 26) for base in (65, 97) for at in range(26)}

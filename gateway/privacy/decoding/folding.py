"""Characters as a person reads them: look-alikes, foreign digits, invisible ones, and what is written in these. Pure.

Text can be hidden in characters that nobody sees: Unicode's tags, which repeat ASCII; variation selectors, which can
stand for the 256 bytes; and two kinds of zero-width characters, which can stand for bits.
"""

import unicodedata
from re import Match

from gateway.privacy.decoding.asked import number_asked
from gateway.privacy.decoding.budget import UNREADABLE, Decoding
from gateway.privacy.decoding.charsets import as_text
from gateway.privacy.patterns import late

FOREIGN = late("[^\u0000-\u007f\u00a1-\u00ac\u00ae-\u00b1\u00b4-\u00b8\u00ba-\u00ff\u2018-\u201f\u2026\u20ac]+")
_CONFUSABLE = dict(
    zip(
        "АВСЕНІКМОРТХҮаеорсухіјѕԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧορνℓ‐‑‒–—−―․⁄∕∶꞉＠·‧",
        "ABCEHIKMOPTXYaeopcyxijsdqwABEZHIKMNOPTYXopvl-------.//::@..",
        strict=True,
    )
)
_TAGS = range(0xE0020, 0xE007F)
_TAGGED = late("[\U000e0020-\U000e007e]{8,}")
_SELECTORS = late("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{6,}")
_BITS = late("[\u200b-\u200d\u2060-\u2064\ufeff]{40,}")
_HAN_DIGITS = "〇一二三四五六七八九"
_HAN_NUMBER = late(f"[{_HAN_DIGITS}零]{{6,}}")
_HAN = str.maketrans(_HAN_DIGITS + "零", "01234567890")
_LEAST_BYTES = 5


class _Folding(dict[int, str]):
    """Table of how a person reads each character; filled as characters come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            folded = str(digit)
        elif character in _CONFUSABLE:
            folded = _CONFUSABLE[character]
        elif code in _TAGS:
            folded = chr(code - 0xE0000)
        elif unicodedata.category(character) in ("Cf", "Mn", "Me", "Cc") or character in "\u115f\u1160\u3164\uffa0":
            folded = "" if code > 0x1F else character
        else:
            folded = "".join(_CONFUSABLE.get(part, part) for part in unicodedata.normalize("NFKC", character))
        if len(self) < 70_000:
            self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(match: Match[str], decoding: Decoding) -> str:
    """Return a run of characters as a person reads them, and what is hidden in those that nobody sees."""
    found = match[0]
    if len(found) >= _LEAST_BYTES:
        found = _SELECTORS.sub(lambda run: _of_selectors(run[0]), found)
        found = _BITS.sub(lambda run: _of_bits(run[0], decoding), found)
        if _TAGGED.search(found):
            decoding.doubt(UNREADABLE)  # nobody writes so for another reason than to hide it
        found = _TAGGED.sub(lambda run: f" {run[0]} ", found)
        found = _HAN_NUMBER.sub(lambda run: run[0].translate(_HAN), found)
    folded = found.translate(_FOLDING)
    return number_asked(match.string, match.start(), folded) if folded.isdecimal() else folded


def _of_selectors(run: str) -> str:
    """Return the text of which each byte is a variation selector."""
    data = bytes(code - 0xFE00 if (code := ord(mark)) < 0x10000 else code - 0xE0100 + 16 for mark in run)
    text = as_text(data)
    return f" {text} " if text is not None else run


def _of_bits(run: str, decoding: Decoding) -> str:
    """Return the text whose bits are two kinds of invisible characters; what can't be read is a doubt."""
    marks = sorted(set(run))
    if len(marks) < 2:
        return run
    readings = len(marks) * (len(marks) - 1)
    if readings > _MOST_READINGS:
        decoding.doubt(UNREADABLE)
        return run
    decoding.spend(readings * len(run))
    for bits in _readings(run, marks):
        for width in (8, 7):
            usable = bits[: len(bits) // width * width]
            data = bytes(int(usable[at : at + width], 2) for at in range(0, len(usable), width))
            text = as_text(data)
            if text is not None and text.isascii():
                return f" {text} "
    decoding.doubt(UNREADABLE)
    return run


_MOST_READINGS = 6  # of three kinds of marks: with more of them nobody could tell which is what


def _readings(run: str, marks: list[str]) -> list[str]:
    """Return the bits that a run may stand for: either of two marks is the zero; a third divides."""
    return [
        run.translate({ord(zero): "0", ord(one): "1", **{ord(mark): None for mark in marks if mark not in (zero, one)}})
        for zero in marks
        for one in marks
        if zero != one
    ]

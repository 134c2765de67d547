"""Bytes in other forms than base64: numbers in a list, bits, uuencode, Ascii85 and base85. Pure, bounded."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import base64
import binascii
import re
from re import Match

from gateway.privacy.decoding.asked import number_asked, secret_asked
from gateway.privacy.decoding.budget import UNREADABLE, Decoding, DecodingLimit
from gateway.privacy.decoding.contents import said
from gateway.privacy.decoding.public_bytes import DIGESTS
from gateway.privacy.patterns import late

NUMBERS = late(
    r"(?<![\w.-])-?[0-9]{1,3}(?:(?:\s{0,20}[,;]\s{0,20}|\s)-?[0-9]{1,3}){7,16384}(?![\w.-])"
    r"|(?<![\w./:-])[0-9]{2,3}(?P<gap>[-/|:._])[0-9]{2,3}(?:(?P=gap)[0-9]{2,3}){6,4096}(?![\w./:-])"
)
OCTETS = late(
    r"(?<![01])(?:[01]{8}(?:[\s,]{0,3}[01]{8}){3,16384}|[01]{4}(?:[ ,]{1,2}[01]{4}){3,19}|[01]{7}(?:[\s,]{1,3}[01]{7}){5,16384})(?![01])"
)
_CODE = (
    r"(?:(?:[A-Za-z]{1,8}\.)?(?:chr|char|nchar|unichr|chrw|chr\$|ord|fromCharCode|fromCodePoint)\s?\(\s?(?:0x)?[0-9A-Fa-f]{2,6}\s?\)"
    r"|U\+[0-9A-Fa-f]{4,6}|0x[0-9A-Fa-f]{2,4}|\\[0-7]{3}|\\u[0-9A-Fa-f]{4}|&#(?:[0-9]{2,6}|[xX][0-9A-Fa-f]{2,5});?)"
)
CODES = late(rf"(?i){_CODE}(?:[\s+|&.,;-]{{0,5}}{_CODE}){{4,4096}}")
CODES_TRIGGER = (
    r"(?i)(?:chr|char|chrw|ord|fromCharCode|fromCodePoint)\$?\s?\(\s?(?:0x)?[0-9a-f]+[\s)]|U\+[0-9a-f]{4}[^0-9a-f]+U\+"
    r"|0x[0-9a-f]{2}[\s,;+|&]+0x[0-9a-f]{2}[\s,;+|&]+0x|\\u?[0-9a-f]{3,4}[\s+|&.,]+\\|(?:\\[0-7]{3}){5}|&#x?[0-9a-f]{2,5}(?:[^0-9a-f;]|;[\s+|,.-])"
)
NUMBERS_TRIGGER = r"[0-9](?:(?:\s{0,20}[,;]\s{0,20}|\s)-?[0-9]{1,3}){7}|[0-9]{2}(?:[-/|:._][0-9]{2,3}){7}"
OCTETS_TRIGGER = r"[01]{8}(?:[\s,]{0,3}[01]{8}){3}|[01]{4}(?:[ ,]{1,2}[01]{4}){3}|[01]{7}(?:[\s,]{1,3}[01]{7}){5}"
_ONE_CODE = late(r"(?i)(0x|U\+|\\u|&#x|\\)?([0-9A-Fa-f]{2,6})(?=[\s();+|&.,-]|\Z|0x|U\+|\\|&#)")
UUENCODED = late(
    r"begin [0-7]{3,4} [^\n]{1,200}\n(?>[ -`]{1,61}[ \t]{0,3}\r?\n){1,400000}?(?:end\b|\Z)"
    r"|(?:^M[ -`]{60}\r?\n)+[ -`]{2,61}",
    re.MULTILINE,
)
BASE85 = late(
    r"<~[!-uz\s]{5,}?~>|(?<![^\s\"'`:=(>])(?:[!-~]{20,}"
    r"|[A-Za-z](?=[0-9A-Za-z]{0,17}[!#$%&*+;<=>?@^{|}~])[!-~]{4}[A-Za-z][0-9A-Za-z!#$%&()*+;<=>?@^_{|}~`-]{4,13}(?![!-~]))"
)
BASE85_TRIGGER = r"<~[!-uz\s]{5}|[!-~]{20}|[A-Za-z][!-~]{4}[A-Za-z][!-~]{0,8}[!#$%&*+;<=>?@^{|}~]|[A-Za-z][!-~]{0,3}[!#$%&*+;<=>?@^{|}~][!-~]{0,3}[A-Za-z][!-~]{4}"
_Z85 = str.maketrans(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
)  # ZeroMQ's alphabet (RFC 32/Z85) in that of RFC 1924
_Z85_HEADS = frozenset("abcdefghijklmnopqrstuvwxyzABCDE")
_Z85_WORD = late(r"(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=.*[!#$%&*+^=/?:-])[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]+")
_NUMBER = late(r"-?[0-9]+")
_OPENINGS = late(r"<~|[\"'`:=(>]")
_ALPHABET = late(r"[0-9A-Za-z!#$%&()*+\-;<=>?@^_`{|}~]+")
_LONG_WORD = 80
_SHORT_WORD = 20  # characters below which all groups have to begin as those of text do
_SEVEN = 7  # bits of a character of ASCII
_LONGEST = 1_000_000  # characters of base85, which is read a letter at a time
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_HEADS = frozenset(_LETTERS[10:41])  # of groups whose first byte is printable ASCII: 0x20 to 0x7e, divided by 85⁴/2²⁴
_ASCII85_HEADS = frozenset(chr(33 + number) for number in range(10, 41))
_PACKED = tuple(
    encode(magic + b"\0" * (-len(magic) % 4))[: len(magic)].decode()
    for magic in (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ", b"PK\x03\x04")
    for encode in (base64.b85encode, base64.a85encode)
)
_LOOK = 4_096  # numbers between two looks at the clock
_MANY = 64  # numbers from which a list that is as mixed as packed bytes is a doubt


def bytes_of(numbers: list[int]) -> bytes | None:
    """Return the bytes that numbers stand for, signed or not; None: they are no bytes."""
    if min(numbers) >= 0:
        return bytes(numbers) if max(numbers) < 256 else None
    return bytes([number & 255 for number in numbers]) if min(numbers) > -129 and max(numbers) < 256 else None


def read_numbers(data: bytes, decoding: Decoding) -> str | None:
    """Return what the bytes of a list of numbers say; a long list of bytes that are mixed as packed ones is a doubt."""
    text = said(data, decoding)
    if text is None and len(data) >= _MANY and len(data) not in DIGESTS:
        high = sum(byte > 127 for byte in data)
        if 3 * len(data) <= 10 * high <= 7 * len(data) and 2 * len(set(data)) >= min(len(data), 256):
            decoding.doubt(UNREADABLE)
    return text


def unlist(match: Match[str], decoding: Decoding) -> str:
    """Return what a list of numbers says, or the list."""
    numbers = bytearray()
    for found in _NUMBER.finditer(match.string, *match.span()):
        number = int(found[0]) if match["gap"] is None else abs(int(found[0]))
        if not -129 < number < 256:
            return match[0]
        numbers.append(number & 255)
        if len(numbers) % _LOOK == 0:
            decoding.spend(0)
    data = bytes(numbers)
    octal = _octal(match[0], data)
    text = octal or read_numbers(data, decoding) if match["gap"] is None else octal or _letters(data)
    return match[0] if text is None else secret_asked(match.string, match.start(), match.end(), text)


def _octal(listed: str, data: bytes) -> str | None:
    """Return what numbers of three octal digits each say as letters; None: they are none, or say nothing."""
    numbers = re.findall(r"[0-9]+", listed)
    if not all(len(number) == 3 and "8" not in number and "9" not in number for number in numbers):
        return None
    read = [int(number, 8) for number in numbers]
    return _letters(bytes(read)) if max(read) < 256 else None


def _letters(data: bytes) -> str | None:
    """Return text that is of letters and digits nearly alone: anything else is numbers that happen to be in range."""
    text = data.decode("latin-1")
    letters = sum(character.isascii() and character.isalnum() for character in text)
    return text if text.isprintable() and text.isascii() and 5 * letters >= 4 * len(text) else None


def uncode(match: Match[str], decoding: Decoding) -> str:
    """Return the text whose characters are written as numbers, one by one: `chr(52)`, `U+0034`, `0x34`, `&#52`."""
    decoding.spend(len(match[0]))
    letters = []
    for form, number in _ONE_CODE.findall(match[0]):
        base = 10 if form in ("", "&#") else 8 if form == "\\" else 16
        try:
            letters.append(chr(int(number, base)))
        except (ValueError, OverflowError):
            return match[0]
    text = "".join(letters).rstrip("\n")
    return secret_asked(match.string, match.start(), match.end(), text) if text.isprintable() else match[0]


def unbit(match: Match[str], decoding: Decoding) -> str:
    """Return what octets written bit by bit say, or the octets."""
    octets = re.split(r"[\s,]+", match[0])
    if len(match[0]) < _SHORT_BITS or len(octets[0]) == _FOUR:
        return _short(match, octets)
    if len(octets[0]) == _SEVEN:
        text = _letters(bytes(int(octet, 2) for octet in octets))
        return match[0] if text is None else text
    bits = "".join(octets)
    text = read_numbers(int(bits, 2).to_bytes(len(bits) // 8, "big"), decoding)
    return match[0] if text is None else text


_SHORT_BITS = 40  # characters of fewer than five octets, which are read only where a number is asked for
_FOUR = 4


def _short(match: Match[str], octets: list[str]) -> str:
    """Return the digits that a few octets, or groups of four bits, stand for, where a word before asks for them."""
    numbers = [int(octet, 2) for octet in octets]
    digits = "".join(map(str, numbers)) if len(octets[0]) == _FOUR else "".join(map(chr, numbers))
    if not digits.isdecimal() or (len(octets[0]) == _FOUR and max(numbers) > 9):
        return match[0]
    named = number_asked(match.string, match.start(), digits)
    return match[0] if named == digits else named


def unuu(match: Match[str], decoding: Decoding) -> str:
    """Return what uuencoded lines say (POSIX `uuencode`); those that can't be read are a doubt."""
    lines = match[0].splitlines()
    headed = lines[0].startswith("begin ")
    parts: list[bytes] = []
    for line in lines[1:] if headed else lines:
        if line in ("end", "`"):
            break
        try:
            parts.append(binascii.a2b_uu(line))
        except binascii.Error:
            break
    data = b"".join(parts)
    text = said(data, decoding)
    if text is None and len(data) >= 24 and headed:
        decoding.doubt(UNREADABLE)
    return match[0] if text is None else secret_asked(match.string, match.start(), match.end(), text)


def un85(match: Match[str], decoding: Decoding) -> str:
    """Return what a word says in Ascii85 (Adobe's or btoa's alphabet) or base85 (RFC 1924), or the word."""
    found = match[0]
    if found.startswith("<~") and found.endswith("~>"):
        text = _ascii85(found[2:-2], decoding)
        if text is None and len(found) >= 48:
            decoding.doubt(UNREADABLE)
        return found if text is None else text
    starts = [0, *(place.end() for place in _OPENINGS.finditer(found, 0, 60))]
    for start in starts:
        for heads, reading in _READINGS:
            if _begins(found, start, heads):
                text = reading(_word(found, start), decoding)
                if text is not None:
                    return found[:start] + " " + text
    if (
        found[0] in _Z85_HEADS
        and len(found) < _LONG_WORD
        and _Z85_WORD.fullmatch(found)
        and _begins(found, 0, _Z85_HEADS)
    ):
        return _z85(found, decoding) or found
    if len(found) >= _LONG_WORD and any(_is_base85(_word(found, start)) for start in starts):
        decoding.doubt(UNREADABLE)
    return found


def _word(found: str, start: int) -> str:
    """Return what begins there: behind a quotation mark to the last one, else to the end without punctuation."""
    mark = found[start - 1 : start]
    end = found.rfind("~>" if mark == "~" else mark, start) if mark in ("'", '"', "`", "~") else -1
    return found[start:end] if end > start else found[start:].rstrip(",;)") if start else found


def _is_base85(word: str) -> bool:
    """Tell whether a word is of base85's letters alone, as mixed as in an encoding: code has quotes and dots."""
    if len(word) < _LONG_WORD or len(set(word)) == len(word) or _ALPHABET.fullmatch(word) is None:
        return False
    signs = sum(not character.isalnum() for character in word)
    if not 15 * len(word) <= 100 * signs <= 45 * len(word) or not any(map(str.isdecimal, word)):
        return False
    return all(12 * len(word) <= 100 * sum(map(kind, word)) for kind in (str.islower, str.isupper))


def _begins(found: str, start: int, heads: frozenset[str]) -> bool:
    """Tell whether groups of five begin as those of text or of something packed do, seen by their first letters."""
    groups = found[start : start + 20 : 5]
    in_place = [letter for letter in groups if letter in heads]
    if len(found) - start < _SHORT_WORD:
        return len(groups) >= 2 and len(in_place) == len(groups)
    return len(groups) == 4 and (len(in_place) >= 3 or found.startswith(_PACKED, start))


def _base85(word: str, decoding: Decoding) -> str | None:
    try:
        return said(base64.b85decode(_bounded(word)), decoding)
    except ValueError:
        return None


def _ascii85(word: str, decoding: Decoding) -> str | None:
    try:
        return said(base64.a85decode(_bounded(word)), decoding)
    except ValueError:
        return None


def _z85(word: str, decoding: Decoding) -> str | None:
    try:
        return said(base64.b85decode(_bounded(word).translate(_Z85)), decoding)
    except ValueError:
        return None


_READINGS = ((_HEADS, _base85), (_ASCII85_HEADS, _ascii85))


def _bounded(word: str) -> str:
    if len(word) > _LONGEST:
        raise DecodingLimit
    return word

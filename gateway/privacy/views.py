"""Other ways to read a text: as a person would see it, and as a program would decode it. Pure and bounded.

What is hidden by look-alike characters, invisible characters, foreign digits or an encoding is found in these views.
"""

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

MAX_DEPTH = 3
_SMALLEST = 16
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}(?![A-Za-z0-9+/_-])")
_WRAPPED = re.compile(r"(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{1,76}={0,2}")
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[\s:]?){12,}(?![0-9A-Fa-f])")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,12});")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_]\w){7,}(?!\w)")
_PACKED = re.compile(r"(?<=[\w@.])[\s\u00a0]*\n[\s\u00a0]*(?=[\w@.])")
_CONFUSABLE = str.maketrans(
    "АВСЕНІКМОРТХҮаеорсухіјѕԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧορν‐‑‒–—−․⁄∕＠",
    "ABCEHIKMOPTXYaeopcyxijsdqwABEZHIKMNOPTYXopv------.//@",
)
_UNPACKED = 1_000_000


def seen(text: str) -> str | None:
    """The text as a person sees it: NFKC, nothing invisible, look-alikes folded, all digits 0 to 9. None: the same."""
    if text.isascii():
        return None
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(_CONFUSABLE)
    if not plain.isascii():
        plain = "".join(map(_folded, plain))
    return plain if plain != text else None


def _folded(character: str) -> str:
    digit = None if character.isascii() else unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def joined(text: str) -> Iterator[str]:
    """Identifiers that were s p a c e d out or broken over lines, put together."""
    if _SPACED.search(text):
        yield _SPACED.sub(lambda match: re.sub(r"[ .\-_]", "", match[0]), text)
    if "\n" in text and _PACKED.search(text):
        yield _PACKED.sub("", text)


def decoded(text: str) -> Iterator[str]:
    """What the text's encoded parts say, each encoding once. Whoever calls this bounds depth and total size."""
    if "%" in text and _PERCENT.search(text):
        yield unquote(text, errors="replace")
    if "&" in text and _ENTITY.search(text):
        yield html.unescape(text)
    if "\\" in text and _ESCAPE.search(text):
        yield _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
    if len(text) < _SMALLEST:
        return
    for match in _HEX.finditer(text):
        yield from _readable(_unhex(match[0]))
    for match in _BASE64.finditer(text):
        yield from _readable(_unbase64(match[0]))
    for match in _WRAPPED.finditer(text):
        yield from _readable(_unbase64(re.sub(r"\s", "", match[0])))


def _unhex(text: str) -> bytes:
    digits = re.sub(r"[\s:]", "", text)
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _unbase64(text: str) -> bytes:
    plain = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        return b""


def _readable(data: bytes) -> Iterator[str]:
    """The bytes as text, if they are text, or unpacked if they are compressed."""
    if data[:2] == b"\x1f\x8b" or (data[:1] == b"\x78" and len(data) > 2 and (data[0] * 256 + data[1]) % 31 == 0):
        try:
            data = zlib.decompressobj(wbits=47).decompress(data, _UNPACKED)
        except zlib.error:
            return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        if data[1:2] != b"\0":
            return
        text = data.decode("utf-16-le", "ignore")
    printable = sum(character.isprintable() or character in "\r\n\t" for character in text)
    if len(text) >= 6 and printable >= 0.9 * len(text):
        yield text

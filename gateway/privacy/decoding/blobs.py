"""Encoded pieces inside a text: hexadecimal, base64 of any alphabet, and what is compressed inside. Pure, bounded."""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

Spend: TypeAlias = Callable[[int], None]  # charges characters to the request's budget; raises when it is spent

BLOB = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:"
    r"(?:\\x|0x)?[0-9A-Fa-f]{2}(?:(?:[\s:,-]|\\x|, ?0x)[0-9A-Fa-f]{2}){7,}(?![A-Za-z0-9])"
    r"|[A-Za-z0-9+/_-]{10,}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{4,})*"
    r"(?:\r?\n[ \t]*(?:[A-Za-z0-9+/_-]{2}==|[A-Za-z0-9+/_-]{3}=)|={0,2}))"
)
_BYTE = re.compile(r"(?:0x|\\x)?([0-9A-Fa-f]{2})")
_HEX = re.compile(r"(?:0x)?((?:[0-9A-Fa-f]{2})+)\Z")
_PAIRS = re.compile(r"(?:\\x|0x)?[0-9A-Fa-f]{2}(?:[\s:,-]|\\x|, ?0x)")
_BLANKS = re.compile(r"\s+")
_JOINTS = re.compile(r"[/_+-]")
_PART = re.compile(r"[A-Za-z0-9]{12,}")
_UNPACKED = 1_000_000
_STANDARD = str.maketrans("-_", "+/")
_PRINTABLE = re.compile("[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")


class DecodingLimit(Exception):
    """Error of a compressed piece that unpacks to more than is looked at."""


def unblob(found: str, spend: Spend) -> str:
    """Return what the piece says, or the piece itself where it says nothing readable."""
    if len(found) < 16 and found.isdecimal():
        return found
    for data in _candidates(found):
        text = _readable(data, spend)
        if text is not None:
            return text
    if "\n" in found:
        return "\n".join(unblob(line, spend) for line in found.split("\n"))
    parts = _PART.findall(found) if _JOINTS.search(found) else []
    return _PART.sub(lambda match: _part(match[0], spend), found) if parts else found


def _part(found: str, spend: Spend) -> str:
    if _plainly_nothing(found):
        return found
    for data in _candidates(found):
        text = _readable(data, spend)
        if text is not None:
            return text
    return found


def _plainly_nothing(piece: str) -> bool:
    """Tell whether letters and digits that are no hexadecimal surely say nothing, from the first bytes they stand for.

    Most of what looks like base64 is names in code, or bytes: both are passed by without a closer look.
    """
    head = piece[:16]
    if _HEX.match(head):
        return False
    if len(piece) < 24 and piece.islower():
        return True
    try:
        data = binascii.a2b_base64(head[: len(head) & ~3])
    except binascii.Error:
        return False
    if data[:1] in b"\x1f\x78\xff" or data[1:2] == b"\0":
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start < len(data) - 3
    return False


def _candidates(found: str) -> Iterator[bytes]:
    if _PAIRS.match(found) and not _HEX.match(found):
        yield bytes.fromhex("".join(_BYTE.findall(found)))
        return
    plain = found if found.isalnum() else _BLANKS.sub("", found)
    digits = _HEX.match(plain)
    if digits is not None and len(digits[1]) >= 16:
        yield bytes.fromhex(digits[1])
    if len(plain) < 24 and (plain.islower() or plain.isdecimal()):
        return
    plain = plain.rstrip("=").translate(_STANDARD)
    usable = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        yield base64.b64decode(usable + "=" * (-len(usable) % 4))
    except binascii.Error:
        return


def _readable(data: bytes, spend: Spend) -> str | None:
    """Return the bytes as text, if they are text or compressed text; None: neither."""
    packed = data[:2] == b"\x1f\x8b" or (len(data) > 8 and data[0] == 0x78 and (data[0] * 256 + data[1]) % 31 == 0)
    if packed:
        unpacked = _unpacked(data)
        if unpacked is not None:
            spend(len(unpacked))
            return _readable(unpacked, spend)
    if len(data) < 6:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        if data[1:2] != b"\0" and data[:2] != b"\xff\xfe":
            return None
        text = data.decode("utf-16-le", "ignore").lstrip("\ufeff")
    if "\0" in text[1:2]:
        text = data.decode("utf-16-le", "ignore")
    return text if len(_PRINTABLE.findall(text[:4000])) >= 0.95 * min(len(text), 4000) else None


def _unpacked(data: bytes) -> bytes | None:
    """Return the unpacked bytes; None: they are not compressed.

    Raises:
        DecodingLimit: They are more than a megabyte.
    """
    stream = zlib.decompressobj(wbits=47)
    try:
        unpacked = stream.decompress(data, _UNPACKED)
    except zlib.error:
        return None
    if stream.unconsumed_tail:
        raise DecodingLimit
    return unpacked

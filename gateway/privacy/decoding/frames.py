"""Frames around certificates and public keys, as PEM and OpenPGP write them. Pure.

A frame alone makes no certificate. What begins as one, in its frame, is passed over also where it was cut off: people
paste the first lines of it.
"""

import binascii
import re

_FRAME = re.compile(
    r"-----BEGIN (?P<name>[A-Z0-9 ]{3,40})-----[ \t]*\r?\n"
    r"(?:[A-Z][A-Za-z-]{2,20}: [^\n]{0,200}\n){0,6}(?:[ \t]*\r?\n)?[ \t]*"
)
_LONGEST_HEAD = 600  # characters between the beginning of a frame and what it holds
_LABEL = 40  # characters of a frame's last words, which look like a part of what it holds


def is_framed(text: str, start: int, end: int) -> bool:
    """Tell whether the piece from `start` to `end` stands in a frame that says what it is, and begins as that."""
    opened = text.rfind("-----BEGIN ", max(0, start - _LONGEST_HEAD), start + _LABEL)
    frame = _FRAME.match(text, opened) if opened >= 0 else None
    if frame is None or not start <= frame.end() < end:
        return False
    held = "".join(text[frame.end() : end].split("\n-----END")[0].split())
    try:
        return _begins_as(frame["name"], binascii.a2b_base64(held[: len(held) & ~3]))
    except binascii.Error:
        return False


def _begins_as(frame: str, data: bytes) -> bool:
    """Tell whether bytes begin as the frame around them says, and are no longer than they say themselves.

    Args:
        frame: What stands behind `BEGIN` (RFC 7468; RFC 9580, 6.2).
        data: The bytes, or the first of them.
    """
    if frame.startswith("PGP "):
        tagged = data[:1] in (b"\x98", b"\x99", b"\x88", b"\x89") and data[2 + (data[0] & 1) :][:1] in (b"\4", b"\6")
        return frame in _PGP_FRAMES and tagged
    if frame not in _FRAMES or data[:2] != b"\x30\x82" or len(data) > 4 + int.from_bytes(data[2:4], "big"):
        return False
    inner = _FRAMES[frame]
    return data[4:6] == b"\x30\x82" and data[8 : 8 + len(inner)] == inner


_PGP_FRAMES = frozenset({"PGP PUBLIC KEY BLOCK", "PGP SIGNATURE"})
_FRAMES = {
    "CERTIFICATE": b"\xa0\3\2\1",  # version, or the serial number of a certificate of version 1
    "TRUSTED CERTIFICATE": b"\xa0\3\2\1",
    "CERTIFICATE REQUEST": b"\2\1\0\x30",
    "NEW CERTIFICATE REQUEST": b"\2\1\0\x30",
    "X509 CRL": b"\2\1\1\x30",
}

"""Bytes → text, whatever character set they are in: UTF-8, UTF-16, UTF-32, Windows-1252 and its relatives. Pure.

Only what is plainly text is told as text: random bytes are none in any of these.
"""

import codecs
import re

from gateway.privacy.patterns import late

_SHORTEST = 6  # bytes
_PRINTABLE = late("[^\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ASCII = bytes([9, 10, 13, *range(32, 127)])
_PLAIN = bytes(ord(c) for c in "\t\n\r ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;@/'\"()-_+=?!")
_HIGH = bytes(range(128, 256))
_RUNS = re.compile(rb"[\t\x20-\x7e\xc0-\xff]{9,}|(?:[\x20-\x7e]\0){7,}[\x20-\x7e]")


def as_text(data: bytes) -> str | None:
    """Return the bytes as text; None: they are none, or fewer than six."""
    if len(data) < _SHORTEST:
        return None
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return _printable(data[len(mark) :].decode(charset, "ignore"))
    if 8 * data.count(0) > len(data):
        return _wide(data)
    try:
        return _printable(data.decode("utf-8"))
    except UnicodeDecodeError:
        return _single_byte(data)


def printable_runs(data: bytes) -> str:
    """Return what can be read here and there in bytes that are no text: runs of nine printable characters and more."""
    return "\n".join(run.replace(b"\0", b"").decode("cp1252", "replace") for run in _RUNS.findall(data))


def _wide(data: bytes) -> str | None:
    """Return text whose characters take two or four bytes each, told by where the zeros stand."""
    quarter, half = len(data) // 4, len(data) // 2
    zeros = [data[at::4].count(0) for at in range(4)]
    if len(data) >= 12 and min(zeros[2], zeros[3]) >= 0.9 * quarter and zeros[0] < quarter / 2:
        return _printable(data.decode("utf-32-le", "replace"))
    if len(data) >= 12 and min(zeros[0], zeros[1]) >= 0.9 * quarter and zeros[3] < quarter / 2:
        return _printable(data.decode("utf-32-be", "replace"))
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if odd >= 0.5 * half and even <= 0.1 * half:
        return _printable(data.decode("utf-16-le", "ignore"))
    if even >= 0.5 * half and odd <= 0.1 * half:
        return _printable(data.decode("utf-16-be", "ignore"))
    return None


def _single_byte(data: bytes) -> str | None:
    """Return text of Western Europe in one byte each (ISO-8859-1, -15, Windows-1252, the code pages of DOS)."""
    high = len(data) - len(data.translate(None, _HIGH))
    plain = _PLAIN if len(data) < 24 else _ASCII
    if 10 * high > 3 * len(data) or data.translate(None, plain + _HIGH):
        return None
    return data.decode("cp1252", "replace")


def _printable(text: str) -> str | None:
    """Return the text if nearly all of it can be printed; colours of terminals may take a part of a long one."""
    head = text[:4000]
    share = 0.95 if len(head) < 200 else 0.9
    return text if head and len(_PRINTABLE.findall(head)) >= share * len(head) else None

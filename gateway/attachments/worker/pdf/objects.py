"""Texts of a PDF's objects, wherever they stand: strings under keys that nobody knows, and comments between objects.

PDFium is asked for a title or the value of a field, each by its own function. A file can hold words under any other key
(ISO 32000-1, 7.3.4), so every string outside of pages' contents counts.
"""

import re
from collections.abc import Iterator

from gateway.attachments.worker.parts import Budget
from gateway.attachments.worker.pdf.structure import packed_objects

_LITERAL = re.compile(rb"\(((?:[^()\\]++|\\.|\((?:[^()\\]++|\\.)*+\)){1,5000}+)\)", re.DOTALL)
_HEXADECIMAL = re.compile(rb"<((?:[0-9A-Fa-f]\s?){8,}+)>")
_COMMENT = re.compile(rb"%(?!PDF-|%EOF)([ -~]{4,})")
_ESCAPED = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|\r|\n)|(.))", re.DOTALL)
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_SHORTEST = 4  # characters


def texts(data: bytes, budget: Budget) -> Iterator[str]:
    """Yield each text once.

    Raises:
        BudgetSpent: objects unpack to more than is left, or the time is over.
    """
    known: set[bytes] = set()
    for part in (*_outside_streams(data), *packed_objects(data, budget)):
        budget.time()
        for found in _strings(part or b""):
            if found not in known:
                known.add(found)
                text = _decoded(found)
                if len(text) >= _SHORTEST and any(map(str.isalnum, text)):
                    yield text


def _outside_streams(data: bytes) -> Iterator[bytes]:
    at = 0
    while (start := data.find(b"stream", at)) >= 0:
        yield data[at:start]
        end = data.find(b"endstream", start)
        if end < 0:
            return
        at = end + len(b"endstream")
    yield data[at:]


def _strings(part: bytes) -> Iterator[bytes]:
    for literal in _LITERAL.finditer(part):
        yield _ESCAPED.sub(_unescaped, literal.group(1))
    for hexadecimal in _HEXADECIMAL.finditer(part):
        digits = b"".join(hexadecimal.group(1).split())
        yield bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    for comment in _COMMENT.finditer(part):
        yield comment.group(1)


def _unescaped(found: re.Match[bytes]) -> bytes:
    octal, line, sign = found.groups()
    if octal is not None:
        return bytes([int(octal, 8) % 256])
    return b"" if line is not None else _CONTROLS.get(sign, sign)


def _decoded(text: bytes) -> str:
    """Return a text string (ISO 32000-1, 7.9.2.2); that of an identifier of the file is noise, and left out."""
    if text.startswith(b"\xfe\xff"):
        return text[2:].decode("utf-16-be", "replace")
    if text.startswith(b"\xef\xbb\xbf"):
        return text[3:].decode("utf-8", "replace")
    readable = sum(32 <= byte < 127 or byte >= 160 or byte in b"\t\n\r" for byte in text)
    return text.decode("latin-1") if readable == len(text) else ""

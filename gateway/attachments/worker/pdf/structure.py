"""What a PDF is made of, by the names in its objects: things that PDFium draws or obeys and has no function to list."""

import re
import zlib
from collections.abc import Iterator

import msgspec

from gateway.attachments.worker.parts import Budget

_STREAM = re.compile(rb"\bobj\b((?:(?!endobj).){2,1024}?)\bstream\r?\n", re.DOTALL)
_OBJECTS = re.compile(rb"/Type\s*/ObjStm\b")
_ESCAPE = re.compile(rb"#([0-9a-fA-F]{2})")  # /J#53 is /JS
_SCRIPTS = re.compile(rb"/JavaScript\b|/JS\s*[(<\d]|/Launch\b|/ImportData\b|/RichMedia\b")
_PATTERNS = re.compile(rb"/PatternType\s*1\b")
_LONGEST = 16 * 2**20


class Structure(msgspec.Struct, frozen=True, kw_only=True):
    """What a PDF has. Of one whose objects can't be looked at, all of it is taken to be there."""

    scripts: bool
    layers: bool  # that may be off, so that a page does not show all of itself
    patterns: bool  # that may be made of letters


def structure_of(data: bytes, budget: Budget) -> Structure:
    """Return what the file has.

    Raises:
        BudgetSpent: its objects unpack to more than is left.
    """
    scripts = layers = patterns = False
    for part in (data, *packed_objects(data, budget)):
        if part is None:
            return Structure(scripts=scripts, layers=True, patterns=True)
        names = _ESCAPE.sub(lambda found: bytes([int(found.group(1), 16)]), part) if b"#" in part else part
        scripts = scripts or _SCRIPTS.search(names) is not None
        layers = layers or b"/OCProperties" in names
        patterns = patterns or _PATTERNS.search(names) is not None
    return Structure(scripts=scripts, layers=layers, patterns=patterns)


def streams(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each stream as it stands, with the dictionary before it."""
    for found in _STREAM.finditer(data):
        end = data.find(b"endstream", found.end())
        if end >= 0:
            yield found.group(1), data[found.end() : end]


def begins(words: bytes, content: bytes) -> bytes:
    """Return the first bytes of a stream's content, as far as they can be unpacked."""
    if b"/FlateDecode" not in words:
        return content[:64]
    try:
        return zlib.decompressobj().decompress(content, 64)
    except zlib.error:
        return b""


def unpacked(words: bytes, content: bytes, budget: Budget) -> bytes | None:
    """Return a stream's content; None: it is packed in a way that is not known here, or damaged.

    Raises:
        BudgetSpent: it is more than what is left.
    """
    if b"/FlateDecode" not in words:
        return None if b"/Filter" in words else content
    try:
        whole = zlib.decompressobj().decompress(content, _LONGEST)
    except zlib.error:
        return None
    budget.unpack(len(whole))
    return whole


def packed_objects(data: bytes, budget: Budget) -> Iterator[bytes | None]:
    """Yield the content of streams that hold objects."""
    for words, content in streams(data):
        if _OBJECTS.search(words):
            yield unpacked(words, content, budget)

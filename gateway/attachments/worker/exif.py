"""What a picture file says besides its pixels: EXIF, where it was taken, XMP, IPTC, comments, data behind its end."""

import html
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import ExifTags, Image

from gateway.attachments.worker.parts import Inside, Part, Parts, Reason, Unread
from gateway.attachments.worker.segments import Segment, Segments, Use
from gateway.core.attachment import Piece

_RUN = 5  # fewer letters in a row, within bytes of no known form, are chance
_ASCII = re.compile(rb"[\t\n\r\x20-\x7e\xc2-\xf4\x80-\xbf]{%d,}" % _RUN)
_WIDE = re.compile(rb"(?:[\x20-\x7e\xa1-\xff]\0){%d,}" % _RUN)
_WIDE_BIG = re.compile(rb"(?:\0[\x20-\x7e\xa1-\xff]){%d,}" % _RUN)
_WORDS = re.compile(r"[^\W\d_]{3}|\d{4}|\w@\w", re.ASCII)
FAULTS = (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, EOFError, struct.error)
_THUMBNAIL = 0x0201, 0x0202  # where a small JPEG stands, and how long it is
_TEXTS = {0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F}  # Windows' title, comment, author, keywords, subject: UTF-16
_BINARY = {0x9286: 8, 0x001B: 8, 0x001C: 8}  # UserComment and two of GPS: eight letters say their encoding
# Numbers that say how the pixels lie in the file, or how they are meant; and tables and blocks that are read elsewhere.
_STRUCTURE = {
    0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0111, 0x0112, 0x0115, 0x0116, 0x0117, 0x011A, 0x011B, 0x011C, 0x0128,
    0x013D, 0x013E, 0x013F, 0x0140, 0x0142, 0x0143, 0x0144, 0x0145, 0x014A, 0x0152, 0x0153, 0x015B, 0x0201, 0x0202,
    0x0211, 0x0212, 0x0213, 0x0214, 0x02BC, 0x83BB, 0x8649, 0x8769, 0x8773, 0x8825, 0xA005,
}  # fmt: skip
_IPTC = b"\x1c\x02"


def read(image: Image.Image, beside: Segments) -> Parts:
    """Yield the metadata of an opened picture, and `beside`, what its file has besides pixels."""
    yield from _exif(image)
    for segment in beside.segments:
        yield from _segment(segment)
    if beside.behind.strip(b"\0\r\n\t "):
        yield Unread(reason=Reason.POLYGLOT)
        yield Inside(place="behind the end", data=beside.behind)
        yield from _letters("behind the end", beside.behind)
    if not beside.whole:
        yield Unread(reason=Reason.OBJECT)


def _segment(segment: Segment) -> Iterator[Part]:
    """Yield what a segment says; of EXIF, whose tags are read elsewhere, the letters that no tag may lead to."""
    if segment.use is Use.TEXT:
        yield from _text(segment.name, segment.data.decode("utf-8", "replace"))
    elif segment.name == "XMP":
        text = segment.data.decode("utf-8", "replace")
        yield from _text("XMP", text if (plain := html.unescape(text)) == text else f"{text}\n{plain}")
    elif segment.name == "IPTC":
        yield from _text("IPTC", "\n".join(_iptc(segment.data)))
        yield from _letters("IPTC", segment.data)
    else:
        yield from _letters(segment.name, segment.data)
        if segment.use is Use.UNKNOWN:
            yield Unread(reason=Reason.OBJECT)


def _iptc(data: bytes) -> Iterator[str]:
    """Yield the texts of IPTC's application record: tag marker, record 2, dataset, big-endian length (IIM 4.2, 1.5)."""
    at = data.find(_IPTC)
    while 0 <= at <= len(data) - 5:
        (length,) = struct.unpack_from(">H", data, at + 3)
        yield data[at + 5 : at + 5 + length].decode("utf-8", "replace")
        at = data.find(_IPTC, at + 5 + length)


def _exif(image: Image.Image) -> Iterator[Part]:
    try:
        exif = image.getexif()
        main, details, gps, small = _tables(exif)
    except (*FAULTS, UserWarning):
        yield Unread(reason=Reason.BROKEN)
        return
    for table in (main, details, small):
        yield from _table(table, ExifTags.TAGS)
    if gps:
        yield Unread(reason=Reason.LOCATION)  # no pattern knows that two numbers are somebody's home
        yield from _text("GPS", _position(gps))
        yield from _table(gps, ExifTags.GPSTAGS)
    if small:
        yield from _thumbnail(exif, small)


def _tables(exif: Image.Exif) -> tuple[dict[int, Any], ...]:
    """Return the main table and those for details, for the place and for the thumbnail.

    Raises:
        UserWarning: Some of it can't be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        below = (exif.get_ifd(table) for table in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.IFD1))
        return dict(exif), *map(dict, below)


def _thumbnail(exif: Image.Exif, table: Mapping[int, Any]) -> Iterator[Part]:
    begin, length = (table.get(tag) for tag in _THUMBNAIL)
    if isinstance(begin, int) and isinstance(length, int):
        found = _block(exif)[begin : begin + length]
        yield Inside(place="thumbnail", data=found) if found else Unread(reason=Reason.BROKEN)


def _block(exif: Image.Exif) -> bytes:
    """Return the bytes that offsets in the table count from."""
    exif.fp.seek(0)
    return bytes(exif.fp.read())


def _position(gps: Mapping[int, Any]) -> str:
    """Return latitude and longitude in degrees, such as `GPS 40.4168N 3.7038W`; empty where the table has none."""
    found = []
    for side, angle in ((1, 2), (3, 4)):
        try:
            degrees, minutes, seconds = (float(part) for part in gps[angle])
        except FAULTS:
            return ""
        value = degrees + minutes / 60 + seconds / 3600
        found.append(f"{value:.5f}{str(gps.get(side, ''))[:1]}")
    return "GPS " + " ".join(found)


def _table(table: Mapping[int, Any], names: Mapping[int, str]) -> Iterator[Part]:
    """Yield what the tags say, but for those that only say how pixels lie."""
    lines = []
    for tag, value in table.items():
        if tag in _STRUCTURE and not isinstance(value, (str, bytes)):
            continue
        if isinstance(value, bytes):
            text = _bytes(tag, value)
            if text is None:
                yield Unread(reason=Reason.OBJECT)  # its letters are found in the whole
                continue
        else:
            text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        lines.append(f"{names.get(tag, 'tag')}: {text}")
    yield from _text("EXIF", "\n".join(lines))


def _bytes(tag: int, value: bytes) -> str | None:
    """Return the text of a tag that is bytes; None where nobody knows its form."""
    if tag in _TEXTS:
        return value.decode("utf-16-le", "replace").rstrip("\0")
    if head := _BINARY.get(tag):
        code, body = value[:head].rstrip(b"\0 "), value[head:]
        if code == b"UNICODE":
            return body.decode("utf-16-be" if body[:1] == b"\0" else "utf-16-le", "replace").strip("\0 ")
        return (body if code in (b"ASCII", b"JIS", b"") else value).decode("utf-8", "replace").strip("\0 ")
    if len(value) <= 8:  # versions and flags
        return "".join(chr(byte) for byte in value if 32 <= byte < 127)
    return None


def _letters(place: str, data: bytes) -> Iterator[Part]:
    """Yield runs of letters within bytes of no known form."""
    runs = [found.group().decode("utf-8", "replace") for found in _ASCII.finditer(data)]
    runs += [found.group().decode("utf-16-le", "replace") for found in _WIDE.finditer(data)]
    runs += [found.group().decode("utf-16-be", "replace") for found in _WIDE_BIG.finditer(data)]
    yield from _text(place, "\n".join(run for run in runs if _WORDS.search(run)))


def _text(place: str, text: str) -> Iterator[Part]:
    if text.strip():
        yield Piece(place=place, text=text)

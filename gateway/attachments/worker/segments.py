"""What a picture file has besides its pixels, by the structure of its bytes: text, metadata, data behind its end.

Pillow hands out what it knows and passes over the rest without a word; here every byte is either the picture itself, a
segment, or behind the end. Formats: PNG (W3C, 5.3), JPEG (ITU-T T.81, annex B), GIF89a, RIFF/WebP (RFC 9649), BMP.
"""

import enum
import struct
import zlib
from collections.abc import Iterator

import msgspec

_INFLATED = 1_000_000  # bytes of one compressed text


class Use(enum.Enum):
    """What a segment is for."""

    TEXT = enum.auto()  # words that the format has a place for
    METADATA = enum.auto()  # EXIF, XMP, IPTC, colour profiles: Pillow or we know the form
    UNKNOWN = enum.auto()  # nobody here knows what it says


class Segment(msgspec.Struct, frozen=True):
    """Bytes of a file that are not its pixels."""

    use: Use
    name: str  # a word of ours: INVARIANT: never of the file
    data: bytes


class Segments(msgspec.Struct, frozen=True):
    """What stands beside the pixels, and behind them. `whole`: the file's structure was followed to its end."""

    segments: tuple[Segment, ...] = ()
    behind: bytes = b""
    whole: bool = False


def segments(data: bytes) -> Segments:
    """Return what a picture file has besides pixels. Never raises: of an unknown form it is nothing, not whole."""
    for begin, walk in _WALKS:
        if data.startswith(begin):
            return _walked(walk(data), data)
    return Segments()


def _walked(steps: "Iterator[Segment | int]", data: bytes) -> Segments:
    """Follow a walk, which gives segments and at last the offset of the file's end."""
    found: list[Segment] = []
    try:
        for step in steps:
            if isinstance(step, int):
                return Segments(tuple(found), data[step:], whole=step <= len(data))
            found.append(step)
    except (struct.error, IndexError):
        pass  # the file ends in the middle of something
    return Segments(tuple(found))


# Chunks that say how pixels are meant, with their lengths (PNG, third edition, 11): a longer one says more than that.
_PNG_PIXELS = {
    b"IHDR": (13,), b"gAMA": (4,), b"cHRM": (32,), b"sRGB": (1,), b"pHYs": (9,), b"tIME": (7,), b"acTL": (8,),
    b"fcTL": (26,), b"cICP": (4,), b"mDCV": (24,), b"mDCv": (24,), b"cLLI": (8,), b"cLLi": (8,), b"bKGD": (1, 2, 6),
    b"sBIT": (1, 2, 3, 4), b"hIST": range(2, 513, 2), b"tRNS": range(257), b"PLTE": range(3, 769, 3),
}  # fmt: skip
_PNG_DATA = (b"IDAT", b"fdAT")
_PNG_METADATA = {b"eXIf": "EXIF"}
_PROFILE = "colour profile"


def _png(data: bytes) -> "Iterator[Segment | int]":
    at = 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IEND":
            if body:
                yield Segment(Use.UNKNOWN, "chunk", body)
            yield at
            return
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            yield _png_text(kind, body)
        elif kind == b"iCCP":
            yield _png_profile(body)
        elif kind in _PNG_METADATA:
            yield Segment(Use.METADATA, _PNG_METADATA[kind], body)
        elif kind not in _PNG_DATA and length not in _PNG_PIXELS.get(kind, ()):
            yield Segment(Use.UNKNOWN, "chunk", body)


def _png_text(kind: bytes, body: bytes) -> Segment:
    """Text of a PNG chunk with its keyword; of an iTXt chunk its language and translated keyword as well."""
    keyword, _, rest = body.partition(b"\0")
    packed, head = b"", keyword
    if kind == b"tEXt":
        return Segment(Use.TEXT, "text", _utf8(keyword) + b": " + _utf8(rest))
    if kind == b"zTXt":
        packed = rest[1:]
    else:
        language, _, after = rest[2:].partition(b"\0")
        translated, _, text = after.partition(b"\0")
        head = b" ".join((keyword, language, translated)).strip()
        if rest[:1] != b"\x01":
            return Segment(Use.TEXT, "text", head + b": " + text)
        packed = text
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(packed, _INFLATED)
    except zlib.error:
        return Segment(Use.UNKNOWN, "text", body)
    if inflater.unconsumed_tail or inflater.unused_data or not inflater.eof:
        return Segment(Use.UNKNOWN, "text", head + b": " + text)
    return Segment(Use.TEXT, "text", head + b": " + (text if kind == b"iTXt" else _utf8(text)))


def _png_profile(body: bytes) -> Segment:
    """Name and content of a colour profile, which is packed."""
    name, _, rest = body.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(rest[1:], _INFLATED)
    except zlib.error:
        return Segment(Use.UNKNOWN, _PROFILE, body)
    whole = inflater.eof and not inflater.unconsumed_tail and not inflater.unused_data
    return Segment(Use.METADATA if whole else Use.UNKNOWN, _PROFILE, name + b"\n" + profile)


def _utf8(latin: bytes) -> bytes:
    """Return Latin-1, which tEXt and zTXt are written in, as UTF-8; UTF-8, which many write all the same, as it is."""
    try:
        latin.decode()
    except UnicodeDecodeError:
        return latin.decode("latin-1").encode()
    return latin


_JPEG_BARE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
_JPEG_PIXELS = frozenset((*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF))
_JPEG_NUMBERS = {0xDC: 2, 0xDD: 2, 0xDF: 1}  # number of lines, restart interval, expansion: of so many bytes


def _jpeg(data: bytes) -> "Iterator[Segment | int]":
    at = 2
    while True:
        if data[at] != 0xFF:
            raise IndexError  # no marker where one must stand
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker == 0xD9:
            yield at + 2
            return
        at += 2
        if marker in _JPEG_BARE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        body = data[at + 2 : at + length]
        at += length
        if marker == 0xDA:
            at = _after_scan(data, at)
        elif marker not in _JPEG_PIXELS or len(body) != _JPEG_NUMBERS.get(marker, len(body)):
            yield _jpeg_segment(marker, body)


def _after_scan(data: bytes, at: int) -> int:
    """Return where the next marker stands that ends entropy-coded data.

    Raises:
        IndexError: The file ends before.
    """
    while True:
        at = data.find(b"\xff", at)
        if at < 0:
            raise IndexError
        if data[at + 1] not in (0x00, 0xFF, *range(0xD0, 0xD8)):
            return at
        at += 1 if data[at + 1] == 0xFF else 2


def _jpeg_segment(marker: int, body: bytes) -> Segment:
    if marker == 0xFE:
        return Segment(Use.TEXT, "comment", body)
    known = {
        (0xE0, b"JFIF\0"): "JFIF",
        (0xE1, b"Exif\0\0"): "EXIF",
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0"): "XMP",
        (0xE2, b"ICC_PROFILE\0"): "colour profile",
        (0xED, b"Photoshop 3.0\0"): "IPTC",
        (0xEE, b"Adobe"): "colour transform",
    }
    for (at, begin), name in known.items():
        if marker == at and body.startswith(begin):
            thumbnail = name == "JFIF" and len(body) > 14
            return Segment(Use.UNKNOWN if thumbnail else Use.METADATA, name, body[len(begin) :])
    return Segment(Use.UNKNOWN, "segment", body)


def _gif(data: bytes) -> "Iterator[Segment | int]":
    at = 13 + _colours(data[10])
    while True:
        block = data[at]
        if block == 0x3B:
            yield at + 1
            return
        if block == 0x2C:
            at += 10 + _colours(data[at + 9]) + 1  # the byte is the size of the first LZW code
            at, _ = _blocks(data, at)
            continue
        if block != 0x21:
            raise IndexError
        label = data[at + 1]
        at, body = _blocks(data, at + 2)
        if label == 0xFE:
            yield Segment(Use.TEXT, "comment", body)
        elif label == 0x01:
            yield Segment(Use.TEXT, "text", body[12:])
        elif label == 0xFF and not body.startswith((b"NETSCAPE2.0", b"ANIMEXTS1.0")):
            xmp = body.startswith(b"XMP DataXMP")
            yield Segment(Use.METADATA if xmp else Use.UNKNOWN, "XMP" if xmp else "extension", body)


def _colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: bytes, at: int) -> tuple[int, bytes]:
    """Return where sub-blocks end, and what they hold.

    XMP is not cut into blocks; a trailer makes decoders that think so skip it.
    """
    begin = at
    while data[at]:
        at += 1 + data[at]
    body = data[begin:at]
    if body[1:12] == b"XMP DataXMP":
        return at + 1, body[1:]
    parts, inside = [], 0
    while inside < len(body):
        parts.append(body[inside + 1 : inside + 1 + body[inside]])
        inside += 1 + body[inside]
    return at + 1, b"".join(parts)


_RIFF_PIXELS = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"))
_RIFF_METADATA = {b"ICCP": "colour profile", b"EXIF": "EXIF", b"XMP ": "XMP"}


def _riff(data: bytes) -> "Iterator[Segment | int]":
    (size,) = struct.unpack_from("<I", data, 4)
    end, at = 8 + size + (size & 1), 12
    while at + 8 <= min(end, len(data)):
        kind, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
        if kind in _RIFF_METADATA:
            yield Segment(Use.METADATA, _RIFF_METADATA[kind], body)
        elif kind not in _RIFF_PIXELS:
            yield Segment(Use.UNKNOWN, "chunk", body)
    yield max(at, end)


def _bmp(data: bytes) -> "Iterator[Segment | int]":
    size, _, begin, header, width, height, _, bits, packed, pixels = struct.unpack_from("<IIIIiiHHII", data, 2)
    if header < 40:
        raise IndexError  # of OS/2
    if packed in (0, 3, 6):
        pixels = (width * bits + 31) // 32 * 4 * abs(height)
    colours = struct.unpack_from("<I", data, 46)[0] or (1 << bits if bits <= 8 else 0)
    before = 14 + header + colours * 4 + (12 if packed == 3 and header == 40 else 0)
    if begin > before:
        yield Segment(Use.UNKNOWN, "gap", data[before:begin])
    end = begin + pixels
    if size > end and any(data[end:size]):  # a colour profile, or anything
        yield Segment(Use.UNKNOWN, "gap", data[end:size])
    yield max(end, min(size, len(data)))


_WALKS = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8", _jpeg),
    (b"GIF8", _gif),
    (b"RIFF", _riff),
    (b"BM", _bmp),
)

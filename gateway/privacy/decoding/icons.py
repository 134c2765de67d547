"""Icons: pictures too small for words, of which every byte is accounted for. Pure, bounded."""

import struct
import zlib

MOST_ICONS = 4  # different ones in a document: many small pictures together are a large one
_LARGEST, _WIDEST = 2_048, 16  # bytes; pixels
_LARGEST_GIF = 64  # bytes: dots and spacers, in which the packed pixels are too few to say anything
_PNG = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by the kind of colour (PNG, 11.2.2)
_DEPTHS = frozenset({1, 2, 4, 8, 16})
_LONGEST_CHUNK = {
    b"IHDR": 13,
    b"PLTE": 768,
    b"IDAT": _LARGEST,
    b"IEND": 0,
    b"tRNS": 256,
    b"gAMA": 4,
    b"sRGB": 1,
    b"cHRM": 32,
    b"pHYs": 9,
    b"bKGD": 6,
    b"sBIT": 4,
    b"tEXt": 64,  # the name of the program that drew it, and nothing else
}


def drawn(data: bytes) -> bytes | None:
    """Return the colours and pixels of an icon, and what else it holds; None: the bytes are no icon.

    An icon has 16 × 16 pixels at most, one frame, chunks that are known, and not a byte more than its size takes.
    """
    if len(data) > _LARGEST:
        return None
    return _of_png(data) if data.startswith(_PNG) else _of_gif(data)


def _of_png(data: bytes) -> bytes | None:
    chunks = _chunks(data)
    if chunks is None or len(chunks.get(b"IHDR", b"")) != 13 or b"IDAT" not in chunks:
        return None
    width, height, depth, colour, *ways = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if not (0 < width <= _WIDEST and 0 < height <= _WIDEST) or any(ways):
        return None
    if depth not in _DEPTHS or colour not in _SAMPLES or len(chunks.get(b"PLTE", b"")) % 3:
        return None
    size = height * (1 + (width * depth * _SAMPLES[colour] + 7) // 8)
    stream = zlib.decompressobj()
    try:
        pixels = stream.decompress(chunks[b"IDAT"], size + 1)
    except zlib.error:
        return None
    if len(pixels) != size or not stream.eof or stream.unused_data:
        return None
    return b"\0".join((pixels, *(held for kind, held in chunks.items() if kind != b"IDAT")))


def _chunks(data: bytes) -> dict[bytes, bytes] | None:
    """Return the chunks of a PNG (5.3), each once but the pixels; None: others are there, or more than they may be."""
    chunks: dict[bytes, bytes] = {}
    at, kind = len(_PNG), b""
    while at + 12 <= len(data) and kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        held, at = data[at + 8 : at + 8 + length], at + 12 + length
        if length > _LONGEST_CHUNK.get(kind, -1) or (kind in chunks and kind != b"IDAT"):
            return None
        if zlib.crc32(kind + held) != int.from_bytes(data[at - 4 : at], "big"):
            return None
        if kind == b"tEXt" and not held.startswith(b"Software\0"):
            return None
        chunks[kind] = chunks.get(kind, b"") + held
    return chunks if at == len(data) and kind == b"IEND" else None


def _of_gif(data: bytes) -> bytes | None:
    """Return a dot of one frame without comments (GIF89a, 24), from its header to its trailer."""
    if not 14 <= len(data) <= _LARGEST_GIF or data[:6] not in (b"GIF87a", b"GIF89a") or data[-1:] != b";":
        return None
    width, height = struct.unpack_from("<HH", data, 6)
    at = 13 + _colours(data[10])
    frames = 0
    while at < len(data) - 1:
        if data[at : at + 3] == b"\x21\xf9\x04":
            at += 2
        elif data[at] == 0x2C and at + 10 < len(data):
            frames += 1
            at += 11 + _colours(data[at + 9])
        else:
            return None
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
    small = 0 < width <= _WIDEST and 0 < height <= _WIDEST
    return data if at == len(data) - 1 and frames == 1 and small else None


def _colours(flags: int) -> int:
    """Return the bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0

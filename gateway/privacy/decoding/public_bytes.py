"""Bytes that say nothing about anybody, told by their structure: digests, public keys, certificates, fonts, icons.

Pure. A word before them is no reason: what is passed over has to be what it seems to be, byte by byte.
"""

import struct

DIGESTS = frozenset({16, 20, 28, 32, 48, 64})  # bytes of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512; of a UUID, too
_SSH_KEYS = (b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-")
_SEQUENCE, _BITS, _CONTEXT = 0x30, 0x03, 0xA0
_PUBLIC_PACKETS = frozenset({2, 6, 13, 14, 17})  # signature, public key, user ID, public subkey, user attribute


def is_public(data: bytes) -> bool:
    """Tell whether the bytes are a certificate, a request for one, a public key, a signature, a font or an icon."""
    return _is_ssh_key(data) or _is_certificate(data) or _is_open_pgp(data) or _is_font(data) or is_icon(data)


_LARGEST_ICON, _WIDEST_ICON = 2_048, 32  # bytes; pixels: too few for words
_PROGRAM = 64  # bytes of the name of the program that drew it
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"cHRM", b"pHYs", b"bKGD", b"sBIT")
)  # those of the picture itself: none that holds words


def is_icon(data: bytes) -> bool:
    """Tell whether it is a PNG or a GIF of 32 × 32 pixels at most, and nothing else, to the last byte."""
    if not 0 < len(data) <= _LARGEST_ICON:
        return False
    return _is_small_png(data) if data.startswith(_PNG) else _is_small_gif(data)


def _is_small_png(data: bytes) -> bool:
    """Tell whether there are chunks of a small picture alone (PNG, 5.3), which end where the bytes end."""
    at, last = len(_PNG), b""
    while at + 12 <= len(data):
        length, last = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        names_program = last == b"tEXt" and length <= _PROGRAM and data.startswith(b"Software\0", at + 8)
        if last not in _PNG_CHUNKS and not names_program:
            return False
        at += 12 + length
    width, height = struct.unpack_from(">II", data, 16) if len(data) >= 24 else (0, 0)
    return at == len(data) and last == b"IEND" and 0 < width <= _WIDEST_ICON and 0 < height <= _WIDEST_ICON


def _is_small_gif(data: bytes) -> bool:
    """Tell whether it is a small picture without comments (GIF89a, 24), from its header to its trailer."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 14 or data[-1:] != b";":
        return False
    width, height = struct.unpack_from("<HH", data, 6)
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while at < len(data) - 1:
        if data[at] == 0x21 and data[at + 1] == 0xF9:
            at += 2
        elif data[at] == 0x2C and at + 10 < len(data):
            at += 11 + (3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0)
        else:
            return False
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
    return at == len(data) - 1 and 0 < width <= _WIDEST_ICON and 0 < height <= _WIDEST_ICON


def _is_ssh_key(data: bytes) -> bool:
    """Tell whether it is fields with their lengths before them, to the last byte (RFC 4253, 6.6)."""
    at, fields = 0, 0
    while at + 4 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if fields == 0 and not data[4:].startswith(_SSH_KEYS):
            return False
        at, fields = at + 4 + length, fields + 1
    return at == len(data) and fields >= 2


def _der(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Return tag, beginning and end of the DER element at a place (X.690, 8.1); None: there is none."""
    if at + 2 > len(data):
        return None
    tag, length, begin = data[at], data[at + 1], at + 2
    if length >= 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4:
            return None
        length, begin = int.from_bytes(data[begin : begin + size], "big"), begin + size
    return (tag, begin, begin + length) if begin + length <= len(data) else None


def _is_certificate(data: bytes) -> bool:
    """Tell whether it is a sequence of what is certified, an algorithm and bits (RFC 5280), or a public key's."""
    outer = _der(data, 0)
    if outer is None or outer[0] != _SEQUENCE or outer[2] != len(data):
        return False
    first = _der(data, outer[1])
    if first is None:
        return False
    second = _der(data, first[2])
    if second is None:
        return False
    if first[0] == 0x02:  # RSA's own form of a public key: modulus, exponent, and nothing else
        return second[0] == 0x02 and second[2] == len(data) and first[2] - first[1] >= 64
    if first[0] != _SEQUENCE:
        return False
    if second[0] == _BITS:
        return second[2] == len(data)
    third = _der(data, second[2])
    return second[0] == _SEQUENCE and third is not None and third[0] == _BITS and third[2] == len(data)


def _is_open_pgp(data: bytes) -> bool:
    """Tell whether it is packets that hold public keys and signatures alone, to the last byte (RFC 9580, 4.2)."""
    at = 0
    while at < len(data):
        head = data[at]
        size = (1, 2, 4, 0)[head & 3]
        if head & 0x80 == 0 or at + 2 > len(data):
            return False
        if head & 0x40:
            tag, length = head & 0x3F, data[at + 1]
            begin = at + 2
            if 192 <= length < 224 and begin < len(data):
                length, begin = ((length - 192) << 8) + data[begin] + 192, begin + 1
            elif length == 255:
                length, begin = int.from_bytes(data[begin : begin + 4], "big"), begin + 4
            elif length >= 224:
                return False
        elif size:
            tag, begin = head >> 2 & 0xF, at + 1 + size
            length = int.from_bytes(data[at + 1 : begin], "big")
        else:
            return False
        if tag not in _PUBLIC_PACKETS:
            return False
        at = begin + length
    return at == len(data) and len(data) >= 16


def _is_font(data: bytes) -> bool:
    """Tell whether it is WOFF with its own length in it, or OpenType with a table of contents."""
    if len(data) < 28:
        return False
    if data[:4] in (b"wOFF", b"wOF2"):
        return int.from_bytes(data[8:12], "big") == len(data)
    tables = int.from_bytes(data[4:6], "big")
    return data[:4] in (b"OTTO", b"\0\1\0\0", b"true") and 4 <= tables <= 64 and data[12:16].isascii()

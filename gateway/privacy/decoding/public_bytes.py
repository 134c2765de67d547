"""Bytes that are made for everybody, told by their structure: digests, public keys, certificates, fonts.

Pure. A word before them is no reason: what is passed over has to be what it seems to be, byte by byte.
"""

import struct

from gateway.privacy.decoding.certificates import held

DIGESTS = frozenset({16, 20, 28, 32, 48, 64})  # bytes of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512; of a UUID, too
_SSH_KEYS = (b"ssh-", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-")
_PUBLIC_PACKETS = frozenset({2, 6, 13, 14})  # signature, public key, user ID, public subkey


def public_parts(data: bytes) -> list[bytes] | None:
    """Return the parts of a certificate, a request for one, a public key, a signature or a font; None: it is none.

    They are public, and hold names all the same: what can be read in the parts counts like any text.
    """
    parts = held(data)
    if parts is not None:
        return parts
    return [data] if _is_ssh_key(data) or _is_open_pgp(data) or _is_font(data) else None


def _is_ssh_key(data: bytes) -> bool:
    """Tell whether it is fields with their lengths before them, to the last byte (RFC 4253, 6.6)."""
    at, fields = 0, 0
    while at + 4 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if fields == 0 and not data[4:].startswith(_SSH_KEYS):
            return False
        at, fields = at + 4 + length, fields + 1
    return at == len(data) and fields >= 2


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
    if data[:4] in (b"wOFF", b"wOF2"):  # with neither notes nor private data (WOFF 2, 4.1)
        notes = data[24:44] if data[:4] == b"wOFF" else data[28:48]
        return int.from_bytes(data[8:12], "big") == len(data) and not any(notes)
    tables = int.from_bytes(data[4:6], "big")
    return data[:4] in (b"OTTO", b"\0\1\0\0", b"true") and 4 <= tables <= 64 and data[12:16].isascii()

"""Packed bytes → their members: gzip, zlib, deflate, bzip2, xz, zip (with Office documents), tar. Pure, bounded.

A member is a name and its bytes. What can't be unpacked, or is not told in an archive's directory, is a doubt.
"""

import bz2
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, TypeAlias

from gateway.privacy.decoding.budget import UNREADABLE, Decoding, DecodingLimit

Members: TypeAlias = list[tuple[str, bytes]]

MOST_UNPACKED = 1_000_000  # bytes of one piece
_MOST_MEMBERS = 2_000
_MEMORY = 64 << 20  # for the dictionary of xz
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_TELLING = 32  # bytes unpacked without an error that tell a stream that was cut off
_SLACK = 24  # bytes between two members: the descriptor behind the first
_ZIP_END, _ZIP_END_BYTES = b"PK\5\6", 22  # of the end of the directory, without its comment
_ZIP_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_PACKED: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (_GZIP, lambda: zlib.decompressobj(wbits=31)),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(memlimit=_MEMORY)),
    (b"]\0\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY)),
)
_CLOSED = (
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x04\x22\x4d\x18",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"\x1f\x9d",
)
"""How Zstandard, 7-Zip, RAR, LZ4, old Office documents and compress begin."""
_FIRSTS = frozenset(
    {_ZIP[:1], *(magic[:1] for magic, _ in _PACKED), *(magic[:1] for magic in _CLOSED)}
    | {bytes([method << 4 | 8]) for method in range(8)}
)  # the last are zlib's


def members(data: bytes, decoding: Decoding) -> Members | None:
    """Return what is packed in the bytes; None: they are not packed.

    Raises:
        DecodingLimit: It is more than a megabyte, or thousands of members.
    """
    if data[:1] not in _FIRSTS and data[257:262] != b"ustar":
        return None
    for magic, decompressor in _PACKED:
        if data.startswith(magic):
            found = _unpacked(data, magic, decompressor, decoding)
            if found is None and magic != b"]\0\0":
                decoding.doubt(UNREADABLE)
                return []
            return found
    if data.startswith(_ZIP):
        return _zip(data, decoding)
    if data[257:262] == b"ustar":
        return _tar(data, decoding)
    if data.startswith(_CLOSED) and len(data) >= 12:
        decoding.doubt(UNREADABLE)
        return []
    if len(data) > 8 and data[0] & 0x8F == 0x08 and (data[0] * 256 + data[1]) % 31 == 0:
        return _unpacked(data, None, zlib.decompressobj, decoding)
    return None


def inflated(data: bytes, decoding: Decoding) -> bytes | None:
    """Return what bytes of bare deflate, without any header, unpack to; None: they are none, or not to their end.

    Raises:
        DecodingLimit: It is more than a megabyte.
    """
    stream = zlib.decompressobj(wbits=-15)
    try:
        found = stream.decompress(data, MOST_UNPACKED)
    except zlib.error:
        return None
    decoding.spend(len(found))
    if len(found) == MOST_UNPACKED and not stream.eof:
        raise DecodingLimit
    if not stream.eof:
        return found if len(found) >= 32 else None
    return found + stream.unused_data if len(stream.unused_data) <= 8 else None


def _unpacked(data: bytes, magic: bytes | None, decompressor: Callable[[], Any], decoding: Decoding) -> Members | None:
    """Return all members one after the other, and what stands behind the last; None: it can't be unpacked.

    Raises:
        DecodingLimit: It is more than a megabyte.
    """
    weak = magic is None or magic.startswith(b"]")  # two bytes that anything may begin with
    found = b""
    rest = data
    while rest:
        stream = decompressor()
        try:
            piece = stream.decompress(rest, MOST_UNPACKED - len(found))
        except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError):
            if not found:
                return None
            decoding.doubt(UNREADABLE)
            break
        decoding.spend(len(piece))
        found += piece
        if weak and not stream.eof and len(found) < _TELLING:
            return None
        if len(found) >= MOST_UNPACKED:
            raise DecodingLimit
        rest = stream.unused_data.lstrip(b"\0") if stream.eof else b""
        if rest and (weak or magic is None or not rest.startswith(magic)):
            return [("", found), ("", rest)]
    return [("", found)]


def _zip(data: bytes, decoding: Decoding) -> Members:
    found: Members = []
    left = MOST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = sorted(archive.infolist(), key=lambda info: info.header_offset)
            if len(listed) > _MOST_MEMBERS:
                raise DecodingLimit
            ended = data.rfind(_ZIP_END) + _ZIP_END_BYTES + len(archive.comment) == len(data)
            if not ended or not _all_listed(data, listed, archive.start_dir):
                decoding.doubt(UNREADABLE)
            found.append(("", archive.comment))
            for info in listed:
                if info.flag_bits & 1 or info.compress_type not in _ZIP_METHODS:
                    decoding.doubt(UNREADABLE)
                    found.append((info.filename, b""))
                    continue
                with archive.open(info) as member:
                    content = member.read(left + 1)
                left -= len(content)
                decoding.spend(len(content))
                if left < 0:
                    raise DecodingLimit
                found += ((info.filename, content), ("", info.comment))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, struct.error, NotImplementedError,
            RuntimeError, LookupError):  # fmt: skip
        decoding.doubt(UNREADABLE)
    return found


def _all_listed(data: bytes, listed: list[zipfile.ZipInfo], directory: int) -> bool:
    """Tell whether every byte before the directory belongs to a member that the directory lists."""
    end = 0
    for info in listed:
        if not 0 <= info.header_offset - end <= _SLACK:
            return False
        name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
        end = info.header_offset + 30 + name + extra + info.compress_size
    return 0 <= directory - end <= _SLACK


def _tar(data: bytes, decoding: Decoding) -> Members:
    found: Members = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for number, info in enumerate(archive):
                if number >= _MOST_MEMBERS:
                    raise DecodingLimit
                content = archive.extractfile(info) if info.isreg() else None
                found.append((f"{info.name} {info.linkname}", content.read() if content is not None else b""))
                decoding.spend(len(found[-1][1]))
    except (tarfile.TarError, OSError, EOFError, ValueError, struct.error):
        decoding.doubt(UNREADABLE)
    return found

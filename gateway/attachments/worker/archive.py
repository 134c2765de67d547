"""Archives: every file in them is read by its own kind, to a depth and a size. ZIP, tar, gzip, bzip2, xz."""

import bz2
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Protocol

from gateway.attachments.worker.parts import Budget, Inside, Parts, Reason, Unread
from gateway.attachments.worker.zip_file import ZipFile
from gateway.core.attachment import Piece

_STEP = 1 << 20  # bytes that are unpacked at once
_MOST_MEMBERS = 10_000
_LONGEST_HEAD = 256 * 1024  # of gzip: an extra field, and the names
_BLOCK = 512  # of tar
_TEXTS = ((0, 100), (157, 257), (265, 297), (297, 329), (345, 512))  # in a head of tar: names, links, owners
_TAR_ERRORS = (tarfile.TarError, EOFError, OSError, ValueError)


class _Unpacker(Protocol):
    """What the libraries of gzip, bzip2 and xz have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def read_zip(data: bytes, budget: Budget) -> Parts:
    """Yield the names of the files, then the files."""
    try:
        archive = ZipFile(data)
    except zipfile.BadZipFile:
        yield Unread(reason=Reason.BROKEN)
        return
    words = [*archive.comments, *(member.filename for member in archive.members)]
    if words:
        yield Piece(place="file names", text="\n".join(words))
    for number, member in enumerate(archive.members, 1):
        content = archive.read(member, budget)
        if content is not None:
            yield Inside(place=f"file {number}", data=content, name=member.filename)
    yield from (Unread(reason=reason) for reason in archive.reasons)


def read_tar(data: bytes, budget: Budget) -> Parts:
    """Yield the names of the files and of their owners, then the files."""
    words: dict[str, None] = {}
    end = 0
    try:
        with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
            for number, member in enumerate(archive, 1):
                if number > _MOST_MEMBERS:
                    yield Unread(reason=Reason.TOO_LARGE)
                    break
                said = (
                    member.name,
                    member.linkname,
                    member.uname,
                    member.gname,
                    *map(str, member.pax_headers.values()),
                )
                words.update(
                    (word, None) for word in (*said, *_hidden_in(data[member.offset : member.offset_data])) if word
                )
                end = member.offset_data
                if member.isfile():
                    budget.unpack(member.size)
                    end += member.size
                    if data[end : (end := end + -end % _BLOCK)].strip(b"\0"):
                        yield Unread(reason=Reason.OBJECT)
                    content = archive.extractfile(member)
                    yield Inside(place=f"file {number}", data=content.read() if content else b"", name=member.name)
    except _TAR_ERRORS:
        yield Unread(reason=Reason.BROKEN)
    if data[end:].strip(b"\0"):
        yield Unread(reason=Reason.OBJECT)
    if words:
        yield Piece(place="file names", text="\n".join(words))


def _hidden_in(head: bytes) -> Iterator[str]:
    """Yield what stands behind the ends of texts in a member's heads. See POSIX, pax, "ustar Interchange Format"."""
    for at in range(0, len(head), _BLOCK):
        for start, stop in _TEXTS:
            _, *rest = head[at + start : at + stop].split(b"\0")
            yield from (some.decode("utf-8", "replace") for some in rest if some)


def read_packed(data: bytes, budget: Budget) -> Parts:
    """Yield the one file that stands in a compressed one."""
    content = bytearray()
    heads: list[bytes] = []
    try:
        for some in _unpacked(data, budget, heads):
            content += some
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        yield Unread(reason=Reason.BROKEN)
    name = "\n".join(filter(None, map(_gzip_name, heads)))
    if name:
        yield Piece(place="file names", text=name)
    if any(_has_extra(head) for head in heads):
        yield Unread(reason=Reason.OBJECT)
    if content:
        yield Inside(place="file 1", data=bytes(content), name=name)


def _unpacked(data: bytes, budget: Budget, heads: list[bytes]) -> Iterator[bytes]:
    """Yield what is unpacked, of all streams that stand behind one another; `heads` gets how each begins.

    Raises:
        EOFError: it is cut off.
        BudgetSpent: it is more than what is left.
    """
    while data.strip(b"\0"):
        unpacker = _unpacker(data)
        heads.append(data[:_LONGEST_HEAD])
        left = data
        while not unpacker.eof:
            some = unpacker.decompress(left, _STEP)
            budget.unpack(len(some))
            left = getattr(unpacker, "unconsumed_tail", b"")  # zlib hands back what it has not taken, others keep it
            if not some and not unpacker.eof and not left:
                raise EOFError
            yield some
        data = unpacker.unused_data


def _unpacker(data: bytes) -> _Unpacker:
    if data.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    if data.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor(memlimit=256 * 2**20)
    return zlib.decompressobj(wbits=31)


def _has_extra(head: bytes) -> bool:
    return head[:2] == b"\x1f\x8b" and bool(head[3] & 0x04)


def _gzip_name(data: bytes) -> str:
    """Return the name that a gzip file keeps. See RFC 1952, 2.3."""
    if data[:2] != b"\x1f\x8b" or len(data) < 10 or not data[3] & 0x18:
        return ""
    at = 10
    if data[3] & 0x04:
        at += 2 + int.from_bytes(data[10:12], "little")
    names = data[at:].split(b"\0", 2)
    count = bool(data[3] & 0x08) + bool(data[3] & 0x10)  # a name, a comment
    return "\n".join(name.decode("latin-1") for name in names[:count])

"""Decompress answers within a limit: a few kilobytes can't become gigabytes. Pure."""

import zlib
from collections.abc import Iterable, Iterator

from gateway.core.errors import TargetProtocolError

_STEP = 1 << 18
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_RAW_DEFLATE = -zlib.MAX_WBITS
_GZIP = b"\x1f\x8b"
_NAMES = frozenset({"gzip", "x-gzip", "deflate", "x-deflate", "zlib"})
# What servers write for "not compressed", some of them taking one header for another.
_NO_NAMES = frozenset({"", "identity", "none", "utf-8", "utf8", "binary", "8bit", "chunked", "text"})
# How an answer begins that is not compressed, although its header says so.
_PLAIN = (b'{"', b"{ ", b"{\n", b"{\r", b"data:", b"event:", b": ", b":\n")


class Inflater:
    """Decoder of one answer's `Content-Encoding`, which counts what comes out.

    Targets are asked for plain bytes. Some compress all the same, so gzip and deflate are read, also without zlib's
    head and in several members; and some only say so. The rest is refused.
    """

    def __init__(self, encoding: str, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._size = 0
        self._begin = b""
        self._zlib: zlib._Decompress | None = None
        names: list[str] = []
        if encoding:
            words = [word.partition(";")[0].strip(" \t\"'").lower() for word in encoding.split(",")]
            names = [word for word in words if word not in _NO_NAMES]
        if len(names) > 1 or not _NAMES.issuperset(names):
            raise TargetProtocolError("The target's answer is compressed in a way that was not asked for.")
        self._deflate = "gzip" not in "".join(names)
        self._undecided = bool(names)

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        """Return plain bytes, in pieces of at most 256 KiB where they were compressed; a tuple where they were not.

        Raises:
            TargetProtocolError: the compression is broken, or more than the limit came out.
        """
        if self._undecided or self._zlib is not None:
            return self._unpacked(chunk)
        self._size += len(chunk)
        if self._size > self._most_bytes:
            raise self._too_large()
        return (chunk,)

    def _unpacked(self, chunk: bytes) -> Iterator[bytes]:
        if self._undecided:
            chunk = self._begin = self._begin + chunk
            if not self._decide(chunk):
                return
            self._undecided, self._begin = False, b""
        if self._zlib is None:
            self._count(chunk)
            yield chunk
        else:
            yield from self._inflated(chunk)

    def finish(self) -> None:
        """End the bytes.

        Raises:
            TargetProtocolError: the compressed stream was cut.
        """
        if self._undecided or (self._zlib is not None and not self._zlib.eof):
            raise TargetProtocolError("The target's compressed answer was cut.")

    def _decide(self, begin: bytes) -> bool:
        """Choose by the first bytes how to go on; False: they are too few."""
        if any(len(begin) < len(one) and one.startswith(begin) for one in (*_PLAIN, _GZIP)) or len(begin) < 2:
            return False
        if not begin.startswith(_PLAIN):
            has_head = begin.startswith(_GZIP) or (begin[0] & 15 == 8 and (begin[0] << 8 | begin[1]) % 31 == 0)
            self._zlib = zlib.decompressobj(_RAW_DEFLATE if self._deflate and not has_head else _GZIP_OR_ZLIB)
        return True

    def _inflated(self, chunk: bytes) -> Iterator[bytes]:
        assert self._zlib is not None
        piece = b"x"
        # All input may be read while output is still held back, so an empty piece ends it, not an empty chunk.
        while chunk or piece:
            if self._zlib.eof:  # another member may follow, which begins as the first did
                self._begin += chunk
                if not self._begin.startswith(_GZIP):
                    self._begin = self._begin[:1] if _GZIP.startswith(self._begin) else b"\0"
                    return
                self._zlib, chunk, self._begin = zlib.decompressobj(_GZIP_OR_ZLIB), self._begin, b""
            try:
                piece = self._zlib.decompress(chunk, _STEP)
            except zlib.error as error:
                raise TargetProtocolError("The target's answer is not what its Content-Encoding says.") from error
            chunk = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            self._count(piece)
            if piece:
                yield piece

    def _count(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._most_bytes:
            raise self._too_large()

    def _too_large(self) -> TargetProtocolError:
        return TargetProtocolError(f"The target's answer is larger than {self._most_bytes} bytes.")

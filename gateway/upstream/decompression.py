"""Decompress answers within a limit: a few kilobytes can't become gigabytes. Pure."""

import zlib
from collections.abc import Iterator

from gateway.core.errors import TargetProtocolError

_STEP = 1 << 18
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Inflater:
    """Decoder of one answer's `Content-Encoding`, which counts what comes out.

    Targets are asked for plain bytes. Some compress all the same, so gzip and deflate are read; the rest is refused.
    """

    def __init__(self, encoding: str, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._size = 0
        match encoding.strip().lower():
            case "" | "identity":
                self._zlib = None
            case "gzip" | "x-gzip" | "deflate":
                self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
            case _:
                raise TargetProtocolError("The target's answer is compressed in a way that was not asked for.")

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield plain bytes, in pieces of at most 256 KiB where they were compressed.

        Raises:
            TargetProtocolError: the compression is broken, or more than the limit came out.
        """
        if self._zlib is None:
            self._count(chunk)
            yield chunk
            return
        piece = b"x"
        # All input may be read while output is still held back, so an empty piece ends it, not an empty chunk.
        while (chunk or piece) and not self._zlib.eof:
            try:
                piece = self._zlib.decompress(chunk, _STEP)
            except zlib.error as error:
                raise TargetProtocolError("The target's answer is not what its Content-Encoding says.") from error
            chunk = self._zlib.unconsumed_tail
            self._count(piece)
            if piece:
                yield piece

    def finish(self) -> None:
        """End the bytes.

        Raises:
            TargetProtocolError: the compressed stream was cut.
        """
        if self._zlib is not None and not self._zlib.eof:
            raise TargetProtocolError("The target's compressed answer was cut.")

    def _count(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._most_bytes:
            raise TargetProtocolError(f"The target's answer is larger than {self._most_bytes} bytes.")

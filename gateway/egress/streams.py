"""Connections between the gateway and the egress process: asyncio's streams, which say at once when they end."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

_LIMIT = 256 * 1024  # bytes read ahead: a reader that is slow holds its writer up soon


class Watched(asyncio.StreamReader):
    """Reader that calls whoever watches when the other side is gone."""

    def __init__(self) -> None:
        super().__init__(limit=_LIMIT, loop=asyncio.get_running_loop())
        self.ended = False
        self._watcher: Callable[[], object] | None = None

    def feed_eof(self) -> None:
        """Note the end."""
        super().feed_eof()
        self._over()

    def set_exception(self, exc: BaseException) -> None:
        """Note that the connection broke."""
        super().set_exception(exc)  # type: ignore[arg-type]  # typeshed knows Exception alone
        self._over()

    @contextlib.contextmanager
    def watched(self, watcher: Callable[[], object]) -> Iterator[None]:
        """Call `watcher` if the connection ends, or has ended."""
        self._watcher = watcher
        if self.ended:
            watcher()
        try:
            yield
        finally:
            self._watcher = None

    def _over(self) -> None:
        self.ended = True
        if self._watcher is not None:
            self._watcher()


async def open_streams(connection: socket.socket) -> tuple[Watched, asyncio.StreamWriter]:
    """Return the streams of a connected Unix socket."""
    loop = asyncio.get_running_loop()
    reader = Watched()
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    connection.setblocking(False)
    transport, _ = await loop.create_unix_connection(lambda: protocol, sock=connection)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

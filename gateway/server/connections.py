"""Open connections: which are idle, which readers take nothing, and how many there may be."""

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Handler

_LOOKS = 4  # looks at a connection within its write limit
_SEND_BUFFER = 256 * 1024  # bytes that the system keeps for one slow reader; Linux takes it twice
_TCP_INFO = struct.Struct("=24xI92xQ16xI")  # tcpi_unacked (segments), tcpi_bytes_acked, tcpi_notsent_bytes


class Connection(web.RequestHandler):
    """One client's connection, which its owner hears of from the first to the last moment."""

    __slots__ = ("_open", "progress", "wire")

    def __init__(self, server: web.Server, owner: "Connections", **settings: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **settings)
        self._open = owner
        self.wire: asyncio.Transport | None = None  # stays while a closed connection still has bytes to send
        self.progress: tuple[int, float] | None = None  # what it has taken, and since when it has taken no more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve."""
        self.wire = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from asyncio's
        self.wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._open.opened(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End what runs for this client."""
        self.wire = None
        self._open.closed(self)
        super().connection_lost(exc)

    @property
    def delivery(self) -> tuple[int, int]:
        """Return how much the client has not taken yet, 0: nothing; and a number that changes when it takes some."""
        return _delivery(self.wire) if self.wire is not None else (0, 0)


class Connections:
    """Owner of all open connections and of one limit: a reader that takes nothing for `write_seconds` is cut off.

    The limit holds for whatever is written: streams, whole answers, errors, pages.
    """

    def __init__(self, *, most: int, write_seconds: float) -> None:
        self._most = most
        self._seconds = write_seconds
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # the longest idle first
        self._expected: dict[Connection, float] = {}  # in their TLS handshake, until then; the oldest first
        self._running = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def opened(self, connection: Connection) -> None:
        """Note a new connection."""
        self._expected.pop(connection, None)
        self._open.add(connection)
        self._idle[connection] = None

    def closed(self, connection: Connection) -> None:
        """Note that a connection has ended."""
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def expect(self, connection: Connection, until: float) -> None:
        """Count a connection that is not open yet; where it never opens, nobody says so."""
        self._expected[connection] = until

    def make_room(self, now: float) -> bool:
        """Return whether one more may be served; the connection that was idle for longest goes for it."""
        while self._expected and next(iter(self._expected.values())) <= now:
            del self._expected[next(iter(self._expected))]
        if len(self._open) + len(self._expected) < self._most:
            return True
        for connection in self._idle:
            if connection.wire is not None and not connection.delivery[0]:
                connection.force_close()
                self.closed(connection)
                return True
        return False

    def close_idle(self) -> None:
        """Close connections without a request, and each other one behind its answer."""
        for connection in tuple(self._open):
            connection.force_close() if connection in self._idle else connection.close()

    @web.middleware
    async def track(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a request, and note that its connection is not idle meanwhile."""
        connection = cast(Connection, request.protocol)
        self._idle.pop(connection, None)
        self._running += 1
        self._quiet.clear()
        try:
            return await handler(request)
        finally:
            self._running -= 1
            if not self._running:
                self._quiet.set()
            if connection in self._open:
                self._idle[connection] = None

    async def quiet(self) -> None:
        """Return when no request is being handled."""
        await self._quiet.wait()

    async def watch(self, clock: Callable[[], float]) -> None:
        """Cut off readers that take nothing. Runs until cancelled."""
        while True:
            await asyncio.sleep(self._seconds / _LOOKS)
            now = clock()
            for connection in tuple(self._open):
                if self._stuck(connection, now) and connection.wire is not None:
                    connection.wire.abort()

    def _stuck(self, connection: Connection, now: float) -> bool:
        missing, taken = connection.delivery
        before = connection.progress
        if not missing:
            connection.progress = None
        elif before is None or taken != before[0]:
            connection.progress = (taken, now)
        else:
            return now - before[1] >= self._seconds
        return False


def _delivery(transport: asyncio.Transport) -> tuple[int, int]:
    """Return how much was not taken (0: nothing), and how much was, as Linux counts it (`struct tcp_info`)."""
    waiting = transport.get_write_buffer_size()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError, struct.error):
            told = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
            on_the_way, acknowledged, unsent = _TCP_INFO.unpack(told)
            return waiting + on_the_way + unsent, acknowledged
    return waiting, waiting

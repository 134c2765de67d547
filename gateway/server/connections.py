"""Open connections: which are idle, which readers take nothing, and how many there may be."""

import asyncio
from collections.abc import Callable

from gateway.server.connection import Connection

_LOOKS = 4  # looks at a connection within its write limit


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
        self._quiet: asyncio.Event | None = None  # of whoever waits until nothing runs

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

    def began(self, connection: Connection) -> None:
        """Note that a connection has a request that is being answered."""
        self._idle.pop(connection, None)
        self._running += 1

    def ended(self, connection: Connection) -> None:
        """Note that the answer has gone out, or that there will be none."""
        self._running -= 1
        if not self._running and self._quiet is not None:
            self._quiet.set()
        if connection in self._open:
            self._idle[connection] = None

    async def quiet(self) -> None:
        """Return when no request is being answered."""
        if self._running:
            self._quiet = asyncio.Event()
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

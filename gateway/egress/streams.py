"""Connections between the gateway and the egress process: frames, and word at once when the other side is gone.

A frame is four bytes of length (little-endian), one byte of kind, and the body.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import cast

from gateway.egress.tls import Secured

MAX_FRAME = 1024 * 2**20
HEAD = 5
_LIMIT = 512 * 1024  # bytes read ahead: a reader that is slow holds its writer up soon
_HANDSHAKE_SECONDS = 10.0
# A machine that vanishes says nothing: seconds of silence until it is asked, between questions, and how many.
_QUIET, _ASK_EVERY, _ASK_TIMES = 15, 5, 3
# Seconds until words count as lost that nobody takes. A gateway's are taken at once, those to it as slowly as a client
# reads.
_UNTAKEN_CALLER, _UNTAKEN_CALLED = _QUIET + _ASK_EVERY * _ASK_TIMES, 600


class Watched(asyncio.Protocol):
    """Reader of frames, which calls whoever watches when the other side is gone."""

    def __init__(self) -> None:
        self.ended = False
        self.lost = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._watcher: Callable[[], object] | None = None
        self._came = bytearray()
        self._wanted = HEAD  # bytes that the next frame has at least
        self._waiter: asyncio.Future[None] | None = None  # of who reads
        self._told: Callable[[], object] | None = None  # of who reads where it arrives
        self._held = False
        self._room: asyncio.Future[None] | None = None  # of who writes, where the other side is slow

    def taken(self) -> tuple[int, bytes] | None:
        """Take the next frame, if it has come whole; None: it has not.

        Raises:
            ValueError: No frame is so long.
        """
        came = self._came
        if len(came) < self._wanted:
            return None
        end = HEAD + int.from_bytes(came[:4], "little")
        if end > HEAD + MAX_FRAME:
            raise ValueError("no frame")
        if len(came) < end:
            self._wanted = end
            return None
        found = came[4], bytes(memoryview(came)[HEAD:end])
        del came[:end]
        self._wanted = HEAD
        return found

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame. Who stops waiting for it has taken nothing.

        Raises:
            EOFError: The connection ended before.
            ValueError: No frame is so long.
        """
        while (found := self.taken()) is None:
            if self.ended:
                raise EOFError
            if self._held:
                self._hold(False)
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return found

    @property
    def has_room(self) -> bool:
        """Whether the other side has read enough for more to be written."""
        return self._room is None and not self.lost

    async def room(self) -> None:
        """Wait until the other side has read enough for more to be written.

        Raises:
            ConnectionResetError: It is gone.
        """
        if self.lost:
            raise ConnectionResetError
        if self._room is not None:
            await asyncio.shield(self._room)

    @contextlib.contextmanager
    def told(self, came: Callable[[], object]) -> Iterator[None]:
        """Call `came` wherever bytes have come, or the connection has ended. Nobody else reads meanwhile."""
        self._told = came
        if self._held:
            self._hold(False)
        try:
            yield
        finally:
            self._told = None

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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take what came; whoever reads is woken when that is a whole frame."""
        self._came += data
        if self._told is not None:
            self._told()
        elif self._waiter is None:
            if len(self._came) > _LIMIT and not self._held:
                self._hold(True)
        elif len(self._came) >= self._wanted:
            self._wake()

    def eof_received(self) -> None:
        """Note the end."""
        self._over()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self.lost = True
        self._over()
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_exception(ConnectionResetError())
            room.exception()  # whether anybody waits is not known

    def pause_writing(self) -> None:
        """Note that the other side is slow."""
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def _hold(self, held: bool) -> None:
        self._held = held
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if held else self._transport.resume_reading)()

    def _over(self) -> None:
        self.ended = True
        self._wake()
        if self._watcher is not None:
            self._watcher()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._told is not None:
            self._told()


class Writer:
    """Writer of frames, which are bytes to it."""

    def __init__(self, transport: asyncio.Transport, reader: Watched) -> None:
        self.transport = transport
        self._reader = reader
        self.write = transport.write
        self.writelines = transport.writelines
        self.is_closing = transport.is_closing
        self.drain = reader.room

    @property
    def has_room(self) -> bool:
        """Whether the other side has read enough for more to be written."""
        return self._reader.has_room


async def open_streams(connection: socket.socket, tls: Secured | None = None) -> tuple[Watched, Writer]:
    """Return reader and writer of a connected Unix socket, or, with `tls`, of a connection between machines.

    Raises:
        OSError: The other side is gone, or has no certificate that counts.
    """
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    if tls is None:
        transport, reader = await loop.create_unix_connection(Watched, sock=connection)
        return reader, Writer(transport, reader)
    _keep_alive(connection, _UNTAKEN_CALLED if tls.host is None else _UNTAKEN_CALLER)
    reader = Watched()  # made here: uvloop gives back a protocol of its own
    secured: asyncio.Transport
    if tls.host is None:
        secured, _ = await loop.connect_accepted_socket(
            lambda: reader, connection, ssl=tls.context(), ssl_handshake_timeout=_HANDSHAKE_SECONDS
        )
    else:
        secured, _ = await loop.create_connection(
            lambda: reader,
            sock=connection,
            ssl=tls.context(),
            server_hostname=tls.host,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
        )
    return reader, Writer(secured, reader)


def _keep_alive(connection: socket.socket, untaken: int) -> None:
    """Let the system notice a machine that is gone, and send short frames at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _QUIET),
        ("TCP_KEEPINTVL", _ASK_EVERY),
        ("TCP_KEEPCNT", _ASK_TIMES),
        ("TCP_USER_TIMEOUT", 1000 * untaken),
    ):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

"""Connections between the gateway and the egress process: frames, and word at once when the other side is gone.

A frame is four bytes of length (little-endian), one byte of kind, and the body.
"""

import asyncio
import socket
from collections.abc import Callable
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
        self.has_room = True  # the other side has read enough for more to be written
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._watcher: Callable[[], object] | None = None
        self._came: bytes | bytearray = b""  # what came together; a bytearray while a frame comes in pieces
        self._at = 0  # how much of it was taken
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
        came, at = self._came, self._at
        there = len(came) - at
        if there < self._wanted:
            return None
        body = at + HEAD
        size = int.from_bytes(came[at : at + 4], "little")
        if size > MAX_FRAME:
            raise ValueError("no frame")
        if there < HEAD + size:
            self._wanted = HEAD + size
            return None
        end = body + size
        # Frames that come whole, as nearly all do, are copied once: here.
        found = came[at + 4], came[body:end] if isinstance(came, bytes) else bytes(memoryview(came)[body:end])
        if end == len(came):
            self._came, self._at = b"", 0
        else:
            self._at = end
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

    async def room(self) -> None:
        """Wait until the other side has read enough for more to be written.

        Raises:
            ConnectionResetError: It is gone.
        """
        if self.lost:
            raise ConnectionResetError
        if self._room is not None:
            await asyncio.shield(self._room)

    def tell(self, came: Callable[[], object] | None) -> None:
        """Call `came` wherever bytes have come, or the connection has ended; None: nobody any more.

        Nobody else reads meanwhile.
        """
        self._told = came
        if came is not None and self._held:
            self._hold(False)

    def watch(self, watcher: Callable[[], object] | None) -> None:
        """Call `watcher` if the connection ends, or has ended; None: nobody any more."""
        self._watcher = watcher
        if watcher is not None and self.ended:
            watcher()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take what came; whoever reads is woken when that is a whole frame."""
        if self._came:
            self._keep(data)
        else:
            self._came = data
        if self._told is not None:
            self._told()
        elif self._waiter is None:
            if len(self._came) - self._at > _LIMIT and not self._held:
                self._hold(True)
        elif len(self._came) - self._at >= self._wanted:
            self._wake()

    def _keep(self, data: bytes) -> None:
        """Put what came behind what is not taken yet."""
        if isinstance(self._came, bytearray):
            del self._came[: self._at]
        else:
            self._came = bytearray(memoryview(self._came)[self._at :])
        self._at = 0
        self._came += data

    def eof_received(self) -> None:
        """Note the end."""
        self._over()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self.lost, self.has_room = True, False
        self._over()
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_exception(ConnectionResetError())
            room.exception()  # whether anybody waits is not known

    def pause_writing(self) -> None:
        """Note that the other side is slow."""
        self._room, self.has_room = self._loop.create_future(), False

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        room, self._room, self.has_room = self._room, None, not self.lost
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

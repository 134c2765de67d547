"""Connections of clients: the supervisor accepts them and hands each to the next worker that answers.

By turns, because connections live long: from one queue, as from sockets with SO_REUSEPORT, a client that opens eight at
once may get them all, or seven, from one worker. A worker holds them alone, so that it may finish when it is to end.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable, Sequence

import structlog

LOG = structlog.get_logger("aduana")
_BACKLOG = 512
_TAKEN = b"t"
_AT_ONCE = 64  # connections between two looks at anything else
_NOBODY_SECONDS = 0.05  # until it is tried again where nobody takes a connection
_NO_FILES_SECONDS = 1.0  # likewise where the system has no descriptor for one


class Door:
    """The supervisor's side: owner of the sockets that listen."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        takers: Sequence[Callable[[socket.socket], bool]],
        anybody: Callable[[], bool],
    ) -> None:
        """Listen to nothing yet.

        Args:
            sockets: Bound, or listening already.
            takers: One for each worker: hands a connection to it, and returns False where it can't take one.
            anybody: Tells whether any worker answers; while none does, connections wait.
        """
        self._sockets = tuple(sockets)
        self._takers = tuple(takers)
        self._anybody = anybody
        self._next = 0
        self._open = False

    def open(self) -> None:
        """Begin to listen.

        Raises:
            OSError: Another program listens there by now.
        """
        self._open = True
        for one in self._sockets:
            one.setblocking(False)
            one.listen(_BACKLOG)
            self._watch(one)

    def close(self) -> None:
        """Listen no more: whoever connects from now on is refused."""
        loop = asyncio.get_running_loop()
        self._open = False
        for one in self._sockets:
            if one.fileno() >= 0:
                loop.remove_reader(one)
                one.close()

    def _watch(self, listening: socket.socket) -> None:
        if self._open:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _pause(self, listening: socket.socket, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        loop.call_later(seconds, self._watch, listening)

    def _accept(self, listening: socket.socket) -> None:
        if not self._anybody():
            self._pause(listening, _NOBODY_SECONDS)
            return
        for _ in range(_AT_ONCE):
            try:
                connection, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                LOG.error("server.no_descriptor", error=error.strerror, retry_in=_NO_FILES_SECONDS)
                self._pause(listening, _NO_FILES_SECONDS)
                return
            if not self.hand(connection):
                self._pause(listening, _NOBODY_SECONDS)
                return

    def hand(self, connection: socket.socket) -> bool:
        """Hand a connection to the next worker that takes it; False: none does now, and it is tried again soon."""
        handed = self._handed(connection)
        if handed or not self._open:
            connection.close()
        else:
            asyncio.get_running_loop().call_later(_NOBODY_SECONDS, self.hand, connection)
        return handed

    def _handed(self, connection: socket.socket) -> bool:
        for _ in self._takers:
            take = self._takers[self._next % len(self._takers)]
            self._next += 1
            if take(connection):
                return True
        return False


class HandedConnections:
    """A worker's side (`server.listener.Handed`): takes what the supervisor hands over."""

    def __init__(self, line: socket.socket, address: tuple[str, int]) -> None:
        """Take nothing yet. `address`: where clients connect, for whoever asks."""
        self._line = line
        self._address = address
        self._take: Callable[[socket.socket], None] = socket.socket.close

    def begin(self, take: Callable[[socket.socket], None]) -> tuple[str, int]:
        """Call `take` with each connection from now on, and return host and port of the main one's address."""
        self._take = take
        self._line.setblocking(False)
        asyncio.get_running_loop().add_reader(self._line, self._read)
        return self._address

    def end(self) -> None:
        """Take what was handed over by now, and nothing more."""
        self._read()
        asyncio.get_running_loop().remove_reader(self._line)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, descriptors, _flags, _address = socket.recv_fds(self._line, 1, 1)
            except BlockingIOError:
                return
            except OSError:
                data, descriptors = b"", []
            for descriptor in descriptors:
                self._take(socket.socket(fileno=descriptor))
                with contextlib.suppress(OSError):
                    self._line.send(_TAKEN)
            if not data:  # the supervisor is gone, which its other connection tells
                asyncio.get_running_loop().remove_reader(self._line)
                return


class Line:
    """The supervisor's end of the way by which connections go to one worker. `untaken`: those that it may not have."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self.untaken: deque[socket.socket] = deque()
        asyncio.get_running_loop().add_reader(end, self._heard)

    def take(self, connection: socket.socket) -> bool:
        """Hand a connection over; False: the worker can't take one now."""
        try:
            kept = connection.dup()  # first: what was sent must be known here until it is taken
        except OSError:
            return False
        try:
            socket.send_fds(self._end, [b"c"], [connection.fileno()])
        except OSError:  # too many wait to be taken, or it is gone
            kept.close()
            return False
        self.untaken.append(kept)
        return True

    def close(self) -> tuple[socket.socket, ...]:
        """End the way, and return the connections that the worker has not taken."""
        self._heard()
        asyncio.get_running_loop().remove_reader(self._end)
        self._end.close()
        return tuple(self.untaken)

    def _heard(self) -> None:
        try:
            taken = self._end.recv(_AT_ONCE)
        except OSError:
            return
        if not taken:  # it has ended, which somebody else waits for
            asyncio.get_running_loop().remove_reader(self._end)
        for _ in taken:
            self.untaken.popleft().close()

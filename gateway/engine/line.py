"""The worker's end of the socket to the gateway: messages in, messages out, and never a blocked step."""

import os
import select
import socket

from gateway.engine.messages import Frames, ToGateway, ToWorker, frame, to_worker

_RECEIVE = 1 << 20
_MOST_UNSENT = 16 * 2**20


class Gone(Exception):
    """The gateway closed its end."""


class Line:
    """The socket to the gateway: never blocks a step."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        connection.setblocking(False)
        self._frames = Frames()
        self._unsent = bytearray()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)

    def wake(self) -> None:
        """Ends a wait; callable from any thread."""
        os.write(self._wake_write, b"x")

    def receive(self) -> list[ToWorker]:
        """Messages that are here. Raises Gone at the end of the stream."""
        messages: list[ToWorker] = []
        while True:
            try:
                data = self._socket.recv(_RECEIVE)
            except BlockingIOError:
                return messages
            except OSError as error:
                raise Gone from error
            if not data:
                raise Gone
            messages += (to_worker.decode(body) for body in self._frames.feed(data))

    def wait(self) -> None:
        """Sleeps until there is something to read, room to write, or a call of `wake`."""
        readable: list[socket.socket | int] = [self._socket, self._wake_read]
        select.select(readable, [self._socket] if self._unsent else [], [])
        self._flush()
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            return

    def send(self, message: ToGateway) -> None:
        """Sends, or keeps for later what the socket does not take. A gateway that reads nothing stops the worker."""
        self._unsent += frame(message)
        self._flush()
        while len(self._unsent) > _MOST_UNSENT:
            select.select([], [self._socket], [])
            self._flush()

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            raise Gone from error

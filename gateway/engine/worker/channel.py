"""Worker's end of the socket to the gateway: messages in, messages out, and never a blocked step."""

import os
import select
import socket
import time

from gateway.engine.messages import Frames, ToGateway, ToWorker, frame, to_worker

_RECEIVE = 1 << 20
_MOST_UNSENT = 16 * 2**20
# A screen shows a picture every 7 to 16 ms. Tokens that come faster than this travel together: each message wakes the
# gateway, which takes a core from the next step, and a cold wake costs it several times what a token in a message does.
_GATHER_SECONDS = 0.016


class PeerClosed(Exception):
    """Sign that the gateway has closed its end."""


class Channel:
    """The socket to the gateway: never blocks a step."""

    def __init__(self, connection: socket.socket, *, gather_seconds: float = _GATHER_SECONDS) -> None:
        self._socket = connection
        self._gather_seconds = gather_seconds
        connection.setblocking(False)
        self._frames = Frames()
        self._unsent = bytearray()
        self._sent_at = float("-inf")
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)

    def close(self) -> None:
        """Let go of what `wake` needs; nobody may call it any more."""
        os.close(self._wake_read)
        os.close(self._wake_write)

    def wake(self) -> None:
        """End a wait; callable from any thread."""
        os.write(self._wake_write, b"x")

    def receive(self) -> list[ToWorker]:
        """Return the messages that are here, without waiting.

        Raises:
            PeerClosed: the stream has ended.
        """
        messages: list[ToWorker] = []
        while True:
            try:
                data = self._socket.recv(_RECEIVE)
            except BlockingIOError:
                return messages
            except OSError as error:
                raise PeerClosed from error
            if not data:
                raise PeerClosed
            messages += (to_worker.decode(body) for body in self._frames.feed(data))

    def wait(self) -> None:
        """Sleep until there is something to read, room to write, or a call of `wake`."""
        self.flush()
        waiting = select.poll()  # no `select`: a gateway with many clients hands down descriptors beyond 1,024
        waiting.register(self._socket, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        waiting.register(self._wake_read, select.POLLIN)
        waiting.poll()
        self.flush()
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            return

    def send(self, message: ToGateway, *, patient: bool = False) -> None:
        """Send a message, or keep for later what the socket does not take.

        A gateway that reads nothing stops the worker. A `patient` message may wait a few milliseconds for the next one,
        or for `flush`.
        """
        self._unsent += frame(message)
        if patient and time.monotonic() - self._sent_at < self._gather_seconds:
            return
        self.flush()
        while len(self._unsent) > _MOST_UNSENT:
            waiting = select.poll()
            waiting.register(self._socket, select.POLLOUT)
            waiting.poll()
            self.flush()

    def flush(self) -> None:
        """Send what waited.

        Raises:
            PeerClosed: the gateway has closed its end.
        """
        if not self._unsent:
            return
        self._sent_at = time.monotonic()
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            raise PeerClosed from error

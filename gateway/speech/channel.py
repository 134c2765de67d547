"""Socket to the gateway, as a descriptor: a worker behind its walls may read and write it, and knows no other."""

import os
import threading

from gateway.speech.messages import LENGTH_BYTES, ToGateway, ToWorker, frame, length_of, to_worker

_PIECE = 2**20


class Channel:
    """Messages to and from the gateway. Any thread may send; one receives."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._sending = threading.Lock()

    def receive(self) -> ToWorker | None:
        """Wait for the next message. None: the gateway is gone."""
        head = self._exactly(LENGTH_BYTES)
        body = head and self._exactly(length_of(head))
        return to_worker.decode(body) if body else None

    def send(self, message: ToGateway) -> None:
        """Send one message; nothing happens where the gateway is gone, for then the worker ends."""
        left = memoryview(frame(message))
        with self._sending:
            try:
                while left:
                    left = left[os.write(self._descriptor, left) :]
            except OSError:
                return

    def _exactly(self, count: int) -> bytes:
        """Return so many bytes; empty where the connection ends before."""
        found = bytearray()
        while len(found) < count:
            try:
                piece = os.read(self._descriptor, min(count - len(found), _PIECE))
            except OSError:
                return b""
            if not piece:
                return b""
            found += piece
        return bytes(found)

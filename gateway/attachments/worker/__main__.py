"""Start of the worker: close the sandbox, then read files from standard input until it ends."""

import gc
import io
import os
import sys
from collections.abc import Iterator

from gateway.attachments.worker import pdf, sandbox
from gateway.attachments.worker.files import read_file
from gateway.attachments.worker.messages import LENGTH, Done, Found, Ready, ToGateway, frame, job
from gateway.attachments.worker.parts import Budget, Kind, Pages, Reason, Unread
from gateway.core.attachment import FileKind, Piece

_CHUNK = 1 << 20


class Channel:
    """Pipes to the gateway, as descriptors of their own: what a library prints must not stand among the messages."""

    def __init__(self, source: int, sink: int) -> None:
        """Read from one descriptor, write to the other."""
        self._source = source
        self._sink = sink

    def read(self, count: int) -> bytes | None:
        """Return as many bytes; None: the gateway has gone."""
        data = bytearray()
        while len(data) < count:
            some = os.read(self._source, min(_CHUNK, count - len(data)))
            if not some:
                return None
            data += some
        return bytes(data)

    def send(self, message: ToGateway) -> None:
        """Send one message whole."""
        left = memoryview(frame(message))
        while left:
            left = left[os.write(self._sink, left) :]


class _Nowhere(io.TextIOBase):
    """Standard output of a process whose words nobody reads."""

    def write(self, text: str) -> int:
        """Lose a text."""
        return len(text)


def main(arguments: list[str]) -> None:
    """Serve until the gateway closes the pipe. The one argument: the most memory, in bytes."""
    channel = Channel(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    sys.stdout = sys.stderr = _Nowhere()  # where /dev/null is an ordinary file, no byte may be written into it
    gc.set_threshold(200_000, 20, 100)  # a sheet of a million cells makes many small objects and no cycle
    if pdf.installed():  # loaded before the walls rise, and before the first file waits for it
        import gateway.attachments.worker.pdf.document  # noqa: F401
    channel.send(Ready(protection=sandbox.close(int(arguments[0]))))
    while (length := channel.read(LENGTH)) is not None:
        body = channel.read(int.from_bytes(length, "little"))
        if body is None:
            return
        task = job.decode(body)
        data = channel.read(task.size)
        if data is None:
            return
        for message in answers(data, Budget(task.limits), task.name):
            channel.send(message)


def answers(data: bytes, budget: Budget, name: str) -> Iterator[Found | Done]:
    """Yield each piece of a file, then what is known of the whole."""
    kind, pages, reasons = FileKind.UNKNOWN, 0, dict[Reason, None]()
    for part in read_file(data, budget, name):
        match part:
            case Piece():
                yield Found(piece=part)
            case Unread():
                reasons[part.reason] = None
            case Pages():
                pages += part.count
            case Kind():
                kind = part.kind
    yield Done(kind=kind, pages=pages, reasons=tuple(reasons))


if __name__ == "__main__":
    main(sys.argv[1:])

"""A worker that reads files with a bug in it: formats of its own that crash, hang, print, or eat memory."""

import os
import sys
import time

from gateway.attachments.worker import __main__ as worker
from gateway.attachments.worker import files, text
from gateway.attachments.worker.kinds import Format
from gateway.attachments.worker.messages import Found, frame
from gateway.attachments.worker.parts import Budget, Parts
from gateway.core.attachment import FileKind, Piece


def _read(data: bytes, budget: Budget) -> Parts:
    if data.startswith(b"bug: "):
        yield Piece(place="", text="before the bug")
        sys.stdout.write("printed by a library")
        sys.stdout.flush()
        match data.removeprefix(b"bug: "):
            case b"abort":
                os.abort()
            case b"exit":
                os._exit(0)
            case b"hang":
                time.sleep(3600)
            case b"memory":
                yield Piece(place="", text=str(len([bytearray(2**24) for _ in range(1000)])))
            case b"recursion":
                _again(0)
            case b"flood":
                for _ in range(10**9):
                    os.write(4, frame(Found(piece=Piece(place="", text=""))))
            case b"place":
                os.write(4, frame(Found(piece=Piece(place="a line\nof a log", text=""))))
            case b"length":
                os.write(4, (2**31).to_bytes(4, "little"))
            case b"garbage":
                os.write(4, b"\xff" * 1000)
    yield from text.read(data, budget)


def _again(depth: int) -> int:
    return _again(depth + 1) + 1


if __name__ == "__main__":
    files.READERS[Format.TEXT] = (FileKind.TEXT, _read)
    worker.main(sys.argv[1:])

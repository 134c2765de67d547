"""A file of checkpoints elsewhere, as on another machine's mount, which may be away or hang."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class NotWritten(Exception):
    """Error of a file that can't be written now; says why in a sentence."""


class CheckpointFile:
    """File that is only ever appended to. A thread of its own does so: where the mount hangs, only that thread does."""

    def __init__(self, path: Path, *, seconds: float = 10.0) -> None:
        """Open nothing yet. `seconds`: how long anybody waits for the mount."""
        self.path = path
        self._seconds = seconds
        self._left: int | None = None  # bytes of the file behind the last line that was appended
        self._busy = False  # a thread is at it, also where nobody waits for it any more

    async def lines(self) -> frozenset[str] | None:
        """Return the lines that the file has; None: it is as `append` has left it.

        Raises:
            NotWritten: It can't be read now.
        """
        return await self._apart(self._lines)

    async def append(self, lines: Sequence[str]) -> None:
        """Append lines; they are on the disk there, as far as it says so, when this returns.

        Raises:
            NotWritten: It can't be written now.
        """
        self._left = await self._apart(lambda: self._append(lines))

    def _lines(self) -> frozenset[str] | None:
        as_left = self._left is not None and size_of(self.path) == self._left
        return None if as_left else lines_of(self.path)

    def _append(self, lines: Sequence[str]) -> int:
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            text = "".join(f"{line}\n" for line in lines)
            size = os.fstat(file.fileno()).st_size
            if size and os.pread(file.fileno(), 1, size - 1) != b"\n":  # a line that was cut off
                text = f"\n{text}"
            written = file.write(text.encode())
            if written != len(text.encode()):
                raise OSError(28, "the disk is full")
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    async def _apart(self, work: Callable[[], T]) -> T:
        """Do work in a thread that nobody waits for at the end, and return what it returns.

        Raises:
            NotWritten: It failed, or took too long.
        """
        if self._busy:
            raise NotWritten(f"{self.path} does not answer")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def finish(result: T | None, error: OSError | None) -> None:
            self._busy = False
            if not done.done():
                if error is not None:
                    done.set_exception(error)
                else:
                    done.set_result(result)  # type: ignore[arg-type]

        def run() -> None:
            result: T | None = None
            failed: OSError | None = None
            try:
                result = work()
            except OSError as error:
                failed = error
            with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody waits any more
                loop.call_soon_threadsafe(finish, result, failed)

        self._busy = True
        threading.Thread(target=run, name="checkpoint-file", daemon=True).start()
        try:
            return await asyncio.wait_for(done, self._seconds)
        except TimeoutError as error:
            raise NotWritten(f"{self.path} does not answer") from error
        except OSError as error:
            raise NotWritten(f"{self.path}: {error.strerror or error}") from error


def lines_of(path: Path) -> frozenset[str]:
    """Return the lines of a file of checkpoints; none where there is no file.

    Raises:
        OSError: It can't be read.
    """
    try:
        return frozenset(path.read_text(encoding="utf-8", errors="replace").split("\n"))
    except FileNotFoundError:
        return frozenset()


def size_of(path: Path) -> int | None:
    """Return the bytes of a file; None: there is none.

    Raises:
        OSError: It can't be looked at.
    """
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None

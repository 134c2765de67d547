"""One worker process, from the gateway's side: started when a file comes, killed when it is late.

INVARIANT: after a file that was not answered in time, or not in order, the process is dead. Nothing of one file can
come with the next one's answer.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import msgspec

import gateway
from gateway.attachments.worker.messages import (
    LENGTH,
    MAX_WORDS,
    Done,
    Found,
    Job,
    Ready,
    ToGateway,
    frame,
    to_gateway,
)
from gateway.attachments.worker.parts import MOST_PIECES, Limits, Reason
from gateway.core.attachment import Piece, Reading

_PLACE = re.compile(r"[\w ,.:()/-]{0,300}", re.ASCII)
_CHUNK = 256 * 1024  # of a file at once, so that no second copy of it waits in a buffer
_START_SECONDS = 30.0  # a machine that is busy loads libraries slowly
_GRACE_SECONDS = 2.0  # the worker ends by itself at the time limit; this much later it is ended


class NoReader(Exception):
    """Reason why there is no worker process: it could not be started."""


class ReaderProcess:
    """A worker process that reads one file after the other. `protection`: what holds it; None before it started."""

    def __init__(self, memory_bytes: int, module: str) -> None:
        """Start nothing yet. `memory_bytes`: the most that the process may use; `module`: what it runs."""
        self._memory_bytes = memory_bytes
        self._module = module
        self._process: asyncio.subprocess.Process | None = None
        self.protection: tuple[str, ...] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there, as far as is known."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process, unless it runs.

        Raises:
            NoReader: it can't be started.
        """
        if self.running:
            return
        await self.end()
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                str(self._memory_bytes),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # it may quote the file
                cwd="/",
                env=_environment(),
            )
            async with asyncio.timeout(_START_SECONDS):
                ready = await self._message()
        except (OSError, TimeoutError, EOFError, msgspec.DecodeError) as error:
            await self.end()
            raise NoReader from error
        if not isinstance(ready, Ready):
            await self.end()
            raise NoReader
        self.protection = ready.protection

    async def read(self, data: bytes, name: str, limits: Limits) -> Reading:
        """Return what a file says; what came before a crash or the end of the time is kept.

        Raises:
            NoReader: the process can't be started.
        """
        await self.start()
        pieces: list[Piece] = []
        try:
            async with asyncio.timeout(limits.seconds + _GRACE_SECONDS):
                done = await self._read(data, name, limits, pieces)
        except TimeoutError:
            await self.end()
            return _not_whole(pieces, Reason.TIME)
        except (OSError, EOFError, msgspec.DecodeError):
            await self.end()
            return _not_whole(pieces, Reason.READER_FAILED)
        except BaseException:  # cancelled in between: what the process says next belongs to nobody
            await self.end()
            raise
        return Reading(
            kind=done.kind,
            pieces=tuple(pieces),
            pages=done.pages,
            whole=not done.reasons,
            reasons=tuple(reason.value for reason in done.reasons),
        )

    async def end(self) -> None:
        """Kill the process."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await asyncio.shield(_gone(process))

    async def _read(self, data: bytes, name: str, limits: Limits, pieces: list[Piece]) -> Done:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.write(frame(Job(size=len(data), limits=limits, name=name)))
        view = memoryview(data)
        for at in range(0, len(data), _CHUNK):
            process.stdin.write(view[at : at + _CHUNK])
            await process.stdin.drain()
        left = limits.text_bytes
        while True:
            match await self._message(limits.text_bytes):
                case Found(piece=piece):
                    left -= len(piece.text)
                    # INVARIANT: whoever took the worker over can't fill the gateway's memory, or write where places go.
                    if left < 0 or len(pieces) >= MOST_PIECES or _PLACE.fullmatch(piece.place) is None:
                        raise EOFError
                    pieces.append(piece)
                case Done() as done:
                    return done
                case Ready():
                    raise EOFError

    async def _message(self, text_bytes: int = 0) -> ToGateway:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        length = int.from_bytes(await process.stdout.readexactly(LENGTH), "little")
        if length > MAX_WORDS + text_bytes:
            raise EOFError
        message: ToGateway = to_gateway.decode(await process.stdout.readexactly(length))
        return message


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Wait until a killed process is gone; asyncio sees that only when all that it had said is taken."""
    assert process.stdout is not None
    await process.stdout.read()
    await process.wait()


def _not_whole(pieces: list[Piece], reason: Reason) -> Reading:
    return Reading(pieces=tuple(pieces), reasons=(reason.value,))


def _environment() -> dict[str, str]:
    """Return the whole environment of the process: where its code is, and nothing of the gateway's."""
    root = str(Path(gateway.__file__).resolve().parent.parent)
    paths = [root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }

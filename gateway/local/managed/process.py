"""One start of a managed server: its launcher's process, its port and secret, what it prints, and how it ended."""

import asyncio
import contextlib
import os
import secrets
import sys
from pathlib import Path

from gateway.local.managed import launcher
from gateway.local.managed.command import HOST, command_line, environment
from gateway.local.managed.listening import free_port
from gateway.local.managed.output import ServerOutput
from gateway.local.managed.settings import ServerSettings

_MARGIN = 10.0  # seconds for the launcher, beyond the server's own
_TAIL = 4096  # bytes of a log file that may be told


class ServerProcess:
    """A server that runs, or has ended. `start` makes one; `end` must follow."""

    def __init__(
        self, settings: ServerSettings, process: asyncio.subprocess.Process, port: int, key: str, log_began: int
    ) -> None:
        self._settings = settings
        self._process = process
        self._log_began = log_began  # bytes that its log file had before
        self.port = port
        self.key = key
        self.output = ServerOutput(key)
        self.launcher = process.pid
        self.pid: int | None = None
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()  # how: `exit 1`, `signal 9`
        self._watching = asyncio.create_task(self._watch(), name="managed server")
        self._reading = asyncio.create_task(self._read(), name="managed server's output")

    @staticmethod
    async def start(settings: ServerSettings) -> "ServerProcess":
        """Start a server on a port of its own.

        Raises:
            OSError: it can't be started, or its log can't be written.
        """
        port, key = free_port(HOST), secrets.token_urlsafe(32)
        log, began = await asyncio.to_thread(_opened, settings.log)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", launcher.__file__, str(settings.stop_seconds)),
                *command_line(settings, port=port, key=key),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE if log is None else log,
                env=environment(settings, os.environ, port=port, key=key),
                cwd=settings.directory or None,
                start_new_session=True,  # a Ctrl-C in the terminal is the gateway's matter
            )
        finally:
            if log is not None:
                os.close(log)
        return ServerProcess(settings, process, port, key, began)

    async def last_lines(self) -> str:
        """Return what it printed last before it was ready; empty: nothing, or it was ready."""
        if not self._settings.log:
            await asyncio.wait([self._reading])
            return self.output.last()
        if not self.output.keeps:
            return ""
        self.output.feed(await asyncio.to_thread(_tail, Path(self._settings.log), self._log_began))
        return self.output.last()

    async def end(self) -> None:
        """Stop it, and return when every process of it has ended: all its memory in RAM is back then."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(self._settings.stop_seconds + _MARGIN):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()  # the kernel then kills the server
            await self._process.wait()
        await asyncio.wait([self._watching, self._reading], timeout=_MARGIN)
        for task in (self._watching, self._reading):
            task.cancel()
        await asyncio.wait([self._watching, self._reading])

    async def _watch(self) -> None:
        """Listen to the launcher until it ends."""
        assert self._process.stdout is not None
        how = "signal 9"  # where the launcher itself was killed
        try:
            while line := await self._process.stdout.readline():
                word, _, number = line.decode("ascii", "replace").strip().partition(" ")
                if word == "pid":
                    self.pid = int(number)
                elif not self.ended.done():
                    how = f"{word} {number}"
                    self.ended.set_result(how)
        finally:
            if not self.ended.done():
                self.ended.set_result(how)

    async def _read(self) -> None:
        if self._process.stderr is not None:
            with contextlib.suppress(OSError):
                while data := await self._process.stderr.read(65536):
                    self.output.feed(data)


def _opened(path: str) -> tuple[int | None, int]:
    """Open the file for what a server prints, and return it with its size; None: none is wanted."""
    if not path:
        return None, 0
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return file, os.fstat(file).st_size


def _tail(path: Path, began: int) -> bytes:
    with contextlib.suppress(OSError), path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(began, size - _TAIL))
        return file.read(_TAIL)
    return b""

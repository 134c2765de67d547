"""One worker as its supervisor sees it: a process that is started, heard, asked and ended."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

import msgspec

from gateway.app.workers.door import Line
from gateway.app.workers.messages import VARIABLE, Message, Page, Setup, Told, WantPage, framed, heard
from gateway.egress.keys import with_handed_keys

_PAGE_SECONDS = 2.0
_LAST_WORDS_SECONDS = 1.0


class WorkerProcess:
    """Owner of one process after another, under one number. `state`: how it is, in words behind its number."""

    def __init__(self, number: int, tell: Callable[["WorkerProcess", Message], Awaitable[None]]) -> None:
        """Start nothing yet. `tell`: is called with what it says besides how it is."""
        self.number = number
        self.ready = asyncio.Event()
        self.state = "starts"
        self.status = ""
        self.heard_at = 0.0
        self.last_page = ""
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._line: Line | None = None
        self.untaken: tuple[socket.socket, ...] = ()  # connections that the last one had been handed, and had not taken
        self._asks = itertools.count()
        self._pages: dict[int, asyncio.Future[None]] = {}

    async def life(self, setup: Setup, keys: int | None) -> int:
        """Start the process, hear it until it ends, and return how it ended.

        Args:
            setup: What it is told first.
            keys: Descriptor of clouds' keys that wait for its egress process. None: there are none.

        Raises:
            OSError: It can't be started.
        """
        line, theirs = socket.socketpair()
        self._line = Line(line)
        setup = msgspec.structs.replace(setup, line=theirs.fileno())
        try:
            with theirs:
                ours, self._process = await _started(setup, keys)
        except OSError:
            self._line.close()
            raise
        self.heard_at = asyncio.get_running_loop().time()
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        self.send(setup)
        hearing = asyncio.create_task(self._hear(reader), name=f"what worker {self.number} says")
        try:
            code = await self._process.wait()
            await asyncio.wait([hearing], timeout=_LAST_WORDS_SECONDS)  # until all that it said is read
            return code
        finally:
            hearing.cancel()
            self.ready.clear()
            self.status = ""
            self._writer.close()
            self.untaken, self._line = self._line.close(), None
            self._process = self._writer = None
            for waiting in self._pages.values():
                _wake(waiting)

    def take(self, connection: socket.socket) -> bool:
        """Hand a client's connection to the process; False: it can't take one now."""
        return self._line is not None and self.ready.is_set() and self._line.take(connection)

    def send(self, message: Message) -> None:
        """Tell the process something, if it runs."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(framed(message))

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal, if it runs."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def renew_page(self) -> None:
        """Ask for its metrics, and return when `last_page` has them; where it does not say in time, it stays."""
        if not self.ready.is_set():
            return
        ask = next(self._asks)
        waiting = self._pages[ask] = asyncio.get_running_loop().create_future()
        self.send(WantPage(ask=ask))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(waiting, _PAGE_SECONDS)
        self._pages.pop(ask, None)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while (message := await heard(reader)) is not None:
            self.heard_at = loop.time()
            match message:
                case Told():
                    self._note(message.text)
                case Page():
                    self.last_page = message.text.decode()
                    if message.ask in self._pages:
                        _wake(self._pages[message.ask])
                case _:
                    await self._tell(self, message)  # one after the other, as they were said

    def _note(self, text: str) -> None:
        for line in text.splitlines():
            name, _, value = line.partition("=")
            if name == "READY":
                self.ready.set()
            elif name == "STATUS":
                self.status = value


async def _started(setup: Setup, keys: int | None) -> tuple[socket.socket, asyncio.subprocess.Process]:
    """Start a process by the command of this one, and return it with the connection to it.

    Raises:
        OSError: It can't be started.
    """
    ours, theirs = socket.socketpair()
    environment, copy = with_handed_keys(os.environ, keys)
    handed = [theirs.fileno(), setup.line, setup.lock, *([] if copy is None else [copy])]
    with theirs:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *sys.orig_argv[1:],
                pass_fds=handed,
                env=environment | {VARIABLE: str(theirs.fileno())},
            )
        except OSError:
            ours.close()
            raise
        finally:
            if copy is not None:
                os.close(copy)
    return ours, process


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)

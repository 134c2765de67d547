"""The owner of the worker processes and of what they have read: a file is read once and then remembered for a while.

Remembered by a keyed digest, in memory only. Whatever fails is a reading that is not whole: the caller keeps its doubt.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from hashlib import blake2b
from typing import TypeAlias

import msgspec
import structlog
from cachetools import LRUCache

from gateway.attachments.process import NoReader, ReaderProcess
from gateway.attachments.worker.parts import Limits, Reason
from gateway.core.attachment import Reading

Turn: TypeAlias = Callable[[str], AbstractAsyncContextManager[object]]
"""Waits until it is the turn of somebody's file, given whose it is; entered when it is, left when the file is read.

Raises:
    TimeoutError: Too many wait already.
"""

LOG = structlog.get_logger("aduana.attachments")
_OVERHEAD = 256  # bytes of a remembered reading beside its text
_CRASHES = frozenset({Reason.READER_FAILED.value, Reason.TIME.value, Reason.MEMORY.value})


class ReaderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Number of worker processes, what a file may cost, and how much is remembered."""

    processes: int = 1
    memory_bytes: int = 1536 * 2**20  # of each process
    limits: Limits = Limits()
    remembered_bytes: int = 16 * 2**20  # text of readings
    pause_seconds: float = 5.0  # before a process that could not be started is tried again
    idle_seconds: float = 900.0  # without a file, then the processes end: what reads pictures holds 0.6 GB
    module: str = "gateway.attachments.worker"  # what a process runs


class AttachmentReader:
    """Reader of files in processes of their own, which start with the first file."""

    def __init__(self, settings: ReaderSettings | None = None, turn: Turn = lambda _: nullcontext()) -> None:
        """Start nothing yet. `turn`: who comes next, where more than one wait; without it, who came first."""
        self._settings = settings or ReaderSettings()
        self._turn = turn
        self._key = secrets.token_bytes(32)
        self._known: LRUCache[bytes, Reading] = LRUCache(self._settings.remembered_bytes, getsizeof=_size)
        self._processes = [
            ReaderProcess(self._settings.memory_bytes, self._settings.module) for _ in range(self._settings.processes)
        ]
        self._idle: asyncio.LifoQueue[ReaderProcess] = asyncio.LifoQueue()
        for process in self._processes:
            self._idle.put_nowait(process)
        self._reading: set[asyncio.Task[Reading]] = set()
        self._starting: asyncio.Task[None] | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._broke = float("-inf")
        self._closed = False
        self.protection: tuple[str, ...] | None = None  # what holds the processes; None before the first has started

    def start(self) -> None:
        """Begin to start one process, so that the first file does not wait for it."""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._warm_up())

    async def close(self) -> None:
        """End the processes; what is being read is not whole."""
        self._closed = True
        if self._resting is not None:
            self._resting.cancel()
        for task in self._running():
            task.cancel()
        await asyncio.gather(*self._running(), return_exceptions=True)
        await asyncio.gather(*(process.end() for process in self._processes))

    async def read(self, data: bytes, *, name: str = "", key: str = "") -> Reading:
        """Return what a file says. Never raises: what can't be read is a reading that is not whole, and says why.

        A caller that is cancelled leaves at once; what has begun ends within the time limit, and is remembered.

        Args:
            data: The file.
            name: Of the file. Only its extension is looked at, to see whether the bytes keep what it promises.
            key: Whose file it is: those who wait take turns.
        """
        mark = self._mark(data, name)
        known = self._known.get(mark)
        if known is not None:
            return known
        async with AsyncExitStack() as waiting:
            try:
                await waiting.enter_async_context(self._turn(key))
            except TimeoutError:
                return Reading(reasons=(Reason.TIME.value,))
            process = await self._idle.get()
            turn = waiting.pop_all()  # from here on the task holds it, also where the caller leaves
        task = asyncio.get_running_loop().create_task(self._read(turn, process, mark, data, name))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        await asyncio.wait([task])
        return _failed() if task.cancelled() else task.result()

    def _mark(self, data: bytes, name: str) -> bytes:
        digest = blake2b(data, key=self._key, digest_size=32)
        digest.update(_extension(name).encode("utf-8", "surrogatepass"))
        return digest.digest()

    async def _read(self, turn: AsyncExitStack, process: ReaderProcess, mark: bytes, data: bytes, name: str) -> Reading:
        async with turn:
            try:
                known = self._known.get(mark)  # the same file was read while this one waited
                if known is not None:
                    return known
                reading = await self._try(process, data, name)
            finally:
                self._idle.put_nowait(process)
                self._rest_later()
            if not _CRASHES & set(reading.reasons) and _size(reading) <= self._known.maxsize:
                self._known[mark] = reading
            return reading

    async def _try(self, process: ReaderProcess, data: bytes, name: str) -> Reading:
        now = asyncio.get_running_loop().time()
        if self._closed or now - self._broke < self._settings.pause_seconds:
            return _failed()
        try:
            reading = await process.read(data, _extension(name), self._settings.limits)
        except NoReader as error:
            self._broke = asyncio.get_running_loop().time()
            LOG.warning("attachments.no_reader", error=type(error.__cause__ or error).__name__)
            return _failed()
        self._report(process)
        if not process.running:
            LOG.warning("attachments.reader_ended", reason=" ".join(reading.reasons), bytes=len(data))
        return reading

    async def _warm_up(self) -> None:
        process = await self._idle.get()
        try:
            await process.start()
            self._report(process)
        except NoReader as error:
            self._broke = asyncio.get_running_loop().time()
            LOG.warning("attachments.no_reader", error=type(error.__cause__ or error).__name__)
        finally:
            self._idle.put_nowait(process)

    def _rest_later(self) -> None:
        """Let the processes end when no file has come for a while."""
        if self._resting is not None:
            self._resting.cancel()
        loop = asyncio.get_running_loop()
        self._resting = loop.call_later(self._settings.idle_seconds, self._rest)

    def _rest(self) -> None:
        if not self._reading and not self._closed:
            self._ending = asyncio.get_running_loop().create_task(self._end_idle())

    async def _end_idle(self) -> None:
        """End the processes that have no file in hand; the next file starts one again."""
        taken = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        try:
            await asyncio.gather(*(process.end() for process in taken))
        finally:
            for process in taken:
                self._idle.put_nowait(process)

    def _report(self, process: ReaderProcess) -> None:
        """Say once what holds the processes."""
        if self.protection is None and process.protection is not None:
            self.protection = process.protection
            LOG.info("attachments.reader_ready", kept=", ".join(self.protection) or "nothing")

    def _running(self) -> list[asyncio.Task[Reading] | asyncio.Task[None]]:
        others = [task for task in (self._starting, self._ending) if task is not None]
        return [*self._reading, *others]


def _size(reading: Reading) -> int:
    return _OVERHEAD + sum(_OVERHEAD + len(piece.text.encode()) for piece in reading.pieces)


def _extension(name: str) -> str:
    """Return the extension alone: nothing else of a name has to reach the worker."""
    _, dot, extension = name.rpartition(".")
    return f".{extension[:16]}" if dot else ""


def _failed() -> Reading:
    return Reading(reasons=(Reason.READER_FAILED.value,))

"""Process of one worker that hears, kept alive: its start and restarts, and who waits for what it sends."""

import asyncio
import contextlib
import socket
import time
from collections import deque
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from gateway.core.errors import AduanaError, TargetError, TargetUnavailable
from gateway.local.models.events import WorkerEvent, WorkerEventKind, WorkerListener
from gateway.local.speech.deaths import Death, death_of, pause_after
from gateway.local.speech.recordings import Recordings
from gateway.local.speech.refusals import refusal_of
from gateway.local.speech.settings import SpeechTargetSettings
from gateway.local.speech.spawn import Spawn, spawn
from gateway.speech.messages import (
    LENGTH_BYTES,
    Cancel,
    Ended,
    Hear,
    Heard,
    Load,
    Ready,
    Refused,
    ToGateway,
    ToWorker,
    Unusable,
    frame,
    length_of,
    to_gateway,
)
from gateway.speech.transcript import Hearing, Segment

_LINES = 20  # of what a worker writes, kept for the log


class SpeechWorker:
    """Worker and its successors. `ready` says whether one can take recordings now."""

    def __init__(
        self,
        name: str,
        settings: SpeechTargetSettings,
        listener: WorkerListener,
        spawn: Spawn = spawn,
    ) -> None:
        """Start nothing yet.

        Args:
            name: Of the target.
            settings: Of the target.
            listener: Hears every change in the life of the worker.
            spawn: Starts a process that holds the other end of the socket.
        """
        self._name = name
        self._settings = settings
        self._listener = listener
        self._spawn = spawn
        self._life: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._changed = asyncio.Event()
        self._recordings = Recordings()
        self._stderr: deque[str] = deque(maxlen=_LINES)
        self._unusable: Unusable | None = None
        self.pid: int | None = None
        self.ready: Ready | None = None
        self.problem = ""  # why it can't take work, for the owner; empty: it can, or is about to
        self.public_problem = ""  # the same for clients: no path
        self.retry_at: float | None = None  # the next start, in monotonic seconds
        self.restarts = 0

    @property
    def busy(self) -> int:
        """Recordings that the worker has, given up ones included."""
        return len(self._recordings)

    def begin(self) -> None:
        """Start the process; return at once. Nothing, if it was started before."""
        if self._life is None:
            self._no_problem()
            self._life = asyncio.get_running_loop().create_task(self._live(), name=f"speech worker {self._name}")

    async def close(self) -> None:
        """End the process; recordings that it works on get an error."""
        life, self._life = self._life, None
        if life is None:
            return
        life.cancel()
        await asyncio.wait([life])
        self.ready = self.pid = self._process = None
        self._no_problem()
        self._recordings.fail(TargetUnavailable(f"The target {self._name!r} is shutting down."))
        self._wake()
        self._tell(WorkerEventKind.STOPPED)

    async def wait_ready(self, until: float) -> Ready:
        """Wait until the worker is ready, and return what it says of its model. `until` is in the loop's clock.

        Raises:
            TargetUnavailable: It can't be ready, or not in time.
        """
        while self.ready is None:
            if self.problem or self._life is None:
                raise self._unavailable(self.public_problem or "It is not running.")
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                raise self._unavailable("Its model is still loading.") from None
        return self.ready

    async def hear(self, order: Hear) -> AsyncGenerator[Segment | Hearing, None]:
        """Yield what a recording says, and at last what is known of it. Closing the generator gives it up.

        `order.id` is set here.

        Raises:
            BadRequest: The recording can't be heard.
            TargetError: The worker died or failed.
        """
        if self._writer is None or self.ready is None:
            raise self._unavailable(self.public_problem or "Its worker is restarting.")
        number, items = self._recordings.add()
        ended = False
        try:
            await self._send(msgspec.structs.replace(order, id=number))
            while True:
                item = await items.get()
                ended = not isinstance(item, Segment)
                if isinstance(item, AduanaError):
                    raise item
                yield item
                if ended:
                    return
        finally:
            self._recordings.remove(number)
            if not ended:
                self._give_up(number)

    async def _send(self, message: ToWorker) -> None:
        if self._writer is not None:
            with contextlib.suppress(ConnectionError):  # its end is met where it is read
                self._writer.write(frame(message))
                await self._writer.drain()

    def _give_up(self, number: int) -> None:
        """Tell the worker that nobody waits for a recording; one that does not heed it is ended."""
        if self._writer is None or self.ready is None:
            return
        with contextlib.suppress(ConnectionError):
            self._writer.write(frame(Cancel(id=number)))
        loop = asyncio.get_running_loop()
        self._recordings.give_up(number, loop.call_later(self._settings.stop_within, self._kill))

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    # What the worker says

    def _received(self, message: ToGateway) -> None:
        match message:
            case Ready():
                self.ready = message
                self._no_problem()
                self._wake()
                self._tell(WorkerEventKind.READY, seconds=message.seconds)
            case Unusable():
                self._unusable = message
            case Heard():
                self._recordings.deliver(message.id, message.segment)
            case Ended():
                if message.hearing is not None:
                    self._recordings.deliver(message.id, message.hearing)
                self._recordings.over(message.id)
            case Refused():
                refusal = refusal_of(self._name, message, self._settings.worker.most_seconds)
                self._recordings.deliver(message.id, refusal)
                self._recordings.over(message.id)

    # Its life

    async def _live(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            death = await self._one_life()
            served = time.monotonic() - began if self.ready is not None else 0.0
            failures = 1 if served >= self._settings.stable_after else failures + 1
            pause = pause_after(failures, self._settings)
            self._ended(death, pause, failures)
            await asyncio.sleep(pause)
            self.retry_at = None

    def _ended(self, death: Death, pause: float, failures: int) -> None:
        """Tell everybody that a process has ended, and what comes next."""
        self.ready, self.pid = None, None
        self.restarts += 1
        self.retry_at = time.monotonic() + pause
        if death.problem:
            self.problem, self.public_problem = death.problem, death.public
        elif failures > 1:
            self.problem = f"Its worker died {failures} times in a row; last: {death.detail}."
            self.public_problem = f"Its worker died ({death.cause})."
        kind = WorkerEventKind.FAILED if death.problem else WorkerEventKind.DIED
        self._tell(kind, seconds=pause, cause=death.cause, detail=death.problem or death.detail)
        self._recordings.fail(
            TargetError(
                f"The speech model of {self._name!r} stopped while it was listening ({death.cause}). Please try again.",
                retry_after=max(1.0, pause),
            )
        )
        self._wake()

    async def _one_life(self) -> Death:
        """Run one process from spawn to death."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await self._spawn(theirs)
            except OSError as error:
                ours.close()
                return Death(cause="spawn", detail=f"the worker can't be started: {error}")
        self._process, self.pid, self._unusable = process, process.pid, None
        self._stderr.clear()
        lines = asyncio.get_running_loop().create_task(self._read_lines(process.stderr), name="speech worker stderr")
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_connection(sock=ours)
            self._writer = writer
            await self._send(Load(settings=self._settings.worker))
            await self._read(reader)
            code = await process.wait()
        finally:
            self._writer = None
            if writer is not None:
                writer.close()
            if process.returncode is None:
                process.kill()
                await process.wait()
            lines.cancel()
            await asyncio.wait([lines])
        return death_of(code, self._stderr[-1] if self._stderr else "", self._unusable)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take what the worker says until it closes the socket."""
        while True:
            try:
                head = await reader.readexactly(LENGTH_BYTES)
                body = await reader.readexactly(length_of(head))
                self._received(to_gateway.decode(body))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            except (ValueError, msgspec.DecodeError):
                self._kill()
                return

    async def _read_lines(self, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        with contextlib.suppress(ValueError):  # a line without an end
            while line := await stream.readline():
                self._stderr.append(line.decode("utf-8", "replace").strip())

    def _unavailable(self, reason: str) -> TargetUnavailable:
        model = Path(self._settings.worker.model).name
        wait = 1.0 if self.retry_at is None else max(1.0, self.retry_at - time.monotonic())
        return TargetUnavailable(
            f"The target {self._name!r} (model {model!r}) can't answer now. {reason}", retry_after=wait
        )

    def _no_problem(self) -> None:
        self.problem = self.public_problem = ""
        self.retry_at = None

    def _wake(self) -> None:
        self._changed.set()
        self._changed.clear()

    def _tell(self, kind: WorkerEventKind, *, seconds: float | None = None, cause: str = "", detail: str = "") -> None:
        self._listener(
            WorkerEvent(
                target=self._name, kind=kind, restarts=self.restarts, seconds=seconds, cause=cause, detail=detail
            )
        )

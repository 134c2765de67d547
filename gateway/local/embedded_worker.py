"""Keeps one worker process alive and connected: spawn, load, restart with back-off, tell requests when it dies.

Owns the process and its socket; what comes goes to `embedded_boxes`. Knows nothing of prompts or dialects.
"""

import asyncio
import signal
import socket
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.core.errors import TargetError, TargetUnavailable
from gateway.engine.disk import erase
from gateway.engine.messages import (
    Cancel,
    Embed,
    Failed,
    Load,
    Loading,
    PromptLogs,
    Ready,
    Submit,
    ToGateway,
    Tokens,
    Vectors,
)
from gateway.local.embedded_boxes import Mailboxes
from gateway.local.embedded_events import WorkerEvent, WorkerEventKind, WorkerListener
from gateway.local.embedded_link import Link, Mailbox, spawn
from gateway.local.embedded_settings import EmbeddedSettings

_KILLED = (
    "Its worker was killed while it loaded the model, most likely because memory ran out. Turn down 'slots', 'context' "
    "or 'gpu_layers', set 'kv_type: q8_0', or take a smaller quantisation."
)


class EngineWorker:
    """One worker and its successors. `ready` says whether it can take work now."""

    def __init__(
        self,
        name: str,
        settings: EmbeddedSettings,
        listener: WorkerListener,
        crashed: Callable[[frozenset[int]], None],
    ) -> None:
        self._name = name
        self._settings = settings
        self._listener = listener
        self._crashed = crashed  # hears which sequences were running when the worker died of itself
        self._boxes = Mailboxes()
        self._next = 0
        self._link: Link | None = None
        self._life: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._stderr: deque[str] = deque(maxlen=20)
        self._failed_load: Failed | None = None
        self.pid: int | None = None
        self.ready: Ready | None = None
        self.problem = ""  # why it can't take work, for whoever runs the gateway; empty: it can, or is about to
        self.public_problem = ""  # the same for clients: no path, no output of the worker
        self.restarts = 0
        self.last_cause = ""
        self.busy = 0  # slots in use, as the worker said last
        self.waiting = 0
        self.cells = 0  # of the KV memory, that running sequences hold
        self.progress: float | None = None  # of the load that is under way, 0 to 1; None: none is
        self.began = 0.0  # the last process, in the loop's clock

    def begin(self) -> None:
        """Starts the process; returns at once."""
        if self._life is None:
            self.progress, self.problem, self.public_problem = 0.0, "", ""
            self._life = asyncio.create_task(self._live(), name=f"engine worker {self._name}")

    async def close(self) -> None:
        """Ends the worker; running requests get an error."""
        if self._life is None:
            return
        life, self._life = self._life, None
        life.cancel()
        await asyncio.wait([life])
        self.ready, self.pid, self.progress = None, None, None
        self.problem = self.public_problem = ""  # of a life that is over: the next request may try again
        self._wake()
        if self._settings.spill_directory:  # the worker was ended at once, so it could not
            await asyncio.to_thread(erase, Path(self._settings.spill_directory))
        self._boxes.fail(TargetUnavailable(f"The embedded target {self._name!r} is shutting down."))
        self._tell(WorkerEventKind.STOPPED)

    async def wait_ready(self, until: float) -> Ready:
        """The worker's facts, as soon as it is ready. Raises TargetUnavailable when it can't be, or not in time."""
        while self.ready is None:
            if self.problem or self._life is None:
                raise self._unavailable(self.public_problem or "It is not running.")
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                done = f" ({self.progress:.0%} done)" if self.progress else ""
                raise self._unavailable(f"Its model is still loading{done}.") from None
        return self.ready

    def _unavailable(self, reason: str) -> TargetUnavailable:
        model = Path(self._settings.model).name.removesuffix(".gguf")
        return TargetUnavailable(
            f"The embedded target {self._name!r} (model {model!r}) can't answer now. {reason}", retry_after=5.0
        )

    def next_id(self) -> int:
        """A number for a new sequence or embedding."""
        self._next += 1
        return self._next

    def send(self, messages: Sequence[Submit | Embed], box: Mailbox) -> None:
        """Hands work over; what comes of it goes to `box`."""
        if self._link is None or self.ready is None:
            raise self._unavailable(self.public_problem or "Its worker is restarting.")
        for message in messages:
            self._boxes.add(message.id, box)
            self._link.send(message)

    def cancel(self, ids: Sequence[int]) -> None:
        """No more work on these; nothing more comes for them."""
        known = tuple(number for number in ids if self._boxes.remove(number))
        if known and self._link is not None:
            self._link.send(Cancel(ids=known))

    def finished(self, number: int) -> None:
        """A sequence ended by itself."""
        self._boxes.remove(number)

    @property
    def outstanding(self) -> int:
        """Sequences and embeddings that have not ended."""
        return len(self._boxes)

    # What the worker says

    def received(self, message: ToGateway) -> None:
        """Called by the link for each message."""
        match message:
            case Tokens():
                self.busy, self.waiting, self.cells = message.busy, message.waiting, message.cells
                self._boxes.tokens(message)
            case Vectors() | PromptLogs():
                self._boxes.one(message)
            case Loading():
                self.progress = message.fraction
                self._tell(WorkerEventKind.LOADING, fraction=message.fraction)
            case Ready():
                self.ready, self.progress = message, None
                self.problem = self.public_problem = ""
                self._wake()
                self._tell(WorkerEventKind.READY, seconds=message.seconds)
            case Failed():
                self._failed_load = message

    # Its life

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = self.began = loop.time()
            cause, detail = await self._one_life()
            failed, self._failed_load = self._failed_load, None
            never_ready = self.ready is None
            self.ready, self.pid, self.progress = None, None, 0.0
            self.busy = self.waiting = self.cells = 0
            if loop.time() - began > self._settings.stable_after:
                failures = 0
            pause = self._pause(failures)
            failures += 1
            self.restarts += 1
            self.last_cause = cause
            if failed is not None:
                self.problem, self.public_problem = failed.message, failed.public
                pause = max(pause, 1.0)
                self._tell(WorkerEventKind.FAILED, seconds=pause, cause="load", detail=self.problem)
            else:
                if never_ready and cause == f"signal_{signal.SIGKILL}":
                    self.problem = self.public_problem = _KILLED
                elif failures > 1:
                    self.problem = f"Its worker died ({detail}) and is restarted in {pause:.0f} s."
                    self.public_problem = f"Its worker died ({cause}) and is restarted in {pause:.0f} s."
                self._tell(WorkerEventKind.DIED, seconds=pause, cause=cause, detail=detail)
            self._boxes.fail(
                TargetError(f"The engine of {self._name!r} stopped while it was answering ({cause}). Please try again.")
            )
            self._wake()
            await asyncio.sleep(pause)

    def _pause(self, failures: int) -> float:
        if failures == 0:
            return self._settings.restart_first
        return float(min(self._settings.restart_longest, 2 ** (failures - 1)))

    async def _one_life(self) -> tuple[str, str]:
        """From spawn to death. Returns its cause as a word and as a sentence."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await spawn(theirs, self._settings)
            except OSError as error:
                ours.close()
                return "spawn", f"the worker can't be started: {error}"
        self.pid = process.pid
        link = Link(self.received)
        reading: asyncio.Task[None] | None = None
        try:
            await asyncio.get_running_loop().create_connection(lambda: link, sock=ours)
            self._link = link
            reading = asyncio.create_task(self._read_stderr(process.stderr), name="engine worker stderr")
            link.send(Load(settings=self._settings.for_worker()))
            await link.closed
            code = await self._wait(process)
        finally:
            self._link = None
            link.close()
            if process.returncode is None:
                process.kill()
                await process.wait()
            if reading is not None:
                reading.cancel()
                await asyncio.wait([reading])
        return self._cause(code)

    async def _wait(self, process: asyncio.subprocess.Process) -> int:
        try:
            async with asyncio.timeout(5.0):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()

    async def _read_stderr(self, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        self._stderr.clear()
        while line := await stream.readline():
            self._stderr.append(line.decode("utf-8", "replace").rstrip()[:500])

    def _cause(self, code: int) -> tuple[str, str]:
        if code < 0:
            last = next((line for line in reversed(self._stderr) if "GGML_ASSERT" in line or "error" in line), "")
            if code not in (-signal.SIGKILL, -signal.SIGTERM):  # those come from outside
                self._crashed(self._boxes.numbers)
            return f"signal_{-code}", f"signal {-code}{': ' + last if last else ''}"
        return f"exit_{code}", f"exit code {code}{': ' + self._stderr[-1] if self._stderr else ''}"

    def _wake(self) -> None:
        self._changed.set()
        self._changed.clear()

    def _tell(
        self,
        kind: WorkerEventKind,
        *,
        fraction: float = 0.0,
        seconds: float | None = None,
        cause: str = "",
        detail: str = "",
    ) -> None:
        self._listener(
            WorkerEvent(
                target=self._name,
                kind=kind,
                restarts=self.restarts,
                fraction=fraction,
                seconds=seconds,
                cause=cause,
                detail=detail,
            )
        )

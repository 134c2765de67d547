"""Supervisor of one worker process: spawn, load, restart with back-off, tell requests when it dies.

Owns the process and its socket; what comes goes to `mailbox`. Knows nothing of prompts or dialects.
"""

import asyncio
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.errors import TargetError, TargetUnavailable
from gateway.engine.messages import (
    Cancel,
    Embed,
    Failed,
    Load,
    Loading,
    Measure,
    Measured,
    PromptLogs,
    Ready,
    Submit,
    ToGateway,
    Tokens,
    Vectors,
)
from gateway.engine.prompt_store.directory import erase
from gateway.engine.settings import EngineSettings
from gateway.local.embedded.process.compatibility import CompatibilityStore
from gateway.local.embedded.process.connection import Spawn, WorkerConnection, spawn
from gateway.local.embedded.process.mailbox import Mailbox, Mailboxes
from gateway.local.embedded.process.restarts import Death, Restart, RestartPolicy, Retry
from gateway.local.embedded.process.step_costs import StepCostStore
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.models.events import WorkerEvent, WorkerEventKind, WorkerListener

_UNKNOWN_LOAD = 5.0  # seconds that a load is taken to need before one was seen


class WorkerSupervisor:
    """Supervisor of one worker and its successors. `ready` says whether it can take work now."""

    def __init__(
        self,
        name: str,
        settings: EmbeddedSettings,
        spawn: Spawn = spawn,
        sized: asyncio.Future[EmbeddedSettings] | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            name: of the target.
            settings: of the target.
            sized: the same with the sizes that were chosen, where that takes longer than a process takes to start.
            spawn: starts a process that holds the other end of the socket; tests give one of their own.
        """
        self._spawn = spawn
        self._name = name
        self._settings = settings
        self._sized = sized
        self._listener: WorkerListener | None = None
        self._untold: list[WorkerEvent] = []  # what happened before anybody listened
        self._crashed: Callable[[frozenset[int]], None] = lambda numbers: None
        self._mailboxes = Mailboxes()
        self._next = 0
        self._connection: WorkerConnection | None = None
        self._life: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._stderr: deque[str] = deque(maxlen=20)
        self._failed_load: Failed | None = None
        self._ready_since: float | None = None
        file = Path(settings.compatibility_file) if settings.compatibility_file else None
        self._compatibility = CompatibilityStore(file)
        self._costs = StepCostStore(file.with_name("step-costs.json") if file is not None else None)
        self.pid: int | None = None
        self.ready: Ready | None = None
        self.problem = ""  # why it can't take work, for whoever runs the gateway; empty: it can, or is about to
        self.public_problem = ""  # the same for clients: no path, no output of the worker
        self.failed = False  # it is not being restarted: only at `retry_at`, or when a person asks
        self.retry_at: float | None = None  # the next start, in monotonic seconds; None: it runs, or never by itself
        self.restarts = 0
        self.busy = 0  # slots in use, as the worker said last
        self.waiting = 0
        self.cells = 0  # of the KV memory, that running sequences hold
        self.load_seconds: float | None = None  # from start to ready, the last time
        self.progress: float | None = None  # of the load that is under way, 0 to 1; None: none is
        self.began = 0.0  # the last process, in the loop's clock

    def follow(self, listener: WorkerListener, crashed: Callable[[frozenset[int]], None]) -> None:
        """Tell them what happens from now on, and first what has happened already.

        Args:
            listener: hears every change in the life of the worker; of a load's progress before now only the last.
            crashed: hears which sequences were running when the worker died of itself.
        """
        self._listener, self._crashed = listener, crashed
        untold, self._untold = self._untold, []
        for event in untold:
            listener(event)

    def begin(self) -> None:
        """Start the process; return at once. Nothing, if it was started before."""
        if self._life is None:
            self.progress = 0.0
            self._no_problem()
            self._life = asyncio.create_task(self._live(), name=f"engine worker {self._name}")

    async def close(self) -> None:
        """End the worker; running requests get an error."""
        if self._life is None:
            return
        life, self._life = self._life, None
        life.cancel()
        await asyncio.wait([life])
        self.ready, self.pid, self.progress = None, None, None
        self._no_problem()  # that of a life that is over: the next request may try again
        self._wake()
        if self._settings.spill_directory:  # the worker was ended at once, so it could not
            await asyncio.to_thread(erase, Path(self._settings.spill_directory))
        self._mailboxes.fail(TargetUnavailable(f"The embedded target {self._name!r} is shutting down."))
        self._tell(WorkerEventKind.STOPPED)

    async def wait_ready(self, until: float) -> Ready:
        """Wait until the worker is ready, and return its facts. `until` is in the loop's clock.

        Raises:
            TargetUnavailable: it can't be ready, or not in time.
        """
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
            f"The embedded target {self._name!r} (model {model!r}) can't answer now. {reason}",
            retry_after=self._retry_after(),
        )

    def _retry_after(self) -> float | None:
        """Return the seconds until it is worth asking again: pause and load. None: waiting does not help."""
        if self.retry_at is not None:
            return max(1.0, self.retry_at - time.monotonic() + (self.load_seconds or _UNKNOWN_LOAD))
        if self.failed:
            return None
        return max(1.0, self._load_left(asyncio.get_running_loop().time() - self.began))

    def _load_left(self, elapsed: float) -> float:
        """Return the seconds that the load under way will still take: as the last one, else by its progress."""
        if self.load_seconds is not None and elapsed < self.load_seconds:
            return self.load_seconds - elapsed
        if self.progress:
            return elapsed * (1 - self.progress) / self.progress
        return _UNKNOWN_LOAD

    async def retry(self) -> None:
        """Start anew now, where it has failed and nothing else would start it."""
        if self.failed:
            await self.close()
            self.begin()

    def next_id(self) -> int:
        """Return a number for a new sequence or embedding."""
        self._next += 1
        return self._next

    def send(self, messages: Sequence[Submit | Embed | Measure], mailbox: Mailbox) -> None:
        """Hand work over; what comes of it goes to `mailbox`.

        Raises:
            TargetUnavailable: the worker is not ready.
        """
        if self._connection is None or self.ready is None:
            raise self._unavailable(self.public_problem or "Its worker is restarting.")
        for message in messages:
            for number in message.ids:
                self._mailboxes.add(number, mailbox)
            self._connection.send(message)

    def cancel(self, ids: Sequence[int]) -> None:
        """Stop work on these; nothing more comes for them."""
        known = tuple(number for number in ids if self._mailboxes.remove(number))
        if known and self._connection is not None:
            self._connection.send(Cancel(ids=known))

    def finished(self, number: int) -> None:
        """Note that a sequence ended by itself."""
        self._mailboxes.remove(number)

    @property
    def outstanding(self) -> int:
        """Number of sequences and embeddings that have not ended."""
        return len(self._mailboxes)

    # What the worker says

    def received(self, message: ToGateway) -> None:
        """Take a message from the worker; called by the connection for each."""
        match message:
            case Tokens():
                self.busy, self.waiting, self.cells = message.busy, message.waiting, message.cells
                self._mailboxes.tokens(message)
            case Vectors() | PromptLogs() | Measured():
                self._mailboxes.one(message)
            case Loading():
                self.progress = message.fraction
                self._tell(WorkerEventKind.LOADING, fraction=message.fraction)
            case Ready():
                self.ready, self.progress = message, None
                self._ready_since = asyncio.get_running_loop().time()
                self.load_seconds = self._ready_since - self.began
                self._no_problem()
                self._wake()
                self._tell(WorkerEventKind.READY, seconds=message.seconds)
            case Failed():
                self._failed_load = message

    # Its life

    async def _live(self) -> None:
        model = Path(self._settings.model)
        known = self._settings.repack and not await asyncio.to_thread(self._compatibility.repack_works, model)
        restarts = RestartPolicy(self._settings, repack=self._settings.repack and not known)
        if known:
            self._tell(WorkerEventKind.REMEMBERED)
        learning = ""  # the death that shows whether the model runs without repacked weights
        while True:
            self.began = asyncio.get_running_loop().time()
            death = await self._one_life(restarts.repack, learning)
            restart = restarts.after(death)
            learning = death.cause if restart.retry is Retry.WITHOUT_REPACK else learning
            self._over(death, restart)
            if restart.pause is None:
                return
            await asyncio.sleep(restart.pause)
            self.failed, self.retry_at, self.progress = False, None, 0.0

    def _over(self, death: Death, restart: Restart) -> None:
        """Tell everybody that a process has ended, and what comes next."""
        self.ready, self.pid, self._ready_since = None, None, None
        self.progress = None if restart.failed else 0.0
        self.busy = self.waiting = self.cells = 0
        self.restarts += 1
        self.failed = restart.failed
        self.retry_at = None if restart.pause is None else time.monotonic() + restart.pause
        self.problem, self.public_problem = restart.problem, restart.public_problem
        if restart.retry is Retry.WITHOUT_REPACK:
            self._tell(WorkerEventKind.NO_REPACK, seconds=0.0, cause=death.cause)
        elif restart.failed or death.load_problem:
            self._tell(WorkerEventKind.FAILED, seconds=restart.pause, cause=death.cause, detail=self.problem)
        else:
            self._tell(WorkerEventKind.DIED, seconds=restart.pause, cause=death.cause, detail=death.detail)
        stopped = f"The engine of {self._name!r} stopped while it was answering ({death.cause})."
        again = self._retry_after()
        self._mailboxes.fail(
            TargetError(stopped if again is None else f"{stopped} Please try again.", retry_after=again)
        )
        self._wake()

    def _no_problem(self) -> None:
        self.problem = self.public_problem = ""
        self.failed, self.retry_at = False, None

    async def _one_life(self, repack: bool, learning: str) -> Death:
        """Run one process from spawn to death."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await self._spawn(theirs, self._settings)
            except OSError as error:
                ours.close()
                return Death(cause="spawn", detail=f"the worker can't be started: {error}")
        self.pid = process.pid
        connection = WorkerConnection(self.received)
        reading: asyncio.Task[None] | None = None
        try:
            await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
            self._connection = connection
            reading = asyncio.create_task(self._read_stderr(process.stderr), name="engine worker stderr")
            if self._sized is not None:
                self._settings = await self._sized
            settings = msgspec.structs.replace(self._settings.for_worker(), repack=repack)
            connection.send(Load(settings=settings, costs=await self._costs.known(settings)))
            await self._learn(connection, learning)
            await self._keep_costs(connection, settings)
            await connection.closed
            code = await self._wait(process)
        finally:
            self._connection = None
            connection.close()
            if process.returncode is None:
                process.kill()
                await process.wait()
            if reading is not None:
                reading.cancel()
                await asyncio.wait([reading])
        return self._death(code)

    async def _keep_costs(self, connection: WorkerConnection, settings: EngineSettings) -> None:
        """Keep what the worker measured, once it is ready."""
        await self._until_ready(connection)
        if self.ready is not None and self.ready.costs is not None:
            await self._costs.keep(settings, self.ready.costs)

    async def _until_ready(self, connection: WorkerConnection) -> None:
        """Return when the worker is ready, or gone."""
        while self.ready is None and not connection.closed.done():
            changed: asyncio.Future[Any] = asyncio.ensure_future(self._changed.wait())
            await asyncio.wait([changed, connection.closed], return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()

    async def _learn(self, connection: WorkerConnection, learning: str) -> None:
        """Keep that it works without repacked weights, once it does."""
        if not learning:
            return
        await self._until_ready(connection)
        if self.ready is not None:
            model = Path(self._settings.model)
            await asyncio.to_thread(self._compatibility.remember_without_repack, model, learning)
            self._tell(WorkerEventKind.REMEMBERED)

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

    def _death(self, code: int) -> Death:
        failed, self._failed_load = self._failed_load, None
        now = asyncio.get_running_loop().time()
        served = None if self._ready_since is None else now - self._ready_since
        if failed is not None:
            return Death(cause="load", detail=failed.message, load_problem=failed.message, public_problem=failed.public)
        if code >= 0:
            last = f": {self._stderr[-1]}" if self._stderr else ""
            return Death(cause=f"exit_{code}", detail=f"exit code {code}{last}", served=served)
        if code not in (-signal.SIGKILL, -signal.SIGTERM):  # those come from outside
            self._crashed(self._mailboxes.numbers)
        line = next((line for line in reversed(self._stderr) if "GGML_ASSERT" in line or "error" in line), "")
        return Death(
            cause=f"signal_{-code}",
            detail=f"signal {-code}{': ' + line if line else ''}",
            signal=-code,
            served=served,
        )

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
        event = WorkerEvent(
            target=self._name,
            kind=kind,
            restarts=self.restarts,
            fraction=fraction,
            seconds=seconds,
            cause=cause,
            detail=detail,
        )
        if self._listener is not None:
            self._listener(event)
            return
        if kind is WorkerEventKind.LOADING and self._untold and self._untold[-1].kind is kind:
            del self._untold[-1]
        self._untold.append(event)

"""Supervisor of one managed server: start it, wait until it is ready, restart it with pauses, stop it.

Owns the process and the connections to it. Knows nothing of requests or models beside it.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from gateway.core.errors import TargetUnavailable
from gateway.core.secret import Secret
from gateway.local.http.session import LocalSession
from gateway.local.http.settings import HttpSettings
from gateway.local.managed.cards import CardMemory
from gateway.local.managed.command import HOST
from gateway.local.managed.health import is_well
from gateway.local.managed.listening import listening_problem
from gateway.local.managed.process import ServerProcess
from gateway.local.managed.restarts import Death, Restart, RestartPolicy
from gateway.local.managed.settings import ServerSettings
from gateway.local.models.events import WorkerEvent, WorkerEventKind, WorkerListener

_LOOKS = (0.05, 1.0)  # seconds between two looks at a server that starts: the first and the longest
_HEALTH_SECONDS = 5.0
_UNKNOWN_START = 5.0  # seconds that a start is taken to need before one was seen


class ServerSupervisor:
    """Supervisor of one server and its successors. `session` is there while it can be asked."""

    def __init__(
        self,
        name: str,
        settings: ServerSettings,
        http: HttpSettings,
        listener: WorkerListener,
        connected: Callable[[LocalSession | None], None],
        *,
        cards: Callable[[], CardMemory] = CardMemory,
    ) -> None:
        """Start nothing yet.

        Args:
            name: of the target.
            settings: of its server.
            http: how it is asked. `base_url` is the path below its address; that and the key are those of each start.
            listener: hears every change in the life of the server.
            connected: gets the connections to the server once it can be asked, and None when it can't any more.
            cards: makes what watches the memory of cards.
        """
        self._name = name
        self._settings = settings
        self._http = http
        self._listener = listener
        self._connected = connected
        self._cards = cards
        self._life: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._doubt = asyncio.Event()
        self._began = 0.0
        self._ready_since: float | None = None
        self.session: LocalSession | None = None  # to the server that is ready; None: none is
        self.pid: int | None = None
        self.problem = ""  # why it can't be asked, for whoever runs the gateway; empty: it can, or is about to
        self.public_problem = ""  # the same for clients
        self.failed = False  # it is started only at `retry_at`, or when a person asks
        self.retry_at: float | None = None  # the next start, in monotonic seconds
        self.restarts = 0
        self.last_death = ""  # how the last one ended: `signal 9`
        self.load_seconds: float | None = None  # from start to ready, the last time

    # The worker of a model, for the pool

    def begin(self) -> None:
        """Start the server; return at once. Nothing, if it was started before."""
        if self._life is None:
            self._no_problem()
            self._life = asyncio.create_task(self._live(), name=f"managed server {self._name}")

    async def close(self) -> None:
        """Stop the server; return when its memory is back. Requests that run get an error."""
        if self._life is None:
            return
        life, self._life = self._life, None
        life.cancel()
        await asyncio.wait([life])
        self._no_problem()  # that of a life that is over: the next request may try again
        self._wake()
        self._tell(WorkerEventKind.STOPPED)

    # For requests

    @property
    def starting(self) -> float | None:
        """How far a start is, 0 to 1, by what the last one took; None: none is under way."""
        if self._life is None or self.session is not None or self.failed:
            return None
        elapsed = time.monotonic() - self._began
        return 0.0 if not self.load_seconds else min(0.99, elapsed / self.load_seconds)

    async def wait_ready(self, until: float) -> LocalSession:
        """Wait until the server can be asked, and return the connections to it. `until` is in the loop's clock.

        Raises:
            TargetUnavailable: it can't be started, or not in time.
        """
        while self.session is None:
            if self.problem or self._life is None:
                raise self._unavailable(self.public_problem or "It is not running.")
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                raise self._unavailable("It is still starting.") from None
        return self.session

    async def retry(self) -> None:
        """Start anew now, where it has failed and nothing else would start it."""
        if self.failed:
            await self.close()
            self.begin()

    def doubted(self) -> None:
        """Look whether the server still answers, because a request found that it may not."""
        self._doubt.set()

    async def gone(self, session: LocalSession, seconds: float) -> bool:
        """Say whether the server behind `session` has ended; that is heard of a moment after its connections break."""
        until = asyncio.get_running_loop().time() + seconds
        while self.session is session:
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                return False
        return True

    def retry_after(self) -> float:
        """Return the seconds until it is worth asking again: pause and start."""
        start = self.load_seconds or _UNKNOWN_START
        pause = 0.0 if self.retry_at is None else max(0.0, self.retry_at - time.monotonic())
        return max(1.0, pause + start)

    def _unavailable(self, reason: str) -> TargetUnavailable:
        return TargetUnavailable(
            f"The server of the target {self._name!r} can't answer now. {reason}", retry_after=self.retry_after()
        )

    # Its life

    async def _live(self) -> None:
        restarts = RestartPolicy(self._settings)
        while True:
            self._began = time.monotonic()
            death = await self._one_life()
            restart = restarts.after(death)
            self._over(death, restart)
            await asyncio.sleep(restart.pause)
            self.failed, self.retry_at = False, None

    def _over(self, death: Death, restart: Restart) -> None:
        """Tell everybody that a server has ended, and what comes next."""
        self.restarts += 1
        self.failed, self.retry_at = restart.failed, time.monotonic() + restart.pause
        self.problem, self.public_problem = restart.problem, restart.public_problem
        kind = WorkerEventKind.FAILED if restart.failed else WorkerEventKind.DIED
        detail = restart.problem if restart.failed else death.detail
        self._tell(kind, seconds=restart.pause, cause=death.cause, detail=detail)
        self._wake()

    def _no_problem(self) -> None:
        self.problem = self.public_problem = ""
        self.failed, self.retry_at = False, None

    async def _one_life(self) -> Death:
        """Run one server from its start to its end."""
        cards = self._cards() if self._settings.gpu_memory else None
        if cards is not None:
            await cards.starts()
        try:
            server = await ServerProcess.start(self._settings)
        except (OSError, ValueError) as error:
            public = "Its server can't be started."
            why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
            return Death(cause="spawn", detail=f"Its server can't be started: {why}.", public=public)
        http = msgspec.structs.replace(
            self._http, base_url=f"http://{HOST}:{server.port}{self._http.base_url}", api_key=Secret(server.key)
        )
        session = LocalSession(self._name, http)
        self.pid = server.launcher
        try:
            problem = await self._started(server, session)
            if not problem and not server.ended.done():
                if cards is not None:
                    await cards.ready()
                self._ready(server, session)
                problem = await self._served(server, session)
            return await self._death(server, problem)
        finally:
            # INVARIANT: nothing is sent to the port from now on: another program may take it.
            self.session = self.pid = None
            self._connected(None)
            self._wake()
            await _to_its_end(self._ended(server, session, cards))
            self._ready_since = None

    async def _ended(self, server: ServerProcess, session: LocalSession, cards: CardMemory | None) -> None:
        """End the server, and return when its memory is back."""
        await server.end()
        await session.close()
        if cards is not None:
            await cards.given_back()

    def _ready(self, server: ServerProcess, session: LocalSession) -> None:
        server.output.ready()
        self._ready_since = time.monotonic()
        self.load_seconds = self._ready_since - self._began
        self._no_problem()
        self.session = session
        self._connected(session)
        self._wake()
        self._tell(WorkerEventKind.READY, seconds=self.load_seconds)

    async def _started(self, server: ServerProcess, session: LocalSession) -> str:
        """Wait until the server is ready or has ended. Returns what else went wrong, in a sentence."""
        health, (pause, longest) = self._settings.health, _LOOKS
        while not server.ended.done():
            left = self._began + self._settings.load_wait - time.monotonic()
            if await is_well(session, health, server.ended, min(_HEALTH_SECONDS, max(pause, left))):
                return await asyncio.to_thread(listening_problem, server.port, server.launcher)
            if left <= 0:
                return (
                    f"It was not ready within {self._settings.load_wait:g} seconds ('load_wait'): "
                    f"{health} did not answer with 200 ('health')."
                )
            await asyncio.wait([server.ended], timeout=pause)
            pause = min(longest, 2 * pause)
        return ""

    async def _served(self, server: ServerProcess, session: LocalSession) -> str:
        """Wait until the server ends. Returns what else went wrong, in a sentence."""
        health = self._settings.health
        while not server.ended.done():
            self._doubt.clear()
            doubt: asyncio.Future[Any] = asyncio.ensure_future(self._doubt.wait())
            try:
                await asyncio.wait([doubt, server.ended], return_when=asyncio.FIRST_COMPLETED)
            finally:
                doubt.cancel()
            if server.ended.done() or await is_well(session, health, server.ended, _HEALTH_SECONDS):
                continue
            if not server.ended.done():
                return f"It did not answer any more: {health} had no 200 in {_HEALTH_SECONDS:g} seconds."
        return ""

    async def _death(self, server: ServerProcess, problem: str) -> Death:
        served = None if self._ready_since is None else time.monotonic() - self._ready_since
        if problem:
            cause, public = "not_ready" if served is None else "silent", "Its server is not as it should be."
            detail = problem
        else:
            how = await server.ended
            cause = how.replace(" ", "_")
            when = "before it was ready" if served is None else "while it served"
            public = detail = f"Its server ended {when} ({how})."
        if served is not None and not self._settings.log:
            detail = (
                f"{detail} It had printed {server.output.lines} lines, which nobody kept; 'log' keeps them in a file."
            )
        self.last_death = cause.replace("_", " ")
        if served is None:
            await server.end()
            last = await server.last_lines()
            detail = f"{detail} It printed last: {last}" if last else detail
        return Death(cause=cause, detail=detail, public=public, served=served)

    def _wake(self) -> None:
        self._changed.set()
        self._changed.clear()

    def _tell(self, kind: WorkerEventKind, *, seconds: float | None = None, cause: str = "", detail: str = "") -> None:
        self._listener(
            WorkerEvent(
                target=self._name, kind=kind, restarts=self.restarts, seconds=seconds, cause=cause, detail=detail
            )
        )


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do work that has to be done to its end, also when this task is cancelled meanwhile.

    Raises:
        CancelledError: this task was cancelled; the work is done.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise

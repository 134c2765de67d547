"""Target whose server the gateway starts for its requests, and stops when it is idle or another needs the memory."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable

import msgspec

from gateway.core.errors import AduanaError, TargetError, TargetProtocolError, TargetTimeout
from gateway.core.target import TargetInfo, TargetState
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.http.session import LocalSession
from gateway.local.http.settings import HttpSettings
from gateway.local.http.target import HttpTarget
from gateway.local.managed.cards import CardMemory
from gateway.local.managed.server_log import ServerLog
from gateway.local.managed.settings import ServerSettings
from gateway.local.managed.supervisor import ServerSupervisor
from gateway.local.models.events import WorkerEvent, WorkerEventKind, WorkerListener
from gateway.local.models.pool import ModelPool
from gateway.local.models.residency import ModelResidency
from gateway.upstream.errors import DISCONNECTED, UNREACHABLE

_DEATH_SECONDS = 1.0  # until a death is heard of, after the connections have broken


class ManagedTarget(HttpTarget):
    """HTTP target on this machine whose server runs only while it is wanted.

    `start` returns at once and never raises: while the server starts, and after a failure, `state` says so.
    """

    def __init__(
        self,
        info: TargetInfo,
        settings: ServerSettings,
        http: HttpSettings,
        *,
        models: ModelPool,
        footprint: MemoryFootprint,
        listener: WorkerListener | None = None,
        cards: Callable[[], CardMemory] = CardMemory,
    ) -> None:
        """Make the target; no server is started yet.

        Args:
            info: what the rest of the gateway knows about it.
            settings: of its server.
            http: how it is asked. `base_url` is the path below its address; that and the key are those of each start.
            models: the memory that it shares with the other models on this machine.
            footprint: what its server takes of that memory.
            listener: hears every `WorkerEvent`, for metrics; the log is written here.
            cards: makes what watches the memory of cards.
        """
        super().__init__(info, http)
        self._server_settings = settings
        self._listener = listener
        self._log = ServerLog(info.model)
        self._server = ServerSupervisor(info.name, settings, http, self._heard, self._connected, cards=cards)
        self._models = models
        self._models.add(info.name, self._server, footprint, unload_after=settings.unload_after)

    async def start(self) -> None:
        """Begin to start the server, unless that waits for the first request; return at once."""
        if self._server_settings.load == "start":
            self._models.start(self.info.name)

    async def close(self) -> None:
        """Stop the server; running requests get an error."""
        await self._models.close(self.info.name)

    @property
    def residency(self) -> ModelResidency:
        """How its server stands in the memory that all models share."""
        return self._models.residency(self.info.name)

    @property
    def starts(self) -> str:
        """When the server is started: start, on_demand."""
        return self._server_settings.load

    @property
    def problem(self) -> str:
        """Why it can't answer, for whoever runs the gateway; empty: it can, or is about to."""
        return self._server.problem

    async def load(self, deadline: float) -> None:
        """Start the server, as a request would; one that has failed is tried again. Return when it can answer.

        Raises:
            TargetUnavailable: it can't be started, or not before `deadline` (seconds of the loop's clock).
        """
        async with self._leased(deadline, retry=True):
            pass

    async def unload(self) -> None:
        """Stop the server; the next request starts it again.

        Raises:
            TargetBusy: requests work with it or wait for it.
        """
        await self._models.unload(self.info.name)

    def state(self) -> TargetState:
        """Return facts for the policy. `healthy`: a request that comes now is answered, perhaps after a start."""
        state, model, server = super().state(), self.residency, self._server
        running = server.session is not None
        to_load = 0.0 if running and model.open else model.expected_wait
        wait = state.queue_wait_seconds
        problem = server.public_problem or state.problem
        retry = None if server.retry_at is None else max(0.0, server.retry_at - time.monotonic())
        return msgspec.structs.replace(
            state,
            healthy=state.open_until is None and not problem,
            problem=problem,
            queue_wait_seconds=None if wait is None or to_load is None else wait + to_load,
            loaded=running,
            load_seconds=None if running else model.load_seconds,
            loading=server.starting if model.resident else None,
            memory=model.footprint.total or None,
            retry_in=state.retry_in if retry is None else retry,
        )

    @contextlib.asynccontextmanager
    async def _place(self, isolation: str, priority: int, deadline: float) -> AsyncGenerator[Callable[[], None], None]:
        """Hold a slot, and then the server, which is started if it does not run."""
        async with super()._place(isolation, priority, deadline) as begins, self._served(deadline):
            begins()  # so that starting the server is not taken for work
            yield begins

    @contextlib.asynccontextmanager
    async def _served(self, deadline: float) -> AsyncGenerator[None, None]:
        """Start the server, if it does not run, and hold it for one request.

        Raises:
            TargetUnavailable: it can't be started, or not in time.
            AduanaError: what the body raises, or that the server ended meanwhile.
        """
        async with self._leased(deadline) as session:
            try:
                yield
            except AduanaError as error:
                raise await self._explained(error, session) from error

    @contextlib.asynccontextmanager
    async def _leased(self, deadline: float, *, retry: bool = False) -> AsyncGenerator[LocalSession, None]:
        """Start the server, if it does not run, and keep it. `retry`: start it anew where it has failed."""
        begun = time.monotonic()
        patient = min(deadline, asyncio.get_running_loop().time() + self._server_settings.load_wait)
        async with self._models.lease(self.info.name, patient):
            if retry:
                await self._server.retry()
            waits = self._server.session is None
            session = await self._server.wait_ready(patient)
            if waits:
                seconds = time.monotonic() - begun
                self._heard(WorkerEvent(target=self.info.name, kind=WorkerEventKind.WAITED, seconds=seconds))
            yield session

    async def _explained(self, error: AduanaError, session: LocalSession) -> AduanaError:
        """Return the error that says what happened: where the server has ended, that it did."""
        if not isinstance(error, TargetError):
            return error
        broken = isinstance(error, TargetProtocolError) or error.code in (UNREACHABLE, DISCONNECTED)
        if await self._server.gone(session, _DEATH_SECONDS if broken else 0.0):
            return TargetError(
                f"The server of {self.info.name!r} ended while it was answering ({self._server.last_death}). "
                "Please try again.",
                retry_after=self._server.retry_after(),
            )
        if (error.code == UNREACHABLE or isinstance(error, TargetTimeout)) and self._slots.busy <= 1:
            self._server.doubted()
        return error

    def _heard(self, event: WorkerEvent) -> None:
        match event.kind:
            case WorkerEventKind.READY:
                self._models.load_finished(self.info.name, seconds=event.seconds)
            case WorkerEventKind.FAILED | WorkerEventKind.DIED:
                self._models.load_finished(self.info.name, seconds=None)
            case _:
                pass
        self._log.write(event)
        if self._listener is not None:
            self._listener(event)

"""The process that starts a gateway's workers: it answers no request, and goes on as long as they shall."""

import asyncio
import os
import secrets
import signal
import socket
import time
from collections import deque
from collections.abc import Coroutine, Sequence

import msgspec
import structlog

from gateway.app.preflight.workers import worker_problems
from gateway.app.service.manager import ServiceManager, where_it_listens
from gateway.app.service.sockets import bound_sockets
from gateway.app.workers.answers import SharedAnswers
from gateway.app.workers.door import Door
from gateway.app.workers.messages import Begin, Ended, Finished, Message, Others, Page, Setup, WantPage
from gateway.app.workers.process import WorkerProcess
from gateway.core.errors import ConfigurationError
from gateway.ledger.lock import OwnerLock
from gateway.observe.logs import configure
from gateway.observe.metrics.summed import Summed
from gateway.settings import Settings

LOG = structlog.get_logger("aduana")
_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds before a dead worker is begun again; doubled each time it dies at once
_PROVEN_SECONDS = 5.0  # a worker that lived for this long may die again without a longer pause
_LAST_SECONDS = 60.0  # beyond the drain time, until a worker that does not end is killed
_LOOK_SECONDS = 1.0
_MOST_ENDED = 4096  # sessions that a worker which begins is told of


def supervise(
    settings: Settings,
    manager: ServiceManager,
    sockets: Sequence[socket.socket],
    keys: int | None,
    *,
    accept_loss: bool,
) -> int:
    """Run the gateway in several processes until SIGTERM or SIGINT, and return the exit code.

    Args:
        settings: The whole configuration.
        manager: Is told when all workers answer, and how they are.
        sockets: Open already; without any, the address of the configuration is bound.
        keys: Descriptor of clouds' keys that wait for the workers' egress processes. None: there are none.
        accept_loss: Go on without what the state directory has lost.

    Raises:
        LedgerUnavailable: Another gateway uses the state directory.
        ConfigurationError: The state directory can't be used, or the configuration by several workers.
        OSError: The address can't be had.
    """
    server = settings.server
    if problems := tuple(worker_problems(settings)):
        raise ConfigurationError(problems)
    configure(settings.log.format, settings.log.level)
    lock = _taken(settings)
    ports = [port for port in (server.port, server.ollama_port) if port is not None]
    bound = tuple(sockets) or bound_sockets(server.host, ports)
    assert lock.descriptor is not None
    setup = Setup(
        number=0,
        workers=server.workers,
        supervisor=os.getpid(),
        line=-1,  # of each its own
        address=bound[0].getsockname()[:2],
        listens=where_it_listens(sockets, server.allowed_hosts) if sockets else {},
        lock=lock.descriptor,
        accept_loss=accept_loss,
        watchdog_seconds=manager.watchdog_seconds,
        secret=secrets.token_bytes(32),
    )

    async def run() -> int:
        workers = Workers(setup, keys, manager, last_seconds=server.drain_seconds + _LAST_SECONDS)
        return await workers.run(bound, server.model_copy(update={"port": setup.address[1]}).url)

    try:
        return asyncio.run(run())
    finally:
        lock.release()


def _taken(settings: Settings) -> OwnerLock:
    lock = OwnerLock(settings.state_dir)
    try:
        lock.take()
    except OSError:
        from gateway.app.preflight.state import state_problems

        raise ConfigurationError(tuple(state_problems(settings))) from None
    return lock


class Workers:
    """Owner of all workers of this gateway."""

    def __init__(self, setup: Setup, keys: int | None, manager: ServiceManager, *, last_seconds: float) -> None:
        """Start nothing yet.

        Args:
            setup: What all workers are told.
            keys: Descriptor of clouds' keys that wait for their egress processes. None: there are none.
            manager: Is told when all answer, and how they are.
            last_seconds: From the signal to end until a worker is killed.
        """
        self._setup = setup
        self._keys = keys
        self._manager = manager
        self._last_seconds = last_seconds
        self._workers = [WorkerProcess(number, self._heard) for number in range(1, setup.workers + 1)]
        self._door: Door | None = None
        self._summed = Summed()
        self._answers = SharedAnswers()
        self._ended: deque[str] = deque(maxlen=_MOST_ENDED)
        self._stop = asyncio.Event()
        self._code = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, sockets: Sequence[socket.socket], url: str) -> int:
        """Run until a signal says stop, or until a worker can't be started at all; return the exit code.

        Args:
            sockets: Where clients connect; closed here.
            url: The main one's address, for the log.

        Raises:
            OSError: Another program listens there by now.
        """
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        ready = [worker.ready for worker in self._workers]
        takers = [worker.take for worker in self._workers]
        door = self._door = Door(sockets, takers, lambda: any(one.is_set() for one in ready))
        lives = await self._begin(door, url)
        if not self._stop.is_set():
            self._manager.ready()
            self._task(self._manager.keep_told(self._status), "service manager")
            self._task(self._watch(), "watch over workers")
            await self._stop.wait()
            self._manager.stopping()
        door.close()
        await self._end(lives)
        return self._code

    async def _begin(self, door: Door, url: str) -> list[asyncio.Task[None]]:
        """Start the first worker, and the others when it answers: what a first start makes they find.

        Raises:
            OSError: Another program listens on the port by now.
        """
        first, *others = self._workers
        lives = [self._begun(first)]
        await self._until_ready(first)
        if not self._stop.is_set():
            door.open()
            LOG.info("gateway.listening", url=url)
        lives += [self._begun(one) for one in others]
        for one in others:
            await self._until_ready(one)
        return lives

    def _begun(self, worker: WorkerProcess) -> asyncio.Task[None]:
        return asyncio.create_task(self._keep(worker), name=f"worker {worker.number}")

    async def _until_ready(self, worker: WorkerProcess) -> None:
        """Return when a worker answers, or when all shall stop."""
        waiting = [asyncio.ensure_future(one.wait()) for one in (worker.ready, self._stop)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    async def _keep(self, worker: WorkerProcess) -> None:
        """Begin a worker, and begin it again when it dies. One that never answered ends the whole start."""
        pause, answered, accept_loss = _PAUSE, False, self._setup.accept_loss and worker.number == 1
        while not self._stop.is_set():
            begun, worker.state = time.monotonic(), "starts"
            noting = asyncio.create_task(self._note_ready(worker), name=f"start of worker {worker.number}")
            setup = msgspec.structs.replace(
                self._setup, number=worker.number, ended=tuple(self._ended), accept_loss=accept_loss
            )
            try:
                code = await worker.life(setup, self._keys)
            except OSError as error:
                LOG.error("worker.not_started", worker=worker.number, error=error.strerror)
                code = 1
            noting.cancel()
            answered = answered or worker.state == "answers"
            accept_loss = False  # a loss is accepted once
            if self._door is not None:
                for connection in worker.untaken:
                    self._door.hand(connection)
            self._answers.gone(worker.number)
            self._summed.ended(worker.last_page)
            worker.last_page = ""
            if not answered and not self._stop.is_set():
                self._code = code if code > 0 else 1
                self._stop.set()
            if self._stop.is_set():
                return
            pause = _PAUSE if time.monotonic() - begun >= _PROVEN_SECONDS else pause
            LOG.error("worker.died", worker=worker.number, exit_code=code, retry_in=pause)
            worker.state = "died and is begun again"
            self._tell_states()
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
            except TimeoutError:
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _note_ready(self, worker: WorkerProcess) -> None:
        await worker.ready.wait()
        worker.state = "answers"
        LOG.info("worker.answers", worker=worker.number)
        self._tell_states()

    async def _watch(self) -> None:
        """Kill a worker whose event loop stands still for as long as the service manager allows."""
        seconds, loop = self._setup.watchdog_seconds, asyncio.get_running_loop()
        while seconds is not None:
            await asyncio.sleep(min(_LOOK_SECONDS, seconds / 3))
            for worker in self._workers:
                if worker.ready.is_set() and loop.time() - worker.heard_at > seconds:
                    LOG.error("worker.stands_still", worker=worker.number)
                    worker.signal(signal.SIGKILL)

    async def _end(self, lives: Sequence[asyncio.Task[None]]) -> None:
        """Let all workers drain at once, and return when they are gone."""
        until = time.monotonic() + self._last_seconds
        left = set(lives)
        while left:  # again and again: one of them may be begun just now
            number = signal.SIGTERM if time.monotonic() < until else signal.SIGKILL
            for worker in self._workers:
                worker.signal(number)
            _, left = await asyncio.wait(left, timeout=_LOOK_SECONDS)
        for task in self._tasks:
            task.cancel()

    def _reload(self) -> None:
        """Let all read again what they read at their start; those that start just now read it anyway."""
        for worker in self._workers:
            if worker.ready.is_set():
                worker.signal(signal.SIGHUP)

    async def _heard(self, worker: WorkerProcess, message: Message) -> None:
        match message:
            case WantPage():
                self._task(self._tell_page(worker, message.ask), "metrics of all workers")
            case Ended():
                self._ended.append(message.session)
                for other in self._workers:
                    if other is not worker:
                        other.send(message)
            case Begin():
                worker.send(await self._answers.begin(worker.number, message))
            case Finished():
                self._answers.finished(worker.number, message)
            case _:
                pass

    async def _tell_page(self, worker: WorkerProcess, ask: int) -> None:
        await asyncio.gather(*(one.renew_page() for one in self._workers))
        # INVARIANT: what is shown was said last, so that a worker that dies leaves no less behind than was shown of it.
        pages = [one.last_page for one in self._workers if one.last_page]
        worker.send(Page(ask=ask, text=self._summed.text(pages).encode()))

    def _tell_states(self) -> None:
        states = {worker.number: worker.state for worker in self._workers}
        for worker in self._workers:
            worker.send(Others(states=states))

    def _status(self) -> str:
        well = sum(worker.ready.is_set() for worker in self._workers)
        status = next((one.status for one in self._workers if one.status), "")
        return f"{well} of {len(self._workers)} workers answer. {status}"

    def _task(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

"""This process as one of a gateway's workers: what its supervisor has told it, and what it tells its supervisor.

Imports little: it is there before the keys of clouds are out of this process's hands.
"""

import asyncio
import itertools
import os
import socket
from collections.abc import Callable, MutableMapping

from gateway.app.service.manager import ServiceManager
from gateway.app.workers.answers import AnswersElsewhere
from gateway.app.workers.door import HandedConnections
from gateway.app.workers.messages import (
    VARIABLE,
    Begun,
    Ended,
    Message,
    Others,
    Page,
    Setup,
    Told,
    WantPage,
    first_heard,
    framed,
    heard,
)
from gateway.core.errors import Unavailable

_ASK_SECONDS = 5.0


class Member:
    """A worker's side of the connection to its supervisor. `attend` runs as long as the worker does."""

    def __init__(self, setup: Setup, connection: socket.socket) -> None:
        self.number = setup.number
        self.supervisor = setup.supervisor
        self.accept_loss = setup.accept_loss
        self.listens = setup.listens
        self.lock = setup.lock
        os.set_inheritable(self.lock, False)
        self.connections = HandedConnections(_inherited(setup.line), setup.address)
        self.manager = ServiceManager(
            watchdog_seconds=setup.watchdog_seconds, say=lambda text: self._tell(Told(text=text))
        )
        self.secret = setup.secret  # signs sessions in the console
        self.ended = list(setup.ended)  # sessions that are over
        self.on_ended: Callable[[str], None] = self.ended.append
        self.answers = AnswersElsewhere(self._ask, self._tell)
        self.render: Callable[[], bytes] = lambda: b""  # this worker's own metrics
        self._workers = setup.workers
        self._connection = connection
        self._writer: asyncio.StreamWriter | None = None
        self._asks = itertools.count()
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._states: dict[int, str] = {}

    @property
    def first(self) -> bool:
        """Return whether this is the one that does what only one of them shall do."""
        return self.number == 1

    def told(self) -> str:
        """Return in one line how the workers are, and which one says it."""
        lacking = [f"worker {number} {state}" for number, state in self._states.items() if state != "answers"]
        well = f"{len(self._states) - len(lacking)} of {self._workers} answer"
        return f"{', '.join((well, *lacking))}; this is worker {self.number}, process {os.getpid()}"

    async def attend(self, gone: Callable[[], None]) -> None:
        """Hear the supervisor until it is gone, and call `gone` then: without it nobody would stop this worker."""
        reader, self._writer = await asyncio.open_unix_connection(sock=self._connection)
        rendering: set[asyncio.Task[None]] = set()
        while (message := await heard(reader)) is not None:
            match message:
                case WantPage():
                    task = asyncio.create_task(self._tell_page(message.ask), name="metrics of this worker")
                    rendering.add(task)
                    task.add_done_callback(rendering.discard)
                case Page() | Begun():
                    waiting = self._waiting.get(message.ask)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
                case Ended():
                    self.on_ended(message.session)
                case Others():
                    self._states = dict(message.states)
                case _:
                    pass
        gone()

    def tell_ended(self, session: str) -> None:
        """Tell the other workers of a session in the console that ended here."""
        self._tell(Ended(session=session))

    async def page(self) -> bytes:
        """Return the metrics of all workers together.

        Raises:
            Unavailable: The supervisor does not say.
        """
        page = await self._ask(lambda ask: WantPage(ask=ask))
        assert isinstance(page, Page)
        return page.text

    async def _ask(self, made: Callable[[int], Message]) -> Message:
        """Send a question, made with its number, and return what the supervisor answers.

        Raises:
            Unavailable: It does not.
        """
        ask = next(self._asks)
        waiting = self._waiting[ask] = asyncio.get_running_loop().create_future()
        self._tell(made(ask))
        try:
            return await asyncio.wait_for(waiting, _ASK_SECONDS)
        except TimeoutError as error:
            raise Unavailable("The gateway's workers can't ask each other now.", retry_after=1.0) from error
        finally:
            del self._waiting[ask]

    async def _tell_page(self, ask: int) -> None:
        self._tell(Page(ask=ask, text=await asyncio.to_thread(self.render)))

    def _tell(self, message: Message) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(framed(message))


def member(environ: MutableMapping[str, str] = os.environ) -> Member | None:
    """Return what this process is among a gateway's workers, and take its variable away; None: it is not one.

    Raises:
        EOFError: The supervisor is gone already.
    """
    descriptor = environ.pop(VARIABLE, "")
    if not descriptor.isdigit():
        return None
    connection = _inherited(int(descriptor))
    setup = first_heard(connection)
    assert isinstance(setup, Setup)
    return Member(setup, connection)


def _inherited(descriptor: int) -> socket.socket:
    opened = socket.socket(fileno=descriptor)
    opened.set_inheritable(False)
    return opened

"""One server of a target: its connections, its circuit breaker, what it has under way, and the task that watches it."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from gateway.core.background import Keep
from gateway.core.errors import AduanaError, TargetUnavailable
from gateway.core.target import ServerState, TargetInfo
from gateway.local.http.servers.choice import Standing
from gateway.local.http.servers.load import ServerLoad, ToldLoad, told_by_metrics, told_by_slots
from gateway.local.http.session import LocalReply, LocalSession, relayed
from gateway.local.http.settings import HttpSettings, ServerAddress
from gateway.local.http.whereabouts import Whereabouts
from gateway.upstream.errors import UNREACHABLE, unreachable
from gateway.upstream.exchange import Exchange
from gateway.upstream.media.requests import SentBody

LOG = structlog.get_logger("aduana.targets")
_MOST_PAGE_BYTES = 4 * 2**20
_LOOK_SECONDS = 5.0
_PAGES = ("/metrics", "/slots")  # on which servers tell their load


class Condition(NamedTuple):
    """How a server, or all of a target's, is doing, as far as that is known."""

    healthy: bool  # it can be asked now
    problem: str  # what only the owner can mend, in a whole sentence; empty: nothing is known
    open_until: float | None  # its breaker holds it until then


class LocalServer:
    """One server in the user's own network. `is_there`: it answered when it was last looked at."""

    def __init__(
        self,
        info: TargetInfo,
        settings: HttpSettings,
        address: ServerAddress,
        *,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        """Connect to nobody yet.

        Args:
            info: What the rest of the gateway knows about the target.
            settings: How the target's servers are asked.
            address: Which of them this is.
            clock: Returns monotonic seconds.
            changed: Called when the server has come or gone.
        """
        self.name = address.name
        self._info = info
        self._address = address
        self._settings = msgspec.structs.replace(settings, base_url=address.base_url)
        self._several = len(settings.servers) > 1
        if self._several:
            self._settings = msgspec.structs.replace(self._settings, retries=0)  # the others are the further tries
        self.slots = max(1, round(settings.slots * address.weight))  # requests that it gets at once
        self._clock = clock
        self._changed = changed
        self.exchange = Exchange(info.name, self._settings, clock=clock)
        self._whereabouts = Whereabouts(info)
        self._load = ServerLoad(clock)
        self.begins = self._load.begin  # counts one request more that it gets; returns when, which `ends` wants
        self._tells = True  # its load, as far as is known
        self._look_now = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self.session: LocalSession | None = None
        self.is_there = False

    @property
    def elsewhere(self) -> bool:
        """Whether it is known to pass the model's requests on to somebody else's machines."""
        return bool(self._whereabouts.elsewhere)

    @property
    def available(self) -> bool:
        """Whether it can be asked now, as far as is known."""
        return self.is_there and self.exchange.open_until() is None and not self.elsewhere

    def condition(self) -> Condition:
        """Return how it is doing."""
        until, elsewhere = self.exchange.open_until(), bool(self._whereabouts.elsewhere)
        return Condition(
            healthy=self.is_there and until is None and not elsewhere,
            problem=relayed(self._info.name, self._info.model).message if elsewhere else self.exchange.problem,
            open_until=until,
        )

    def standing(self) -> Standing:
        """Return what the choice between several servers needs to know."""
        return Standing(
            name=self.name,
            weight=self._address.weight,
            slots=self.slots,
            load=self._load.all,
            waiting=self._load.waiting,
            seconds=self._load.seconds,
            available=self.available,
        )

    def state(self) -> ServerState:
        """Return how it is doing, for people."""
        condition = self.condition()
        return ServerState(
            name=self.name,
            healthy=condition.healthy,
            busy=self._load.own,
            load=self._load.all,
            waiting=self._load.waiting,
            problem=condition.problem,
            open_until=condition.open_until,
        )

    def start(self, keep: Keep) -> None:
        """Open the connections, and begin to watch whether it is there."""
        self.session = LocalSession(self._info.name, self._settings)
        name = f"health of {self._info.name}" + (f" {self.name}" if self.name else "")
        self._watch = keep(name, partial(self._look_after, self.session))

    async def close(self) -> None:
        """Stop watching and close all connections."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.wait({watch})
        session, self.session = self.session, None
        if session is not None:
            await session.close()

    def connected(self, session: LocalSession | None) -> None:
        """Ask the server behind `session` from now on, which nobody has asked anything yet. None: there is none."""
        self.session, self.is_there = session, session is not None
        self._whereabouts.forget()
        if session is not None:
            self.exchange = Exchange(self._info.name, self._settings, clock=self._clock)

    async def send(self, sent: SentBody, most_bytes: int) -> LocalReply:
        """Send a body, and return the answer that begins.

        Raises:
            TargetUnavailable: The target is not started.
            AduanaError: The server can't be asked, or does not answer well.
        """
        if self.session is None:
            raise TargetUnavailable(f"The target {self._info.name!r} is not started.")
        return await self.session.post(sent.path, sent.content, most_bytes=most_bytes, content_type=sent.content_type)

    def there(self) -> bool:
        """Say whether it answered when it was last looked at: one that reads a long prompt is silent."""
        return self.is_there

    def ends(self, begun: float, error: BaseException | None) -> None:
        """Count a request less; if the server can't be reached, look at once whether it is still there."""
        if isinstance(error, AduanaError) and error.code == UNREACHABLE and self._watch is not None and self.is_there:
            self._lost()  # the next request shall not have to find out for itself
        self._load.end(begun, answered=error is None)

    async def stays_here(self) -> None:
        """Refuse to send anything to a server that passes it on; ask the server first, where that is not known.

        Raises:
            TargetMisconfigured: It runs the model elsewhere.
            AduanaError: It can't be asked.
        """
        # INVARIANT: no document is sent before the server has been asked where it runs the model.
        if self._whereabouts.elsewhere is None and self.session is not None:
            try:
                await self._whereabouts.ask(self.session, self.exchange, listed=self._watch is None)
            except TimeoutError:
                late = unreachable(self._info.name)
                raise late from None
        if self._whereabouts.elsewhere:
            error = relayed(self._info.name, self._info.model)
            raise error

    def _lost(self) -> None:
        self._found(False)
        self._whereabouts.forget()
        self._look_now.set()

    def _found(self, there: bool) -> None:
        if there is self.is_there:
            return
        self.is_there, self._tells = there, True
        self._load.hear(None)
        if there and self.name:
            LOG.info("target.server_up", target=self._info.name, server=self.name)
        elif self.name:
            LOG.warning("target.server_down", target=self._info.name, server=self.name)
        self._changed()

    async def _look_after(self, session: LocalSession) -> None:
        self.is_there = False  # until it was looked at: also where this begins anew
        while True:
            self._look_now.clear()
            self._found(await self._answers(session))
            pause = self._settings.poll_seconds if self.is_there else self._settings.poll_seconds_down
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._listen(session)

    async def _answers(self, session: LocalSession) -> bool:
        """Say whether the server answers when it is asked for its models. Sends no request's content.

        One that has no list, or shows it to others only, is there all the same.
        """
        try:
            await self._whereabouts.ask(session, self.exchange)
        except AduanaError as error:
            if error.code == UNREACHABLE and not self._whereabouts.elsewhere:
                self._whereabouts.forget()  # whoever answers there next is asked anew
            return False
        except TimeoutError:
            return False
        return True

    async def _listen(self, session: LocalSession) -> None:
        """Return when the server is to be looked at; of several, each is asked for its load meanwhile."""
        while self._several and self.is_there and self._tells:
            try:
                told = await self._told(session)
            except (AduanaError, TimeoutError):
                return  # it is looked at
            self._tells = told is not None
            self._load.hear(told)
            self._changed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.load_seconds):
                    await self._look_now.wait()
                    return
        await self._look_now.wait()

    async def _told(self, session: LocalSession) -> ToldLoad | None:
        """Return what the server says it has; None: it has no page that does.

        Raises:
            AduanaError: It can't be reached.
            TimeoutError: It does not answer in time.
        """
        deadline = asyncio.get_running_loop().time() + _LOOK_SECONDS
        async with asyncio.timeout_at(deadline):
            for path in _PAGES:
                try:
                    reply = await session.about("GET", path, None, most_bytes=_MOST_PAGE_BYTES)
                except AduanaError as error:
                    if error.code == UNREACHABLE:
                        raise
                    continue  # llama-server answers with 501 where the page is turned off
                if reply is None:
                    continue
                page = b"".join(await self.exchange.collect(reply, deadline=deadline))
                told = told_by_metrics(page) if path == "/metrics" else _slots_of(page)
                if told is not None:
                    return told
        return None


def _slots_of(page: bytes) -> ToldLoad | None:
    try:
        return told_by_slots(msgspec.json.decode(page))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

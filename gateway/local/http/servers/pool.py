"""All servers of one target: which one a request goes to, and which one is tried after it."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import structlog

from gateway.core.background import Keep
from gateway.core.errors import TargetError
from gateway.core.progress import Progress
from gateway.core.target import ServerState, TargetInfo
from gateway.local.http.address import refuse_public_address
from gateway.local.http.servers.choice import in_order
from gateway.local.http.servers.server import Condition, LocalServer
from gateway.local.http.settings import HttpSettings, ServerAddress

LOG = structlog.get_logger("aduana.targets")
T = TypeVar("T")


class Attempt:
    """Context in which one server is asked: counted there, and passed over if it fails before it begins to answer."""

    __slots__ = ("_begun", "_gave_up", "_server", "begun", "passed_over")

    def __init__(self, server: LocalServer, gave_up: Callable[[LocalServer, TargetError], None] | None) -> None:
        """Ask nothing yet. `gave_up`: hears of a server that is passed over; None: no other one is left."""
        self._server = server
        self._gave_up = gave_up
        self._begun = 0.0
        self.begun = False  # to be set when the server has begun to answer
        self.passed_over = False

    def __enter__(self) -> LocalServer:
        self._begun = self._server.begins()
        return self._server

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        self._server.ends(self._begun, error)
        # INVARIANT: what has begun to answer is never asked for again.
        if self.begun or self._gave_up is None or not isinstance(error, TargetError):
            return False
        self._gave_up(self._server, error)
        self.passed_over = True
        return True


class ServerPool:
    """The servers of one target, each with its own circuit breaker.

    A request goes to one of them; if that fails before its first delta, to the next, each of them at most once.
    """

    def __init__(
        self,
        info: TargetInfo,
        settings: HttpSettings,
        *,
        keep: Keep,
        clock: Callable[[], float],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Connect to nobody yet.

        Args:
            info: The target's name and abilities.
            settings: How its servers are reached.
            keep: Runs what watches each.
            clock: Returns monotonic seconds.
            changed: Called when a server has come or gone.
        """
        self._info = info
        self._settings = settings
        self._keep = keep
        self._addresses = settings.servers or (ServerAddress(name="", base_url=settings.base_url),)
        self.all = tuple(
            [LocalServer(info, settings, address, clock=clock, changed=changed) for address in self._addresses]
        )
        self.several = len(self.all) > 1
        self._started = False

    @property
    def slots(self) -> int:
        """Requests that those servers get at once which can be asked now; where none can, that one of them gets."""
        if not self.several:
            return self.all[0].slots
        return sum(server.slots for server in self.all if server.available) or self.all[0].slots

    def condition(self) -> Condition:
        """Return how they are doing together: as well as the best of them, and held or in trouble where all are."""
        if not self.several:
            return self.all[0].condition()
        each = [server.condition() for server in self.all]
        held = [one.open_until for one in each if one.open_until is not None]
        return Condition(
            healthy=any([one.healthy for one in each]),
            problem=each[0].problem if all([one.problem for one in each]) else "",
            open_until=min(held) if len(held) == len(each) else None,
        )

    def states(self) -> tuple[ServerState, ...]:
        """Return how each is doing that has a name; one without is the target itself."""
        return tuple([server.state() for server in self.all if server.name]) if self.all[0].name else ()

    async def start(self) -> None:
        """Check the addresses and begin to watch each server's health.

        Raises:
            ConfigurationError: An address is neither in the user's own network nor declared as trusted.
        """
        if self._started:
            return
        for address in self._addresses if not self._settings.trusted_host else ():
            setting = "servers" if self._settings.servers else "base_url"
            seconds = self._settings.connect_seconds
            await refuse_public_address(self._info.name, address.base_url, seconds=seconds, setting=setting)
        self._started = True
        for server in self.all:
            server.start(self._keep)

    async def close(self) -> None:
        """Stop watching and close all connections."""
        self._started = False
        for server in self.all:
            await server.close()

    def attempts(self, *, beginning: bytes | None = None, progress: Progress | None = None) -> Iterator[Attempt]:
        """Yield one server after the other, each to be asked within `with`, until one was not passed over.

        Args:
            beginning: How the conversation begins; None: the request continues nothing.
            progress: Is told which server is asked.
        """
        left = list(self.all)
        while left:
            server = self._taken(left, beginning, progress)
            attempt = Attempt(server, self._gave_up if left else None)
            yield attempt
            if not attempt.passed_over:
                return

    async def whole(self, ask: Callable[[LocalServer], Awaitable[T]], *, progress: Progress | None = None) -> T:
        """Return the answer of the first server that gives one, which comes in one piece.

        Raises:
            TargetError: No server gives one; this is the last one's failure.
            AduanaError: The request itself can't be answered.
        """
        for attempt in self.attempts(progress=progress):
            with attempt as server:
                await server.stays_here()
                return await ask(server)
        raise TargetError(f"The target {self._info.name!r} has no server that could be asked.")

    def _taken(self, left: list[LocalServer], beginning: bytes | None, progress: Progress | None) -> LocalServer:
        """Take the server out of `left` that a request should try now."""
        if len(left) > 1:
            first = in_order([server.standing() for server in left], beginning)[0]
            left.sort(key=lambda server: server.name != first)
        server = left.pop(0)
        if progress is not None:
            progress.server = server.name
        return server

    def _gave_up(self, server: LocalServer, error: TargetError) -> None:
        LOG.warning("target.server_passed_over", target=self._info.name, server=server.name, code=error.code)

"""Owner of the memory for embedded models: who is loaded, who waits, who gives way.

A request holds a lease on its model from its first step to its last; a model with a lease is never unloaded. A model
that finds no room waits its turn: the least recently used idle model gives way, a working one when it has finished.
So that two models which don't fit together can't spend their time loading, each keeps its place for a turn (a few
times what its load took) unless nobody has asked for it for a moment; and so that neither waits for ever, who comes
for a model whose turn is over waits until the other has had one.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from gateway.core.errors import TargetBusy, TargetUnavailable
from gateway.engine.fit import Fit, Limits, fit, too_large, within
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded_seat import Seat

_LOADS_IN_A_TURN = 3.0
_UNKNOWN_WAIT = 5.0  # for Retry-After, where nothing is known


class ModelMemory:
    """`turn`: the shortest, in seconds. `grace`: a model that was idle for so long gives way within its turn too."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        turn: float = 10.0,
        grace: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self._turn = turn
        self._grace = grace
        self._clock = clock
        self._seats: dict[str, Seat] = {}
        self._places = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._rate: float | None = None  # bytes a second, of recent loads

    def add(
        self,
        name: str,
        need: MemoryFootprint,
        *,
        begin: Callable[[], None],
        end: Callable[[], Awaitable[None]],
        unload_after: float | None,
        measured: Callable[[], float | None],
    ) -> Seat:
        """A place for one more model; not loaded yet."""
        seat = Seat(name, need, begin=begin, end=end, unload_after=unload_after, measured=measured)
        self._seats[name] = seat
        return seat

    def start(self, seat: Seat) -> None:
        """Load it now, without asking anybody to give way."""
        if not seat.resident and not seat.closed:
            self._load(seat, asked=False)

    @asynccontextmanager
    async def lease(self, seat: Seat, until: float) -> AsyncGenerator[None, None]:
        """The model has its memory and keeps it; it may still be loading. `until` is in the loop's clock.

        Raises TargetUnavailable when its turn does not come in time, or when it can't fit at all.
        """
        if seat.open:
            seat.leases += 1
        else:
            await self._turn_of(seat, until)
        try:
            yield
        finally:
            self._release(seat)

    async def unload(self, seat: Seat) -> None:
        """Gives its memory back now. Raises TargetBusy while it works."""
        if seat.leases or seat.waiting:
            count = seat.leases + len(seat.waiting)
            raise TargetBusy(
                f"The model of {seat.name!r} is at work on {count} requests. Try again when they are done.",
                code="model_busy",
                status=409,
            )
        if seat.resident and seat.leaving is None:
            self._leave(seat)
        if seat.leaving is not None:
            await asyncio.wait([seat.leaving])

    async def close(self, seat: Seat) -> None:
        """For good: whoever waits is told, the memory comes back."""
        seat.closed = True
        self._refuse(seat, f"The embedded target {seat.name!r} is shutting down.", None)
        if seat.leaving is not None:
            await asyncio.wait([seat.leaving])
        await seat.end()
        seat.resident = False
        self._look()

    def keep(self, seat: Seat, seconds: float | None) -> None:
        """Unload it when it has been idle for this long; None: only when another model needs the room."""
        seat.keep = seconds
        self._look()

    def noticed(self, seat: Seat, *, seconds: float | None) -> None:
        """It is loaded, after `seconds`; None: it could not be."""
        now = self._clock()
        seat.settled = True
        seat.turn_ends = now if seconds is None else now + max(self._turn, _LOADS_IN_A_TURN * seconds)
        seat.idle_since = now
        if seconds and seat.need.weights:
            self._rate = seat.need.weights / seconds
        self._look()

    def fit(self, seat: Seat) -> Fit:
        """Would it fit beside what is loaded, and who would give way?"""
        others = [one.loaded() for one in self._seats.values() if one is not seat and one.resident and not one.leaving]
        return fit(seat.need, others, self.limits)

    def load_seconds(self, seat: Seat) -> float | None:
        """What a load takes: as measured, else by the speed of other models' loads."""
        known = seat.measured()
        if known is None and self._rate is not None and seat.need.weights:
            return seat.need.weights / self._rate
        return known

    def expected_wait(self, seat: Seat) -> float | None:
        """Until a request that comes now could begin, if nobody else comes. None: nobody knows."""
        load = self.load_seconds(seat)
        if seat.open:
            return 0.0 if seat.settled else load
        wait, now = 0.0, self._clock()
        for name in self.fit(seat).gives_way:
            at = self._seats[name].yields_at(self._grace)
            if at is None:
                return None
            wait = max(wait, at - now)
        return None if load is None else wait + load

    # Deciding

    async def _turn_of(self, seat: Seat, until: float) -> None:
        if seat.closed:
            raise TargetUnavailable(f"The embedded target {seat.name!r} is not running.", retry_after=_UNKNOWN_WAIT)
        future = asyncio.get_running_loop().create_future()
        if not seat.waiting:
            seat.place = next(self._places)
        seat.waiting.append(future)
        self._look()
        try:
            async with asyncio.timeout_at(until):
                await future
        except BaseException as error:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._release(seat)  # its turn came in the same moment
            elif future in seat.waiting:
                seat.waiting.remove(future)
                self._look()
            if isinstance(error, TimeoutError):
                names = ", ".join(repr(name) for name in self.fit(seat).gives_way) or "other models"
                raise TargetUnavailable(
                    f"The model of {seat.name!r} could not be loaded in time: {names} took its memory and did not "
                    "come to rest.",
                    retry_after=self.expected_wait(seat) or _UNKNOWN_WAIT,
                ) from None
            raise

    def _release(self, seat: Seat) -> None:
        seat.leases -= 1
        if not seat.leases:
            seat.idle_since = self._clock()
            self._look()

    def _look(self) -> None:
        """Carries out whatever can be done now, and sets the clock for what can be done later."""
        now = self._clock()
        times = self._unload_idle(now) + self._serve_queue(now)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        later = [at for at in times if at > now]
        if later:
            self._timer = asyncio.get_running_loop().call_later(min(later) - now, self._look)

    def _unload_idle(self, now: float) -> list[float]:
        times = []
        for seat in self._seats.values():
            idle = seat.open and seat.settled and not seat.leases and not seat.waiting
            if idle and seat.keep is not None:
                if seat.idle_since + seat.keep <= now:
                    self._leave(seat)
                else:
                    times.append(seat.idle_since + seat.keep)
        return times

    def _serve_queue(self, now: float) -> list[float]:
        """First come, first served; stops at the first model that has to wait for others to give way."""
        times: list[float] = []
        for seat in self._seats.values():
            seat.draining = False
        for seat in sorted((one for one in self._seats.values() if one.waiting), key=lambda one: one.place):
            if not seat.open:
                wait = self._make_room(seat, now)
                if wait is not None:
                    times += wait
                    break
            self._grant(seat)
        for seat in self._seats.values():
            if seat.open:
                self._grant(seat)
        return times

    def _make_room(self, seat: Seat, now: float) -> list[float] | None:
        """Loads it where it fits: None. Else who gives way begins to go, or the times when they may."""
        if seat.leaving is not None:
            return []
        plan = self.fit(seat)
        if not plan.possible:
            self._refuse(seat, f"The model of {seat.name!r} {too_large(seat.need, self.limits)}", None)
            return None
        victims = [self._seats[name] for name in plan.gives_way]
        taken = [one.need for one in self._seats.values() if one.resident and one not in victims]
        if not victims:
            if not within(self.limits, [seat.need, *taken]):
                return []  # somebody is leaving already
            self._load(seat, asked=True)
            return None
        free_at = [victim.yields_at(self._grace) for victim in victims]
        for victim in victims:
            victim.draining = victim.settled and victim.turn_ends <= now
        if all(at is not None and at <= now for at in free_at):
            for victim in victims:
                self._leave(victim)
        return [at for at in (*free_at, *(victim.turn_ends for victim in victims)) if at is not None]

    # Doing

    def _load(self, seat: Seat, *, asked: bool) -> None:
        seat.resident, seat.settled, seat.asked = True, False, asked
        seat.keep = seat.unload_after
        seat.idle_since = self._clock()
        seat.begin()

    def _grant(self, seat: Seat) -> None:
        waiting, seat.waiting = seat.waiting, []
        for future in waiting:
            if not future.done():
                seat.leases += 1
                future.set_result(None)

    def _refuse(self, seat: Seat, message: str, retry_after: float | None) -> None:
        waiting, seat.waiting = seat.waiting, []
        for future in waiting:
            if not future.done():
                future.set_exception(TargetUnavailable(message, retry_after=retry_after))

    def _leave(self, seat: Seat) -> None:
        seat.leaving = asyncio.get_running_loop().create_task(self._left(seat), name=f"unloading {seat.name}")

    async def _left(self, seat: Seat) -> None:
        try:
            await seat.end()
        finally:
            seat.resident, seat.leaving = False, None
            self._look()

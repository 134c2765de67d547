"""Owner of the memory for embedded models: who is loaded, who waits, who is evicted.

A request holds a lease on its model from its first step to its last; a model with a lease is never unloaded. A model
that finds no room waits its turn: the least recently used idle model is evicted, a working one when it has finished.
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
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded.models.eviction import EvictionPlan, MemoryLimits, plan_eviction, too_large, within
from gateway.local.embedded.models.residency import ResidentModel

_LOADS_IN_A_TURN = 3.0
_UNKNOWN_WAIT = 5.0  # for Retry-After, where nothing is known


class ModelScheduler:
    """`turn`: the shortest, in seconds. `grace`: a model that was idle for so long is evicted within its turn too."""

    def __init__(
        self,
        limits: MemoryLimits | None = None,
        *,
        turn: float = 10.0,
        grace: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or MemoryLimits()
        self._turn = turn
        self._grace = grace
        self._clock = clock
        self._models: dict[str, ResidentModel] = {}
        self._places = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._rate: float | None = None  # bytes a second, of recent loads

    def add(
        self,
        name: str,
        footprint: MemoryFootprint,
        *,
        begin: Callable[[], None],
        end: Callable[[], Awaitable[None]],
        unload_after: float | None,
        measured: Callable[[], float | None],
    ) -> ResidentModel:
        """A place for one more model; not loaded yet."""
        model = ResidentModel(name, footprint, begin=begin, end=end, unload_after=unload_after, measured=measured)
        self._models[name] = model
        return model

    def start(self, model: ResidentModel) -> None:
        """Load it now, without evicting anybody."""
        if not model.resident and not model.closed:
            self._load(model, asked=False)

    @asynccontextmanager
    async def lease(self, model: ResidentModel, until: float) -> AsyncGenerator[None, None]:
        """The model has its memory and keeps it; it may still be loading. `until` is in the loop's clock.

        Raises TargetUnavailable when its turn does not come in time, or when it can't fit at all.
        """
        if model.open:
            model.leases += 1
        else:
            await self._turn_of(model, until)
        try:
            yield
        finally:
            self._release(model)

    async def unload(self, model: ResidentModel) -> None:
        """Gives its memory back now. Raises TargetBusy while it works."""
        if model.leases or model.waiting:
            count = model.leases + len(model.waiting)
            raise TargetBusy(
                f"The model of {model.name!r} is at work on {count} requests. Try again when they are done.",
                code="model_busy",
                status=409,
            )
        if model.resident and model.leaving is None:
            self._leave(model)
        if model.leaving is not None:
            await asyncio.wait([model.leaving])

    async def close(self, model: ResidentModel) -> None:
        """For good: whoever waits is told, the memory comes back."""
        model.closed = True
        self._refuse(model, f"The embedded target {model.name!r} is shutting down.", None)
        if model.leaving is not None:
            await asyncio.wait([model.leaving])
        await model.end()
        model.resident = False
        self._reschedule()

    def keep_alive(self, model: ResidentModel, seconds: float | None) -> None:
        """Unload it when it has been idle for this long; None: only when another model needs the room."""
        model.keep_alive = seconds
        self._reschedule()

    def load_finished(self, model: ResidentModel, *, seconds: float | None) -> None:
        """It is loaded, after `seconds`; None: it could not be."""
        now = self._clock()
        model.settled = True
        model.turn_ends = now if seconds is None else now + max(self._turn, _LOADS_IN_A_TURN * seconds)
        model.idle_since = now
        if seconds and model.footprint.weights:
            self._rate = model.footprint.weights / seconds
        self._reschedule()

    def plan_eviction(self, model: ResidentModel) -> EvictionPlan:
        """Would it fit beside what is loaded, and who would be evicted?"""
        others = [
            one.loaded() for one in self._models.values() if one is not model and one.resident and not one.leaving
        ]
        return plan_eviction(model.footprint, others, self.limits)

    def load_seconds(self, model: ResidentModel) -> float | None:
        """What a load takes: as measured, else by the speed of other models' loads."""
        known = model.measured()
        if known is None and self._rate is not None and model.footprint.weights:
            return model.footprint.weights / self._rate
        return known

    def expected_wait(self, model: ResidentModel) -> float | None:
        """Until a request that comes now could begin, if nobody else comes. None: nobody knows."""
        load = self.load_seconds(model)
        if model.open:
            return 0.0 if model.settled else load
        wait, now = 0.0, self._clock()
        for name in self.plan_eviction(model).evict:
            at = self._models[name].yields_at(self._grace)
            if at is None:
                return None
            wait = max(wait, at - now)
        return None if load is None else wait + load

    # Deciding

    async def _turn_of(self, model: ResidentModel, until: float) -> None:
        if model.closed:
            raise TargetUnavailable(f"The embedded target {model.name!r} is not running.", retry_after=_UNKNOWN_WAIT)
        future = asyncio.get_running_loop().create_future()
        if not model.waiting:
            model.place = next(self._places)
        model.waiting.append(future)
        self._reschedule()
        try:
            async with asyncio.timeout_at(until):
                await future
        except BaseException as error:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._release(model)  # its turn came in the same moment
            elif future in model.waiting:
                model.waiting.remove(future)
                self._reschedule()
            if isinstance(error, TimeoutError):
                names = ", ".join(repr(name) for name in self.plan_eviction(model).evict) or "other models"
                raise TargetUnavailable(
                    f"The model of {model.name!r} could not be loaded in time: {names} took its memory and did not "
                    "come to rest.",
                    retry_after=self.expected_wait(model) or _UNKNOWN_WAIT,
                ) from None
            raise

    def _release(self, model: ResidentModel) -> None:
        model.leases -= 1
        if not model.leases:
            model.idle_since = self._clock()
            self._reschedule()

    def _reschedule(self) -> None:
        """Carries out whatever can be done now, and sets the clock for what can be done later."""
        now = self._clock()
        times = self._unload_idle(now) + self._serve_queue(now)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        later = [at for at in times if at > now]
        if later:
            self._timer = asyncio.get_running_loop().call_later(min(later) - now, self._reschedule)

    def _unload_idle(self, now: float) -> list[float]:
        times = []
        for model in self._models.values():
            idle = model.open and model.settled and not model.leases and not model.waiting
            if idle and model.keep_alive is not None:
                if model.idle_since + model.keep_alive <= now:
                    self._leave(model)
                else:
                    times.append(model.idle_since + model.keep_alive)
        return times

    def _serve_queue(self, now: float) -> list[float]:
        """First come, first served; stops at the first model that has to wait for others to be evicted."""
        times: list[float] = []
        for model in self._models.values():
            model.draining = False
        for model in sorted((one for one in self._models.values() if one.waiting), key=lambda one: one.place):
            if not model.open:
                wait = self._load_or_evict(model, now)
                if wait is not None:
                    times += wait
                    break
            self._grant(model)
        for model in self._models.values():
            if model.open:
                self._grant(model)
        return times

    def _load_or_evict(self, model: ResidentModel, now: float) -> list[float] | None:
        """Loads it where it fits: None. Else who is evicted begins to go, or the times when they may."""
        if model.leaving is not None:
            return []
        plan = self.plan_eviction(model)
        if not plan.possible:
            self._refuse(model, f"The model of {model.name!r} {too_large(model.footprint, self.limits)}", None)
            return None
        victims = [self._models[name] for name in plan.evict]
        taken = [one.footprint for one in self._models.values() if one.resident and one not in victims]
        if not victims:
            if not within(self.limits, [model.footprint, *taken]):
                return []  # somebody is leaving already
            self._load(model, asked=True)
            return None
        free_at = [victim.yields_at(self._grace) for victim in victims]
        for victim in victims:
            victim.draining = victim.settled and victim.turn_ends <= now
        if all(at is not None and at <= now for at in free_at):
            for victim in victims:
                self._leave(victim)
        return [at for at in (*free_at, *(victim.turn_ends for victim in victims)) if at is not None]

    # Doing

    def _load(self, model: ResidentModel, *, asked: bool) -> None:
        model.resident, model.settled, model.asked = True, False, asked
        model.keep_alive = model.unload_after
        model.idle_since = self._clock()
        model.begin()

    def _grant(self, model: ResidentModel) -> None:
        waiting, model.waiting = model.waiting, []
        for future in waiting:
            if not future.done():
                model.leases += 1
                future.set_result(None)

    def _refuse(self, model: ResidentModel, message: str, retry_after: float | None) -> None:
        waiting, model.waiting = model.waiting, []
        for future in waiting:
            if not future.done():
                future.set_exception(TargetUnavailable(message, retry_after=retry_after))

    def _leave(self, model: ResidentModel) -> None:
        model.leaving = asyncio.get_running_loop().create_task(self._left(model), name=f"unloading {model.name}")

    async def _left(self, model: ResidentModel) -> None:
        try:
            await model.end()
        finally:
            model.resident, model.leaving = False, None
            self._reschedule()

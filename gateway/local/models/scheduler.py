"""Decide which models are in memory: which one is loaded, which requests wait, which one is evicted. Pure.

The owner reports each event with the time `now` (seconds of one monotonic clock) and carries out the effects that come
back, in their order. Contracts: a request that `request` announced gets exactly one `WakeRequest` or `RefuseRequest`,
unless its `released` comes first; `released` ends every request, whatever it got; `unloaded` follows every
`EvictModel`.

A model with a request at work is never evicted. A model that finds no room waits its turn: the least recently used
idle model is evicted, a working one when it has finished. So that two models that don't fit together can't spend their
time loading, each stays for a turn (a few times what its load took) unless nobody has used it for a moment; and so
that neither waits for ever, requests for a model whose turn is over wait until the other has had one.
"""

import itertools

from gateway.core.errors import TargetBusy
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.models.effects import (
    EvictModel,
    LoadModel,
    ModelEffect,
    RefuseRequest,
    SetTimer,
    WakeRequest,
)
from gateway.local.models.eviction import EvictionPlan, MemoryLimits, plan_eviction, too_large, within
from gateway.local.models.residency import ModelResidency, ResidentModel

_LOADS_IN_A_TURN = 3.0
_UNKNOWN_WAIT = 5.0  # seconds, for Retry-After where nothing is known


class ModelScheduler:
    """Scheduler of the memory that all models on this machine share.

    `turn`: the shortest, in seconds. `grace`: a model that was idle for so many seconds may be evicted within its turn.
    """

    def __init__(self, limits: MemoryLimits | None = None, *, turn: float = 10.0, grace: float = 2.0) -> None:
        self.limits = limits or MemoryLimits()
        self._turn = turn
        self._grace = grace
        self._models: dict[str, ResidentModel] = {}
        self._requests: dict[int, ResidentModel] = {}  # those that wait or work
        self._places = itertools.count()
        self._timer: float | None = None
        self._rate: float | None = None  # bytes a second, of the last load

    def add(self, name: str, footprint: MemoryFootprint, *, unload_after: float | None = None) -> None:
        """Add a model that is not loaded yet. `unload_after`: idle seconds; None: only when another needs the room."""
        self._models[name] = ResidentModel(name, footprint, unload_after)

    # Events

    def start(self, name: str, now: float) -> list[ModelEffect]:
        """Load a model now, without a request for it and without evicting another."""
        model = self._models[name]
        if model.resident or model.closed:
            return []
        return [self._load(model, now, on_demand=False)]

    def request(self, request: int, name: str, now: float) -> list[ModelEffect]:
        """Announce a request, by a number of its own, that wants to work with a model."""
        model = self._models[name]
        if model.closed:
            reason = f"The target {name!r} is not running."
            return [RefuseRequest(request, reason, retry_after=_UNKNOWN_WAIT)]
        self._requests[request] = model
        if model.open:
            model.working.add(request)
            return [WakeRequest(request)]
        if not model.waiting:
            model.place = next(self._places)
        model.waiting.append(request)
        return self._reschedule(now)

    def expired(self, request: int, now: float) -> list[ModelEffect]:
        """Refuse a request that has waited as long as it could."""
        model = self._requests[request]
        effects = self.released(request, now)
        names = ", ".join(repr(name) for name in self._plan(model).evict) or "other models"
        reason = (
            f"The model of {model.name!r} could not be loaded in time: {names} took its memory and did not come to "
            "rest."
        )
        return [*effects, RefuseRequest(request, reason, self._expected_wait(model, now) or _UNKNOWN_WAIT)]

    def released(self, request: int, now: float) -> list[ModelEffect]:
        """End a request: it has finished, or waits no longer. Nothing, if it was refused."""
        model = self._requests.pop(request, None)
        if model is None:
            return []
        if request in model.waiting:
            model.waiting.remove(request)
            return self._reschedule(now)
        model.working.remove(request)
        if model.working:
            return []
        model.idle_since = now
        return self._reschedule(now)

    def load_finished(self, name: str, seconds: float | None, now: float) -> list[ModelEffect]:
        """Note that a model is loaded, after `seconds`. None: it could not be; nothing, if it was loaded before."""
        model = self._models[name]
        if seconds is None and model.load_over:
            return []
        model.load_over = True
        model.idle_since = model.turn_ends = now
        if seconds is not None:
            model.turn_ends += max(self._turn, _LOADS_IN_A_TURN * seconds)
            model.load_seconds = seconds
        if seconds and model.footprint.weights:
            self._rate = model.footprint.weights / seconds
        return self._reschedule(now)

    def unload(self, name: str) -> list[ModelEffect]:
        """Unload a model now, because a person asked for it.

        Raises:
            TargetBusy: requests work with it or wait for it.
        """
        model = self._models[name]
        if model.working or model.waiting:
            count = len(model.working) + len(model.waiting)
            raise TargetBusy(
                f"The model of {name!r} is at work on {count} requests. Try again when they are done.",
                code="model_busy",
                status=409,
                retry_after=_UNKNOWN_WAIT,
            )
        return self._evict(model)

    def unloaded(self, name: str, now: float) -> list[ModelEffect]:
        """Note that a model has given its memory back."""
        model = self._models[name]
        model.resident = model.leaving = False
        return self._reschedule(now)

    def keep_alive(self, name: str, seconds: float | None, now: float) -> list[ModelEffect]:
        """Unload a model once it was idle for so long; None: only when another needs the room. Until its next load."""
        self._models[name].keep_alive = seconds
        return self._reschedule(now)

    def closed(self, name: str, now: float) -> list[ModelEffect]:
        """Unload a model for good, at work or not; refuse the requests that wait for it."""
        model = self._models[name]
        model.closed = True
        refusals = self._refuse(model, f"The target {name!r} is shutting down.")
        return [*refusals, *self._evict(model), *self._reschedule(now)]

    def tick(self, now: float) -> list[ModelEffect]:
        """Do what was due at the time of the last `SetTimer`."""
        self._timer = None
        return self._reschedule(now)

    # Reading

    def residency(self, name: str, now: float) -> ModelResidency:
        """Return how a model stands at `now`."""
        model = self._models[name]
        idle = now - model.idle_since if model.resident and not model.working else None
        plan = self._plan(model)
        return ModelResidency(
            footprint=model.footprint,
            resident=model.resident,
            loading=model.resident and not model.load_over,
            leaving=model.leaving,
            open=model.open,
            on_demand=model.on_demand,
            working=len(model.working),
            waiting=len(model.waiting),
            idle_seconds=idle,
            unloads_in=None if idle is None or model.keep_alive is None else max(0.0, model.keep_alive - idle),
            load_seconds=self._load_seconds(model),
            expected_wait=self._expected_wait(model, now),
            evicts=plan.evict if plan.possible else None,
        )

    def _plan(self, model: ResidentModel) -> EvictionPlan:
        others = [
            one.loaded() for one in self._models.values() if one is not model and one.resident and not one.leaving
        ]
        return plan_eviction(model.footprint, others, self.limits)

    def _load_seconds(self, model: ResidentModel) -> float | None:
        """Return what a load takes: as measured, else by the speed of another model's load."""
        if model.load_seconds is None and self._rate is not None and model.footprint.weights:
            return model.footprint.weights / self._rate
        return model.load_seconds

    def _expected_wait(self, model: ResidentModel, now: float) -> float | None:
        load = self._load_seconds(model)
        if model.open:
            return 0.0 if model.load_over else load
        wait = 0.0
        for name in self._plan(model).evict:
            at = self._models[name].evictable_at(self._grace)
            if at is None:
                return None
            wait = max(wait, at - now)
        return None if load is None else wait + load

    # Deciding

    def _reschedule(self, now: float) -> list[ModelEffect]:
        """Do all that can be done now, and set the timer for what can be done later."""
        effects: list[ModelEffect] = []
        times = [*self._unload_idle(now, effects), *self._serve_queue(now, effects)]
        timer = min((at for at in times if at > now), default=None)
        if timer != self._timer:
            self._timer = timer
            effects.append(SetTimer(timer))
        return effects

    def _unload_idle(self, now: float, effects: list[ModelEffect]) -> list[float]:
        """Evict models that were idle for as long as they may be. Returns when others will have been."""
        times = []
        for model in self._models.values():
            if model.idle and model.keep_alive is not None:
                if model.idle_since + model.keep_alive <= now:
                    effects += self._evict(model)
                else:
                    times.append(model.idle_since + model.keep_alive)
        return times

    def _serve_queue(self, now: float, effects: list[ModelEffect]) -> list[float]:
        """Serve models first come, first served, up to the first that has to wait. Returns when it may go on."""
        times: list[float] = []
        for model in self._models.values():
            model.draining = False
        for model in sorted((one for one in self._models.values() if one.waiting), key=lambda one: one.place):
            if not model.open:
                wait = self._load_or_evict(model, now, effects)
                if wait is not None:
                    times += wait
                    break
            effects += self._wake(model)
        for model in self._models.values():
            if model.open:
                effects += self._wake(model)
        return times

    def _load_or_evict(self, model: ResidentModel, now: float, effects: list[ModelEffect]) -> list[float] | None:
        """Load a model where it fits, or refuse it where it never can. Else evict others as soon as they may go.

        Returns None where it need not wait, else the times when those may go.
        """
        if model.leaving:
            return []
        plan = self._plan(model)
        if not plan.possible:
            effects += self._refuse(model, f"The model of {model.name!r} {too_large(model.footprint, self.limits)}")
            return None
        victims = [self._models[name] for name in plan.evict]
        if not victims:
            taken = [one.footprint for one in self._models.values() if one.resident]
            if not within(self.limits, [model.footprint, *taken]):
                return []  # another is leaving already
            effects.append(self._load(model, now, on_demand=True))
            return None
        free_at = [victim.evictable_at(self._grace) for victim in victims]
        for victim in victims:
            victim.draining = victim.load_over and victim.turn_ends <= now
        if all(at is not None and at <= now for at in free_at):
            for victim in victims:
                effects += self._evict(victim)
        return [at for at in (*free_at, *(victim.turn_ends for victim in victims)) if at is not None]

    # Effects

    def _load(self, model: ResidentModel, now: float, *, on_demand: bool) -> LoadModel:
        model.resident, model.load_over, model.on_demand = True, False, on_demand
        model.keep_alive = model.unload_after
        model.idle_since = now
        return LoadModel(model.name)

    def _evict(self, model: ResidentModel) -> list[ModelEffect]:
        if not model.resident or model.leaving:
            return []
        model.leaving = True
        return [EvictModel(model.name)]

    def _wake(self, model: ResidentModel) -> list[ModelEffect]:
        waiting, model.waiting = model.waiting, []
        model.working.update(waiting)
        return [WakeRequest(request) for request in waiting]

    def _refuse(self, model: ResidentModel, reason: str) -> list[ModelEffect]:
        waiting, model.waiting = model.waiting, []
        for request in waiting:
            del self._requests[request]
        return [RefuseRequest(request, reason) for request in waiting]

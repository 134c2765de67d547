"""The scheduler of models as a table of events and effects: no event loop, no clock, no worker."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from gateway.local.models.eviction import MemoryLimits
from gateway.local.models.scheduler import ModelScheduler

GB = 10**9
SIZES = {"a": 6, "b": 6, "small": 3, "huge": 11}
Event = Callable[[ModelScheduler], list[ModelEffect]]
Script = list[tuple[Event, list[ModelEffect]]]


def scheduler(**unload_after: float | None) -> ModelScheduler:
    """Two models of 6 GB, one of 3 and one of 11 in a memory of 10 GB; turns of 10 s, grace of 2 s."""
    made = ModelScheduler(MemoryLimits(memory=10 * GB), turn=10.0, grace=2.0)
    for name, size in SIZES.items():
        made.add(name, MemoryFootprint(weights=size * GB), unload_after=unload_after.get(name))
    return made


def request(number: int, name: str, at: float) -> Event:
    """A request for a model comes."""
    return lambda one: one.request(number, name, at)


def released(number: int, at: float) -> Event:
    """A request is over."""
    return lambda one: one.released(number, at)


def expired(number: int, at: float) -> Event:
    """A request has waited long enough."""
    return lambda one: one.expired(number, at)


def loaded(name: str, at: float, seconds: float | None = 1.0) -> Event:
    """A load has ended."""
    return lambda one: one.load_finished(name, seconds, at)


def unloaded(name: str, at: float) -> Event:
    """A model has given its memory back."""
    return lambda one: one.unloaded(name, at)


def tick(at: float) -> Event:
    """The timer rings."""
    return lambda one: one.tick(at)


def not_in_time(number: int, retry_after: float) -> RefuseRequest:
    """The refusal of a request for `b` that `a` left no room for."""
    reason = "The model of 'b' could not be loaded in time: 'a' took its memory and did not come to rest."
    return RefuseRequest(number, reason, retry_after)


A_LOADED: Script = [
    (request(1, "a", 0.0), [LoadModel("a"), WakeRequest(1)]),
    (loaded("a", 1.0), []),
]

SCRIPTS: dict[str, Script] = {
    "the first request loads the model, the next ones find it": [
        (request(1, "a", 0.0), [LoadModel("a"), WakeRequest(1)]),
        (request(2, "a", 0.5), [WakeRequest(2)]),
        (loaded("a", 1.0), []),
        (released(1, 2.0), []),
        (released(2, 3.0), []),
        (request(3, "a", 4.0), [WakeRequest(3)]),
    ],
    "a model that fits beside the others evicts nobody": [
        *A_LOADED,
        (request(2, "small", 2.0), [LoadModel("small"), WakeRequest(2)]),
    ],
    "an idle model is evicted after the grace, and the request wakes once the memory is free": [
        *A_LOADED,
        (released(1, 5.0), []),
        (request(2, "b", 6.0), [SetTimer(7.0)]),
        (tick(7.0), [EvictModel("a"), SetTimer(11.0)]),
        (unloaded("a", 7.5), [LoadModel("b"), WakeRequest(2), SetTimer(None)]),
    ],
    "a working model is evicted only when it has finished": [
        *A_LOADED,
        (request(2, "b", 2.0), [SetTimer(11.0)]),
        (tick(11.0), []),
        (tick(500.0), []),
        (released(1, 501.0), [EvictModel("a")]),
        (unloaded("a", 502.0), [LoadModel("b"), WakeRequest(2)]),
    ],
    "while its turn lasts a model serves whoever comes; after it they wait for the other model's turn": [
        *A_LOADED,
        (request(2, "b", 2.0), [SetTimer(11.0)]),
        (request(3, "a", 3.0), [WakeRequest(3)]),
        (tick(11.0), []),
        (request(4, "a", 12.0), []),
        (released(1, 13.0), []),
        (released(3, 14.0), [EvictModel("a")]),
        (unloaded("a", 15.0), [LoadModel("b"), WakeRequest(2)]),
        (loaded("b", 16.0), [SetTimer(26.0)]),
        (released(2, 17.0), [SetTimer(19.0)]),
        (tick(19.0), [EvictModel("b"), SetTimer(26.0)]),
        (unloaded("b", 20.0), [LoadModel("a"), WakeRequest(4), SetTimer(None)]),
    ],
    "a request that gives up gives the turn back to those behind it": [
        *A_LOADED,
        (request(2, "b", 20.0), []),
        (request(3, "a", 21.0), []),
        (released(2, 22.0), [WakeRequest(3)]),
    ],
    "a request that waited as long as it could is refused and told who had the memory": [
        *A_LOADED,
        (request(2, "b", 2.0), [SetTimer(11.0)]),
        (expired(2, 5.0), [SetTimer(None), not_in_time(2, 5.0)]),
        (released(2, 5.0), []),
    ],
    "its Retry-After says when the other model will have gone and this one will be loaded": [
        *A_LOADED,
        (released(1, 5.0), []),
        (request(2, "b", 5.5), [SetTimer(7.0)]),
        (expired(2, 6.0), [SetTimer(None), not_in_time(2, 2.0)]),
    ],
    "a model that could not be loaded is evicted at once": [
        (request(1, "a", 0.0), [LoadModel("a"), WakeRequest(1)]),
        (loaded("a", 1.0, None), []),
        (released(1, 1.0), []),
        (request(2, "b", 1.0), [EvictModel("a")]),
    ],
    "a worker that dies after it was ready keeps its model's turn": [
        *A_LOADED,
        (loaded("a", 2.0, None), []),
        (released(1, 3.0), []),
        (request(2, "b", 3.0), [SetTimer(5.0)]),
    ],
    "closing a model refuses those who wait and unloads it": [
        *A_LOADED,
        (request(2, "b", 2.0), [SetTimer(11.0)]),
        (
            lambda one: one.closed("b", 3.0),
            [RefuseRequest(2, "The target 'b' is shutting down."), SetTimer(None)],
        ),
        (request(3, "b", 4.0), [RefuseRequest(3, "The target 'b' is not running.", 5.0)]),
        (lambda one: one.closed("a", 5.0), [EvictModel("a")]),
        (released(1, 6.0), []),
        (unloaded("a", 7.0), []),
        (lambda one: one.start("a", 8.0), []),
    ],
    "a model that loads at start is loaded once, and evicts nobody": [
        (lambda one: one.start("a", 0.0), [LoadModel("a")]),
        (lambda one: one.start("a", 0.0), []),
        (lambda one: one.start("b", 0.0), [LoadModel("b")]),
    ],
    "a person's unloading is done at once, and the next request loads it again": [
        *A_LOADED,
        (released(1, 2.0), []),
        (lambda one: one.unload("a"), [EvictModel("a")]),
        (lambda one: one.unload("a"), []),
        (request(2, "a", 2.5), []),
        (unloaded("a", 3.0), [LoadModel("a"), WakeRequest(2)]),
    ],
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_events_and_their_effects(script: Script) -> None:
    """Each event in the table has exactly the effects beside it, in that order."""
    one = scheduler()
    for step, (event, effects) in enumerate(script):
        assert event(one) == effects, f"step {step}"


def test_an_idle_model_is_unloaded_when_it_was_told_to() -> None:
    """An idle model goes after its configured time; a client's keep-alive holds until the next load; None keeps it."""
    script: Script = [
        *A_LOADED,
        (released(1, 5.0), [SetTimer(35.0)]),
        (lambda one: one.keep_alive("a", None, 6.0), [SetTimer(None)]),
        (lambda one: one.keep_alive("a", 3.0, 7.0), [SetTimer(8.0)]),
        (request(2, "a", 7.5), [WakeRequest(2)]),
        (tick(8.0), []),
        (released(2, 9.0), [SetTimer(12.0)]),
        (tick(11.9), [SetTimer(12.0)]),
        (tick(12.0), [EvictModel("a")]),
        (unloaded("a", 13.0), []),
        (request(3, "a", 14.0), [LoadModel("a"), WakeRequest(3)]),
        (loaded("a", 15.0), []),
        (released(3, 16.0), [SetTimer(46.0)]),
    ]
    one = scheduler(a=30.0)
    for step, (event, effects) in enumerate(script):
        assert event(one) == effects, f"step {step}"


def test_a_model_that_never_fits_is_refused_at_once() -> None:
    """The refusal says what the model needs, what there is and what to turn down; waiting would not help."""
    (refusal,) = scheduler().request(1, "huge", 0.0)
    assert isinstance(refusal, RefuseRequest)
    assert refusal.reason.startswith("The model of 'huge' needs 11.0 GB")
    assert "10.0 GB (engine.memory). Turn down" in refusal.reason
    assert refusal.retry_after is None


def test_a_model_at_work_is_not_unloaded_for_a_person() -> None:
    """A person who unloads a model at work is told how many requests it works on, and may try again."""
    one = scheduler()
    one.request(1, "a", 0.0)
    with pytest.raises(TargetBusy, match="at work on 1 requests"):
        one.unload("a")


def test_the_state_of_a_model_can_be_read() -> None:
    """The state says who works and waits, the idle time, what a load costs and who would be evicted."""
    one = scheduler(a=30.0)
    for event, _ in A_LOADED:
        event(one)
    one.request(2, "b", 2.0)
    a, b, huge = (one.residency(name, 3.0) for name in ("a", "b", "huge"))
    assert (a.resident, a.open, a.on_demand, a.working, a.idle_seconds, a.expected_wait) == (
        True,
        True,
        True,
        1,
        None,
        0.0,
    )
    assert (b.resident, b.open, b.waiting, b.evicts, b.load_seconds, b.expected_wait) == (
        False,
        False,
        1,
        ("a",),
        1.0,
        None,
    )
    assert huge.evicts is None
    one.released(2, 4.0)
    one.released(1, 4.0)
    a, b = one.residency("a", 5.0), one.residency("b", 5.0)
    assert (a.idle_seconds, a.unloads_in) == (1.0, 29.0)
    assert b.expected_wait == pytest.approx(1.0 + 1.0)  # the rest of the grace of `a`, then its own load


ACTIONS = st.lists(
    st.tuples(st.sampled_from(("request", "release", "load", "unload", "tick")), st.integers(0, 7), st.integers(0, 4)),
    max_size=60,
)


@given(ACTIONS)
def test_whatever_happens_the_memory_holds_and_nobody_is_forgotten(actions: list[tuple[str, int, int]]) -> None:
    """Loaded models never exceed the memory, none is evicted at work, and every request is answered once."""
    owner = Owner(scheduler())
    for action, which, seconds in actions:
        owner.now += seconds
        owner.do(action, which)
    for _ in range(200):  # time goes by and everybody finishes
        owner.now += 11.0
        for action in ("load", "unload", "release", "tick"):
            owner.do(action, 0)
    assert not owner.waiting
    assert not owner.working


class Owner:
    """Carries effects out in thought and checks them."""

    def __init__(self, one: ModelScheduler) -> None:
        self.sizes = SIZES
        self.one = one
        self.now = 0.0
        self.waiting: dict[int, str] = {}
        self.working: dict[int, str] = {}
        self.resident: set[str] = set()
        self.loading: list[str] = []
        self.leaving: list[str] = []
        self.number = 0

    def do(self, action: str, which: int) -> None:
        """One event, of the kind and the model or request given, where there is one."""
        names = tuple(self.sizes)
        match action:
            case "request":
                self.number += 1
                self.waiting[self.number] = names[which % len(names)]
                self.carry_out(self.one.request(self.number, self.waiting[self.number], self.now))
            case "release" if self.working or which % 2:
                everyone = [*self.working, *self.waiting]
                if everyone:
                    number = everyone[which % len(everyone)]
                    self.working.pop(number, None)
                    self.waiting.pop(number, None)
                    self.carry_out(self.one.released(number, self.now))
            case "load" if self.loading:
                name = self.loading.pop(which % len(self.loading))
                self.carry_out(self.one.load_finished(name, None if which == 3 else 1.0, self.now))
            case "unload" if self.leaving:
                name = self.leaving.pop(which % len(self.leaving))
                self.resident.remove(name)
                self.carry_out(self.one.unloaded(name, self.now))
            case "tick":
                self.carry_out(self.one.tick(self.now))

    def carry_out(self, effects: list[ModelEffect]) -> None:
        """Check each effect against the contracts."""
        for effect in effects:
            match effect:
                case LoadModel():
                    assert effect.model not in self.resident
                    self.resident.add(effect.model)
                    self.loading.append(effect.model)
                    assert sum(self.sizes[name] for name in self.resident) <= 10
                case EvictModel():
                    assert effect.model not in self.working.values()
                    assert effect.model not in self.loading
                    self.leaving.append(effect.model)
                case WakeRequest():
                    self.working[effect.request] = name = self.waiting.pop(effect.request)
                    assert name in self.resident
                    assert name not in self.leaving
                case RefuseRequest():
                    assert self.waiting.pop(effect.request) == "huge"
                case SetTimer():
                    assert effect.at is None or effect.at > self.now

"""Several models in one memory: who is loaded, who waits, who is evicted. Stand-in models; the clock is the test's."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import TargetBusy, TargetUnavailable
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded.models.eviction import LoadedModel, MemoryLimits, plan_eviction, within
from gateway.local.embedded.models.residency import ResidentModel
from gateway.local.embedded.models.scheduler import ModelScheduler

pytestmark = pytest.mark.asyncio
GB = 10**9


class House:
    """A memory of 10 GB and models that load when the test says so."""

    def __init__(self, **sizes: int) -> None:
        self.now = 1000.0
        self.memory = ModelScheduler(MemoryLimits(memory=10 * GB), clock=lambda: self.now)
        self.did: list[str] = []
        self.models: dict[str, ResidentModel] = {}
        for name, size in sizes.items():
            self.models[name] = self.memory.add(
                name,
                MemoryFootprint(weights=size * GB),
                begin=lambda name=name: self.did.append(f"+{name}"),  # type: ignore[misc]
                end=lambda name=name: self.end(name),  # type: ignore[misc]
                unload_after=None,
                measured=lambda: 2.0,
            )

    async def end(self, name: str) -> None:
        """Its process has ended."""
        self.did.append(f"-{name}")

    def ready(self, name: str, seconds: float | None = 2.0) -> None:
        """It is loaded."""
        self.memory.load_finished(self.models[name], seconds=seconds)

    def passes(self, seconds: float) -> None:
        """Time goes by, and the owner's own clock rings."""
        self.now += seconds
        self.memory._reschedule()

    async def use(self, name: str, done: asyncio.Event | None = None, patience: float = 60.0) -> str:
        """A request: works until `done`."""
        async with self.memory.lease(self.models[name], asyncio.get_running_loop().time() + patience):
            self.did.append(name)
            if done is not None:
                await done.wait()
        return name


async def settled() -> None:
    """Everything that can run now has run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_models_that_fit_together_stay() -> None:
    """Each is loaded by its first request and by no other."""
    house = House(a=4, b=6)
    for name in "abab":
        await house.use(name)
        if not house.models[name].settled:
            house.ready(name)
    assert house.did == ["+a", "a", "+b", "b", "a", "b"]


async def test_the_least_recently_used_idle_model_gives_way() -> None:
    """And only it."""
    house = House(a=4, b=4, c=5)
    for name in "ab":
        await house.use(name)
        house.ready(name)
    house.passes(60)
    await house.use("a")
    house.passes(60)
    await house.use("c")
    assert house.did[-3:] == ["-b", "+c", "c"]
    assert house.models["a"].resident


async def test_a_working_model_never_gives_way() -> None:
    """Who needs its memory waits until it has finished; the wait is told, and ends with a clear error."""
    house = House(a=6, b=6)
    done = asyncio.Event()
    working = asyncio.create_task(house.use("a", done))
    await settled()
    house.ready("a")
    house.passes(100)
    waiting = asyncio.create_task(house.use("b"))
    await settled()
    assert house.did == ["+a", "a"]
    assert house.memory.expected_wait(house.models["b"]) is None
    with pytest.raises(TargetUnavailable, match="'a' took its memory"):
        await house.use("b", patience=0.0)
    done.set()
    await waiting
    assert house.did == ["+a", "a", "-a", "+b", "b"]
    await working


async def test_two_models_that_do_not_fit_take_turns() -> None:
    """Each serves its whole turn, however often the other is asked for meanwhile, and neither waits for ever."""
    house = House(a=6, b=6)
    await house.use("a")
    house.ready("a")
    first = asyncio.create_task(house.use("b"))
    for _ in range(10):  # one second after the other, somebody uses `a`: its turn is ten seconds
        await settled()
        await house.use("a")
        house.passes(1.0)
    assert house.did == ["+a", *["a"] * 11, "-a"] or house.did == ["+a", *["a"] * 11]
    later = asyncio.create_task(house.use("a"))  # its turn is over: this one waits for the next
    await first
    assert house.did[-3:] == ["-a", "+b", "b"]
    house.ready("b")
    await settled()
    assert not later.done()
    house.passes(2.1)  # nobody has asked for `b` for a moment
    await later
    assert house.did[-3:] == ["-b", "+a", "a"]


async def test_loads_are_few_under_an_endless_stream_for_both() -> None:
    """A minute of requests for two models, ten a second each: the time goes into answers, not into loads."""
    house = House(a=6, b=6)
    async with AsyncExitStack() as stack:
        tasks: list[asyncio.Task[str]] = []
        stack.callback(lambda: [task.cancel() for task in tasks])
        for step in range(600):
            tasks += [asyncio.create_task(house.use(name)) for name in "ab"]
            await settled()
            for model in house.models.values():
                if model.resident and not model.settled and step % 10 == 0:
                    house.ready(model.name, seconds=1.0)
            house.passes(0.1)
        loads = sum(entry.startswith("+") for entry in house.did)
        answered = sum(not entry.startswith(("+", "-")) for entry in house.did)
        assert 3 <= loads <= 8
        assert answered > 600
        await settled()


async def test_who_gave_up_holds_nobody_back() -> None:
    """A waiting request that goes away gives the turn back to those behind it."""
    house = House(a=6, b=6)
    done = asyncio.Event()
    working = asyncio.create_task(house.use("a", done))
    await settled()
    house.ready("a")
    house.passes(100)
    waiting = asyncio.create_task(house.use("b"))
    await settled()
    behind = asyncio.create_task(house.use("a"))
    await settled()
    assert not behind.done()
    waiting.cancel()
    await behind
    assert house.did == ["+a", "a", "a"]
    done.set()
    await working


async def test_what_can_never_fit_is_refused_with_what_to_turn_down() -> None:
    """At once, and nobody is unloaded for it."""
    house = House(a=6, huge=11)
    await house.use("a")
    with pytest.raises(TargetUnavailable, match=r"needs 11\.0 GB .* 10\.0 GB \(engine\.memory\)\. Turn down"):
        await house.use("huge")
    assert house.did == ["+a", "a"]


async def test_idle_models_go_when_they_were_told_to() -> None:
    """After `unload_after`, or at once where a client asked for it; a working one stays."""
    house = House(a=4, b=4)
    house.models["a"].unload_after = 30.0
    await house.use("a")
    house.ready("a")
    house.passes(29)
    assert house.did == ["+a", "a"]
    await house.use("a")
    house.passes(29)
    house.passes(2)
    await settled()
    assert house.did == ["+a", "a", "a", "-a"]
    done = asyncio.Event()
    working = asyncio.create_task(house.use("b", done))
    await settled()
    house.ready("b")
    house.memory.keep_alive(house.models["b"], 0.0)
    with pytest.raises(TargetBusy, match="at work on 1 request"):
        await house.memory.unload(house.models["b"])
    assert house.did[-1] == "b"
    done.set()
    await working
    await settled()
    assert house.did[-1] == "-b"


async def test_a_model_that_could_not_be_loaded_is_the_first_to_go() -> None:
    """Its place is not kept for a turn."""
    house = House(a=6, b=6)
    await house.use("a")
    house.ready("a", seconds=None)
    await house.use("b")
    assert house.did == ["+a", "a", "-a", "+b", "b"]


async def test_waits_are_told_before_they_are_met() -> None:
    """The policy can send a request elsewhere: loads of models never loaded are judged by the speed of others."""
    house = House(a=6, b=6)
    assert house.memory.expected_wait(house.models["a"]) == 2.0
    house.models["b"].measured = lambda: None
    assert house.memory.expected_wait(house.models["b"]) is None
    await house.use("a")
    house.ready("a", seconds=3.0)
    assert house.memory.load_seconds(house.models["b"]) == pytest.approx(3.0)
    assert house.memory.expected_wait(house.models["a"]) == 0.0
    assert house.memory.expected_wait(house.models["b"]) == pytest.approx(2.0 + 3.0)


async def test_closing_tells_those_who_wait() -> None:
    """And later comers."""
    house = House(a=6, b=6)
    done = asyncio.Event()
    working = asyncio.create_task(house.use("a", done))
    await settled()
    waiting = asyncio.create_task(house.use("b"))
    await settled()
    await house.memory.close(house.models["b"])
    for late in (waiting, house.use("b")):
        with pytest.raises(TargetUnavailable):
            await late
    done.set()
    await working


NEEDS = st.builds(
    lambda weights, gpu: MemoryFootprint(weights=weights, gpu=min(weights, gpu)), st.integers(0, 20), st.integers(0, 20)
)


@given(
    st.lists(st.tuples(NEEDS, st.booleans(), st.integers(0, 99)), max_size=6),
    NEEDS,
    st.none() | st.integers(1, 40),
    st.none() | st.integers(1, 40),
)
async def test_giving_way_is_enough_and_not_too_much(
    given_: list[tuple[MemoryFootprint, bool, int]], footprint: MemoryFootprint, memory: int | None, gpu: int | None
) -> None:
    """Without those that be evicted it fits; with any one of them it would not; possible unless it does not fit
    alone."""
    limits = MemoryLimits(memory=memory, gpu_memory=gpu)
    loaded = [
        LoadedModel(name=str(n), footprint=one, working=works, used=used) for n, (one, works, used) in enumerate(given_)
    ]
    found = plan_eviction(footprint, loaded, limits)
    assert found.possible == within(limits, [footprint])
    if found.possible:
        stays = [one.footprint for one in loaded if one.name not in found.evict]
        assert within(limits, [footprint, *stays])
        for name in found.evict:
            assert not within(limits, [footprint, loaded[int(name)].footprint, *stays])

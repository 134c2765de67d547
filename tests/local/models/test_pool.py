"""Several models in one memory: who is loaded, who waits, who is evicted. Stand-in models; the clock is the test's."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateway.core.errors import TargetBusy, TargetUnavailable
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.models.eviction import MemoryLimits
from gateway.local.models.pool import ModelPool

pytestmark = pytest.mark.asyncio
GB = 10**9


class StandInWorker:
    """A worker that only notes what is asked of it."""

    def __init__(self, name: str, did: list[str]) -> None:
        self._name = name
        self._did = did
        self._began = False

    def begin(self) -> None:
        """Note that a load began."""
        self._began = True
        self._did.append(f"+{self._name}")

    async def close(self) -> None:
        """Note that the memory is back."""
        if self._began:
            self._began = False
            self._did.append(f"-{self._name}")


class House:
    """A memory of 10 GB and models that load when the test says so."""

    def __init__(self, *, unload_after: float | None = None, **sizes: int) -> None:
        self.now = 1000.0
        self.pool = ModelPool(MemoryLimits(memory=10 * GB), clock=lambda: self.now)
        self.did: list[str] = []
        self.names = tuple(sizes)
        for name, size in sizes.items():
            footprint = MemoryFootprint(weights=size * GB)
            self.pool.add(name, StandInWorker(name, self.did), footprint, unload_after=unload_after)

    def ready(self, name: str, seconds: float | None = 2.0) -> None:
        """Its load has ended."""
        self.pool.load_finished(name, seconds=seconds)

    def passes(self, seconds: float) -> None:
        """Time goes by, and the pool's timer rings."""
        self.now += seconds
        self.pool.tick()

    async def use(self, name: str, done: asyncio.Event | None = None, patience: float = 60.0) -> str:
        """A request: works until `done`."""
        async with self.pool.lease(name, asyncio.get_running_loop().time() + patience):
            self.did.append(name)
            if done is not None:
                await done.wait()
        return name


async def settled() -> None:
    """Everything that can run now has run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_models_that_fit_together_stay() -> None:
    """A model that fits beside the others is loaded by its first request and stays."""
    house = House(a=4, b=6)
    for name in "abab":
        await house.use(name)
        if house.pool.residency(name).loading:
            house.ready(name)
    assert house.did == ["+a", "a", "+b", "b", "a", "b"]


async def test_the_least_recently_used_idle_model_is_evicted() -> None:
    """One model of two goes for a third, and the one that was used later stays."""
    house = House(a=4, b=4, c=5)
    for name in "ab":
        await house.use(name)
        house.ready(name)
    house.passes(60)
    await house.use("a")
    house.passes(60)
    await house.use("c")
    assert house.did[-3:] == ["-b", "+c", "c"]
    assert house.pool.residency("a").resident


async def test_a_working_model_is_never_evicted() -> None:
    """A request that needs the memory of a working model waits until it has finished, or ends with a clear error."""
    house = House(a=6, b=6)
    done = asyncio.Event()
    working = asyncio.create_task(house.use("a", done))
    await settled()
    house.ready("a")
    house.passes(100)
    waiting = asyncio.create_task(house.use("b"))
    await settled()
    assert house.did == ["+a", "a"]
    assert house.pool.residency("b").expected_wait is None
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
            for name in house.names:
                if house.pool.residency(name).loading and step % 10 == 0:
                    house.ready(name, seconds=1.0)
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
    """A model that can never fit is refused at once, with what to turn down, and nobody is unloaded for it."""
    house = House(a=6, huge=11)
    await house.use("a")
    with pytest.raises(TargetUnavailable, match=r"needs 11\.0 GB .* 10\.0 GB \(engine\.memory\)\. Turn down"):
        await house.use("huge")
    assert house.did == ["+a", "a"]


async def test_idle_models_go_when_they_were_told_to() -> None:
    """An idle model goes after `unload_after`, or when a client asked for it; a working one stays."""
    house = House(a=4, b=4, unload_after=30.0)
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
    house.pool.keep_alive("b", 0.0)
    with pytest.raises(TargetBusy, match="at work on 1 request"):
        await house.pool.unload("b")
    assert house.did[-1] == "b"
    done.set()
    await working
    await settled()
    assert house.did[-1] == "-b"


async def test_a_model_that_could_not_be_loaded_is_the_first_to_go() -> None:
    """A model that could not be loaded is evicted at once; its place is not kept for a turn."""
    house = House(a=6, b=6)
    await house.use("a")
    house.ready("a", seconds=None)
    await house.use("b")
    assert house.did == ["+a", "a", "-a", "+b", "b"]


async def test_waits_are_told_before_they_are_met() -> None:
    """The policy can send a request elsewhere: loads of models never loaded are judged by the speed of others."""
    house = House(a=6, b=6)
    assert house.pool.residency("b").expected_wait is None
    await house.use("a")
    assert house.pool.residency("a").expected_wait is None  # loading, and nobody knows how long
    house.ready("a", seconds=3.0)
    assert house.pool.residency("b").load_seconds == pytest.approx(3.0)
    assert house.pool.residency("a").expected_wait == 0.0
    assert house.pool.residency("b").expected_wait == pytest.approx(2.0 + 3.0)


async def test_closing_tells_those_who_wait() -> None:
    """Requests that wait for a model when it is closed, and those that come later, are refused."""
    house = House(a=6, b=6)
    done = asyncio.Event()
    working = asyncio.create_task(house.use("a", done))
    await settled()
    waiting = asyncio.create_task(house.use("b"))
    await settled()
    await house.pool.close("b")
    for late in (waiting, house.use("b")):
        with pytest.raises(TargetUnavailable):
            await late
    done.set()
    await working

"""Slots of a local server: who gets one next, who waits, and who is refused at once."""

import asyncio
from typing import Any

import pytest

from gateway.core.errors import TargetBusy
from gateway.local.slots import FairSlots
from gateway.local.throughput import Throughput


class Server:
    """A server whose answers end when the test says so. `order`: keys in the order in which they got a slot."""

    def __init__(self, **settings: Any) -> None:
        self.now = 0.0
        self.throughput = Throughput()
        given = {"slots": 16, "queue": 64, "queue_wait": 120.0} | settings
        self.slots = FairSlots("den", self.throughput, **given, clock=lambda: self.now)
        self.order: list[str] = []
        self._ends: dict[asyncio.Task[None], asyncio.Event] = {}

    async def ask(self, key: str, priority: int = 0, seconds: float = 60.0) -> asyncio.Task[None]:
        """Ask; the request has then a slot, a place in the queue, or its refusal."""
        end = asyncio.Event()

        async def asking() -> None:
            deadline = asyncio.get_running_loop().time() + seconds
            async with self.slots.slot(key, priority, deadline):
                self.order.append(key)
                await end.wait()

        task = asyncio.create_task(asking())
        self._ends[task] = end
        await asyncio.sleep(0)
        return task

    async def end(self, task: asyncio.Task[None]) -> None:
        """End an answer."""
        self._ends[task].set()
        await task
        await asyncio.sleep(0)

    async def end_all(self) -> None:
        """End everything in its order."""
        for end in self._ends.values():
            end.set()
        await asyncio.gather(*self._ends, return_exceptions=True)
        assert (self.slots.busy, self.slots.waiting) == (0, 0)


async def test_keys_take_turns_whoever_came_first() -> None:
    """Behind a flood, somebody with one request is next."""
    server = Server(slots=1, queue=60)
    for _ in range(10):
        await server.ask("flood")
    await server.ask("light")
    await server.end_all()
    assert server.order[:3] == ["flood", "light", "flood"]


async def test_the_higher_priority_comes_first() -> None:
    """Interactive requests overtake batches in the queue."""
    server = Server(slots=1, queue=60)
    for _ in range(5):
        await server.ask("batch")
    await server.ask("desk", priority=10)
    await server.ask("desk", priority=10)
    await server.end_all()
    assert server.order[:4] == ["batch", "desk", "desk", "batch"]


async def test_a_flood_is_refused_and_a_light_key_is_not() -> None:
    """Refusals come at once with the time that the queue takes, by what was measured."""
    server = Server(slots=2, queue=6)
    for number in range(10):
        server.throughput.ended(number * 3.0, 5.0, waiting=True)
    server.now = 27.0
    asked = [await server.ask("flood") for _ in range(10)]
    refused = [task for task in asked if task.done()]
    assert len(refused) == 4
    error = refused[0].exception()
    assert isinstance(error, TargetBusy)
    assert error.retry_after == pytest.approx(15.0)
    assert not (await server.ask("light")).done()
    await server.end_all()


async def test_whoever_would_wait_too_long_is_told_at_once() -> None:
    """Not after the wait; a higher priority is let in, for others wait for it."""
    server = Server(slots=1, queue=60, queue_wait=10.0)
    for number in range(10):
        server.throughput.ended(number * 4.0, 4.0, waiting=True)
    server.now = 36.0
    asked = [await server.ask("flood") for _ in range(6)]
    assert [task.done() for task in asked] == [False, False, False, True, True, True]
    assert not (await server.ask("flood", priority=5)).done()
    await server.end_all()


async def test_a_client_that_goes_leaves_its_place_and_its_slot() -> None:
    """Waiting, running, or in the very moment in which its turn has come: the next one goes on."""
    server = Server(slots=1, queue=60)
    async with server.slots.slot("a", 0, asyncio.get_running_loop().time() + 60):
        second, third, _ = [await server.ask(key) for key in "bcd"]
        third.cancel()
        await asyncio.wait([third])
    second.cancel()  # it has just got the slot, and does not know it yet
    await asyncio.wait([second])
    await asyncio.sleep(0)
    assert server.order == ["d"]
    await server.end_all()


async def test_whoever_waits_to_its_deadline_is_told_that_it_was_busy() -> None:
    """So that the next permitted target may be tried."""
    server = Server(slots=1, queue=60)
    await server.ask("a")
    late = await server.ask("b", seconds=0.01)
    await asyncio.wait([late])
    assert isinstance(late.exception(), TargetBusy)
    await server.end_all()


async def test_whether_there_is_a_place_is_said_without_taking_it() -> None:
    """A full share refuses with a time to come back, as often as it is asked; somebody else's request still fits."""
    server = Server(slots=1, queue=3)
    for _ in range(3):
        await server.ask("flood")
    refusals = [server.slots.refusal("flood", 0) for _ in range(2)]
    assert [refusal.retry_after for refusal in refusals if refusal] == [1.0, 1.0]
    assert server.slots.refusal("light", 0) is None
    assert (server.slots.busy, server.slots.waiting) == (1, 2)
    await server.end_all()


async def test_who_leaves_as_a_slot_becomes_free_takes_nothing_along() -> None:
    """A client that goes away in the very moment of its turn: the answer that ends is well, and the next one begins."""
    server = Server(slots=1)
    first, leaving = await server.ask("first"), await server.ask("leaving")
    await server.ask("next")
    ending = asyncio.create_task(server.end(first))
    await asyncio.sleep(0)
    leaving.cancel()
    await ending
    assert server.order == ["first", "next"]
    await server.end_all()


async def test_servers_that_come_and_go_change_the_slots() -> None:
    """More slots are given to whoever waits, at once; of fewer, those that are taken stay until their answers end."""
    server = Server(slots=1)
    first = await server.ask("a")
    await server.ask("b")
    await server.ask("c")
    server.slots.resize(3)
    await asyncio.sleep(0)
    assert (server.slots.busy, server.slots.waiting) == (3, 0)
    server.slots.resize(1)
    await server.ask("d")
    await server.end(first)
    assert (server.slots.busy, server.slots.waiting) == (2, 1)
    await server.end_all()
    assert server.order == ["a", "b", "c", "d"]

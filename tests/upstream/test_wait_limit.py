"""One timer for many waits: it ends the one that is late, no other, and takes no cancellation from outside away."""

import asyncio
import contextlib

import pytest

from gateway.upstream.wait_limit import WaitExpired, WaitLimit


def soon(seconds: float = 0.0) -> float:
    """A moment in the loop's clock."""
    return asyncio.get_running_loop().time() + seconds


async def stays() -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


async def test_a_wait_that_is_late_ends_and_the_next_one_does_not() -> None:
    """The limit of one wait says nothing about the next."""
    limit = WaitLimit()
    assert await limit.within(asyncio.sleep(0, "first"), soon(60)) == "first"
    with pytest.raises(WaitExpired):
        await limit.within(stays(), soon())
    assert await limit.within(asyncio.sleep(0, "third"), soon(60)) == "third"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    limit.close()


async def test_a_later_limit_than_the_timer_s_is_waited_for() -> None:
    """The timer of an earlier wait rings in the middle of a later one, and only looks again."""
    limit = WaitLimit()
    await limit.within(asyncio.sleep(0), soon(0.01))
    assert await limit.within(asyncio.sleep(0.03, "there"), soon(60)) == "there"
    limit.close()


async def test_a_timeout_of_what_is_waited_for_is_its_own() -> None:
    """It passes as it came."""

    async def fails() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own") as raised:
        await WaitLimit().within(fails(), soon(60))
    assert not isinstance(raised.value, WaitExpired)


async def test_the_limit_can_be_moved_while_it_is_waited() -> None:
    """A wait without an end gets one."""
    limit = WaitLimit()
    waiting = asyncio.ensure_future(limit.within(stays(), float("inf")))
    await asyncio.sleep(0)
    limit.move(soon())
    with pytest.raises(WaitExpired):
        await waiting


def test_a_limit_that_is_now_can_be_moved_again_in_each_event_loop() -> None:
    """Two ends in the same moment end the wait once, and a moment that has passed is waited for as any other."""
    uvloop = pytest.importorskip("uvloop")

    async def there() -> str:
        return "there"

    async def ends() -> None:
        limit = WaitLimit()
        assert await limit.within(there(), soon(-1)) == "there"
        assert await limit.within(there(), soon(-2)) == "there"
        waiting = asyncio.ensure_future(limit.within(stays(), float("inf")))
        await asyncio.sleep(0)
        limit.move(soon())
        limit.move(soon(-1))
        with pytest.raises(WaitExpired):
            await waiting
        limit.close()

    for loop_factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(ends())


async def test_a_limit_that_passes_again_while_what_is_late_cleans_up_ends_it_once() -> None:
    """The task is not left cancelled, and what cleans up is not disturbed."""
    limit, cleaned = WaitLimit(), asyncio.Event()

    async def cleans_up() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await stays()
        limit.move(soon())
        limit._look()
        await asyncio.sleep(0)
        cleaned.set()
        raise asyncio.CancelledError

    with pytest.raises(WaitExpired):
        await limit.within(cleans_up(), soon())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert cleaned.is_set()
    limit.close()


@pytest.mark.parametrize("late", [True, False])
async def test_a_cancellation_from_outside_stays_one(late: bool) -> None:
    """Also where the limit passes at the same moment: who cancels wants the task to end."""
    limit = WaitLimit()
    waiting = asyncio.ensure_future(limit.within(stays(), float("inf")))
    await asyncio.sleep(0)
    if late:
        limit.move(soon(-1))
        limit._look()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_limits_inside_each_other_end_by_themselves() -> None:
    """The outer one's end is the outer one's error, also where both pass at once; and nothing is left of either."""
    outer, inner = WaitLimit(), WaitLimit()
    with pytest.raises(WaitExpired):
        await outer.within(inner.within(stays(), soon(60)), soon())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    both = asyncio.ensure_future(outer.within(inner.within(stays(), float("inf")), float("inf")))
    await asyncio.sleep(0)
    inner.move(soon())
    outer.move(soon())
    with pytest.raises(WaitExpired):
        await both
    inner.close()
    outer.close()

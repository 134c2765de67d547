"""Of gateways that share their batches one at a time works on each, and another goes on when it is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest

from gateway.batches import Batch, Status
from gateway.batches.lines import Told
from gateway.core.errors import BadRequest
from tests.batches.test_queue import Desk, desk
from tests.standins.shelf import Shelf

TEXTS = [f"line-{number}" for number in range(24)]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let leases end, and gateways look at each other, within a fraction of a second."""
    for name, seconds in (("_LEASE_SECONDS", 0.6), ("_LOOK_SECONDS", 0.05), ("_TURN_SECONDS", 0.1)):
        monkeypatch.setattr(f"gateway.batches.open_batches.{name}", seconds)
    monkeypatch.setattr("gateway.batches.queue._LOOK_SECONDS", 0.02)


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[None]:
    """Let its queue work."""
    work = asyncio.create_task(desk.queue.run())
    try:
        yield
    finally:
        work.cancel()
        await asyncio.wait([work])


async def ended(desk: Desk, batch: Batch) -> Batch:
    """Return the batch when it has ended, as this gateway shows it."""
    async with asyncio.timeout(30):
        while True:
            found = await desk.queue.find(batch.owner, batch.id)
            assert found is not None
            if found.ended:
                return found
            await asyncio.sleep(0.02)


def asked(*desks: Desk) -> list[str]:
    """Return which lines these gateways have asked."""
    return sorted(text for one in desks for _, text in one.answers.asked)


def begins(desk: Desk) -> asyncio.Event:
    """Return what is set when its first line is asked, and let that line wait until `desk.answers.go` is set."""
    reached, quick = asyncio.Event(), desk.answers.answer

    async def answer(batch: Batch, body: bytes) -> Told:
        reached.set()
        await desk.answers.go.wait()
        return await quick(batch, body)

    desk.answers.go = asyncio.Event()
    desk.answers.answer = answer  # type: ignore[method-assign]
    return reached


async def test_two_gateways_answer_each_line_once(shared: Shelf) -> None:
    """Batches of both are shared out; each line is asked once, and either gateway shows and gives the results."""
    async with desk(shared) as one, desk(shared) as two:
        both = [begins(one), begins(two)]
        async with running(one), running(two):
            batches = [await (one, two)[number % 2].begin("ana", *TEXTS[:8]) for number in range(4)]
            async with asyncio.timeout(30):
                for reached in both:  # while the other one works on a batch, too
                    await reached.wait()
            one.answers.go.set()
            two.answers.go.set()
            for batch in batches:
                for its in (one, two):
                    done = await ended(its, batch)
                    assert (done.status, done.completed, done.failed) == (Status.COMPLETED, 8, 0)
                    assert await its.lines("ana", done.output_file) == TEXTS[:8]
        assert asked(one, two) == sorted(TEXTS[:8] * 4)


async def test_a_gateway_without_room_leaves_its_batches_to_another(shared: Shelf) -> None:
    """A batch made where nothing may begin is answered at the gateway that has room; a cancel counts everywhere."""
    async with desk(shared) as one, desk(shared) as two:
        one.open = False
        async with running(one), running(two):
            done = await ended(one, await one.begin("ana", *TEXTS))
            assert (done.status, done.completed) == (Status.COMPLETED, 24)
            assert one.answers.asked == []
            two.open = False
            waiting = await one.begin("ana", *TEXTS)
            cancelled = await two.queue.cancel("ana", waiting.id)
            assert cancelled is not None
            assert (await ended(one, waiting)).status is Status.CANCELLED
            with pytest.raises(BadRequest):
                await one.queue.cancel("ana", waiting.id)
        assert asked(two) == sorted(TEXTS)


async def test_another_gateway_goes_on_where_one_died(shared: Shelf) -> None:
    """What has a result is not asked again; the line that was under way is, once the dead gateway's lease has ended."""
    async with AsyncExitStack() as stack:
        two = await stack.enter_async_context(desk(shared))
        one = await stack.enter_async_context(desk(shared))
        reached = asyncio.Event()
        quick = one.answers.answer

        async def hang(batch: Batch, body: bytes) -> Told:
            if msgspec.json.decode(body)["text"] == TEXTS[10]:
                reached.set()
                await asyncio.Event().wait()
            return await quick(batch, body)

        one.answers.answer = hang  # type: ignore[method-assign]
        dying = asyncio.create_task(one.queue.run())
        batch = await one.begin("ana", *TEXTS)
        async with asyncio.timeout(10):
            await reached.wait()
        stack.push_async_callback(asyncio.wait, [dying])
        stack.callback(dying.cancel)
        one.queue._open._held.clear()  # it stands still: nothing prolongs its lease
        async with running(two):
            done = await ended(two, batch)
        assert (done.status, done.completed) == (Status.COMPLETED, 24)
        assert await two.lines("ana", done.output_file) == TEXTS
        assert asked(one) == sorted(TEXTS[:10])
        assert asked(two) == sorted(TEXTS[10:])


async def test_a_gateway_that_stood_still_writes_nothing_more(shared: Shelf) -> None:
    """One that wakes up behind its lease finds another at work: its late answer is dropped, and counted nowhere."""
    async with desk(shared) as one, desk(shared) as two:
        wake = asyncio.Event()
        reached = asyncio.Event()

        async def sleep(batch: Batch, body: bytes) -> Told:
            reached.set()
            await wake.wait()
            return Told(request_id="req_late", status=200, body=b'"late"')

        one.answers.answer = sleep  # type: ignore[method-assign]
        async with running(one):
            batch = await one.begin("ana", "a", "b")
            async with asyncio.timeout(10):
                await reached.wait()
            one.queue._open._held.clear()  # it stands still: nothing prolongs its lease
            async with running(two):
                done = await ended(two, batch)
            wake.set()
            await ended(one, await one.begin("ana", "c"))  # behind the late answer
        assert (await one.queue.find("ana", batch.id)) == done
        assert (done.completed, await one.lines("ana", done.output_file)) == (2, ["a", "b"])
        file = await one.files.find("ana", done.output_file or "")
        assert file is not None
        assert b"late" not in b"".join([piece async for piece in one.files.content("ana", file)])


async def test_a_stop_hands_batches_over_at_once(shared: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that is stopped in order leaves its batches to others without their waiting for its lease."""
    monkeypatch.setattr("gateway.batches.open_batches._LEASE_SECONDS", 600.0)
    async with desk(shared) as one, desk(shared) as two:
        reached = begins(one)
        async with running(one):
            batch = await one.begin("ana", *TEXTS)
            async with asyncio.timeout(10):
                await reached.wait()
        async with running(two):
            done = await ended(two, batch)
        assert (done.status, done.completed) == (Status.COMPLETED, 24)
        assert await one.lines("ana", done.output_file) == TEXTS

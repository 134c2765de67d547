"""Reading behind answers: bounded, waited for by its own key, and never left running."""

import asyncio

from gateway.core.errors import LedgerUnavailable
from gateway.core.events import AttachmentRead
from gateway.pipeline.attachments.behind import ReadingsBehind
from tests.pipeline.house import Heard


async def test_what_is_too_much_is_not_read_and_counted():
    """Of very many, or very large ones, the rest is skipped; others go on."""
    heard, gate, done = Heard(), asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        done.append(1)

    readings = ReadingsBehind(heard)
    for _ in range(40):
        readings.start("app", 1000, work)
    gate.set()
    await readings.caught_up("app")
    assert len(done) == 32
    assert [event.outcome for event in heard.events if isinstance(event, AttachmentRead)] == ["skipped"] * 8
    gate.clear()
    for size in (50 * 2**20, 20 * 2**20, 1000):
        readings.start("app", size, work)
    gate.set()
    await readings.caught_up("app")
    assert len(done) == 34


async def test_a_key_waits_for_its_own_alone():
    """Nobody waits for what another key has sent."""
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()

    readings = ReadingsBehind(Heard())
    readings.start("ana", 1, work)
    assert await readings.caught_up("ben") is False
    gate.set()
    assert await readings.caught_up("ana") is True
    await readings.close()


async def test_a_ledger_that_cannot_be_written_ends_nothing():
    """What can't be remembered is logged; the next one is read."""
    done = []

    async def fails() -> None:
        raise LedgerUnavailable("The disk is full.")

    async def works() -> None:
        done.append(1)

    readings = ReadingsBehind(Heard())
    readings.start("ana", 1, fails)
    readings.start("ana", 1, works)
    await readings.caught_up("ana")
    await readings.close()
    assert done == [1]

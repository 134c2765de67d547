"""Limits along a request's way: whatever ends it, what it had set aside is free again."""

import asyncio

import pytest

from gateway.core.delta import Text
from gateway.core.errors import AduanaError, LedgerUnavailable, RateLimited, TargetBusy, TargetUnavailable
from gateway.core.events import LimitReached, Settled
from gateway.core.limits import Limits
from gateway.pipeline.rate_limits import LimitTable
from tests.pipeline.house import House, chat

ONE = Limits(parallel=1)


@pytest.fixture(params=["key", "target"])
def house(request: pytest.FixtureRequest) -> House:
    """A house in which one request may run at once: of a key, or at the target at home."""
    return House(limits=LimitTable(any_key=ONE) if request.param == "key" else LimitTable(targets={"home": ONE}))


def free(house: House) -> bool:
    """Return whether nothing is set aside."""
    return all(one.used == 0 for one in house.limiter.used())


async def test_a_request_that_ends_frees_its_place(house: House) -> None:
    """Twice in turn is fine."""
    await house.ask()
    await house.ask()
    assert free(house)


async def test_a_second_request_meanwhile_is_refused_with_one_record(house: House) -> None:
    """It is told 429; its receipt has its settlement, and observers hear which limit it was."""
    inbound, request = chat("Hello")
    async with house.pipeline.generate(inbound, request) as answer:
        with pytest.raises((RateLimited, TargetBusy)) as caught:
            await house.ask("Hello again", "health")
        assert (caught.value.status, caught.value.code) == (429, "rate_limit_exceeded")
        async for _ in answer.deltas:
            pass
    await house.settlements.close()
    assert free(house)
    assert len(house.ledger.receipts) == len(house.ledger.settlements) == 2
    assert [event.limit for event in house.heard.events if isinstance(event, LimitReached)] == ["parallel"]
    assert sum(isinstance(event, Settled) for event in house.heard.events) == 2


async def test_a_request_without_a_receipt_holds_nothing(house: House) -> None:
    """Where the ledger can't write, nothing is sent and nothing stays set aside."""
    house.ledger.broken = True
    with pytest.raises(LedgerUnavailable):
        await house.ask()
    assert free(house)


@pytest.mark.parametrize("broken", [False, True])
async def test_a_client_that_goes_away_while_the_receipt_is_written_holds_nothing(house: House, broken: bool) -> None:
    """Whether the receipt is written in the end or not."""
    house.ledger.gate = asyncio.Event()
    inbound, request = chat("Hello")

    async def client() -> None:
        async with house.pipeline.generate(inbound, request):
            pass

    task = asyncio.create_task(client())
    await house.ledger.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    house.ledger.broken = broken
    house.ledger.gate.set()
    await house.settlements.close()
    assert free(house)


async def test_a_client_that_goes_away_in_the_answer_holds_nothing(house: House) -> None:
    """Its place is free at once."""
    inbound, request = chat("Hello")
    async with house.pipeline.generate(inbound, request) as answer:
        async for delta in answer.deltas:
            if isinstance(delta, Text):
                break
    await house.settlements.close()
    assert free(house)


@pytest.mark.parametrize("error", [TargetUnavailable("Gone."), ValueError("A fault of ours.")])
async def test_a_request_that_fails_holds_nothing(house: House, error: Exception) -> None:
    """Also where the fault is nobody's that was foreseen."""
    for target in (house.home, house.big, house.spare):
        target.script = [error]
    with pytest.raises((AduanaError, ValueError)):
        await house.ask()
    assert free(house)


async def test_a_target_that_another_answers_for_holds_nothing() -> None:
    """A target that failed has its place back before the next one is asked, which has one of its own."""
    house = House(limits=LimitTable(targets={"big": ONE, "spare": ONE, "home": ONE}))
    house.big.script = [TargetUnavailable("Gone.")]
    await house.ask("Hello", "public")
    assert house.outcomes == ["ok"]
    assert free(house)

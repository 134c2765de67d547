"""Limits along a request's way: whatever ends it, what it had set aside is free again."""

import asyncio

import pytest

from gateway.core.delta import Text
from gateway.core.errors import AduanaError, LedgerUnavailable, RateLimited, TargetBusy, TargetUnavailable
from gateway.core.events import LimitReached, Settled
from gateway.core.limits import Limits, Scope, Use
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


FIVE = Limits(requests_per_minute=5, parallel=5)


def shared(used: Use = Use()) -> House:  # noqa: B008 - frozen
    """A house whose limits other gateways hold with it; together they have used so much."""
    targets = {name: Limits(parallel=5) for name in ("home", "big")}
    return House(limits=LimitTable(any_key=FIVE, targets=targets), elsewhere=lambda claim: used)


def key_of(house: House) -> str:
    """The name of the key by which the house is asked."""
    return next(claim.name for claim in house.ledger.claims if claim.scope is Scope.KEY)


async def test_a_request_claims_its_place_with_its_receipt() -> None:
    """That of its key and that of its first target; where this gateway counts alone it claims nothing."""
    house = shared()
    await house.ask()
    assert [claim.scope for claim in house.ledger.claims] == [Scope.KEY, Scope.TARGET]
    alone = House(limits=LimitTable(any_key=FIVE))
    await alone.ask()
    assert alone.ledger.claims == []


async def test_what_other_gateways_have_used_is_refused_with_its_time() -> None:
    """One receipt and one settlement, nothing is sent, nothing is counted; until then nobody else asks the ledger."""
    house = shared()
    await house.ask()
    house.ledger.full[key_of(house)] = "requests_per_minute", 12.5
    asked, claimed = len(house.home.asked), len(house.ledger.claims)
    with pytest.raises(RateLimited, match=r"5 requests a minute.* in 13 seconds") as caught:
        await house.ask()
    assert caught.value.retry_after == pytest.approx(12.5)
    assert caught.value.route is not None
    await house.settlements.close()
    assert house.outcomes == ["ok", "refused"]
    assert house.ledger.settlements[-1].error == "rate_limit_exceeded"
    assert len(house.ledger.receipts) == 2
    assert len(house.home.asked) == asked
    assert [event.limit for event in house.heard.events if isinstance(event, LimitReached)] == ["requests_per_minute"]
    assert [one.used for one in house.limiter.used() if one.kind == "requests_per_minute"] == [1]
    assert [one.used for one in house.limiter.used() if one.kind == "parallel"] == [0, 0, 0]
    claimed = len(house.ledger.claims)
    house.ledger.full.clear()
    with pytest.raises(RateLimited) as again:
        await house.ask()
    assert again.value.retry_after == pytest.approx(12.5, abs=10.0)
    assert len(house.ledger.claims) == claimed


async def test_a_place_that_others_have_is_asked_for_again() -> None:
    """It may be free at any moment, so nothing is remembered of it."""
    house = shared()
    await house.ask()
    house.ledger.full[key_of(house)] = "parallel", 1.0
    with pytest.raises(RateLimited, match="5 requests running at once"):
        await house.ask()
    house.ledger.full.clear()
    await house.ask()
    await house.settlements.close()
    assert house.outcomes == ["ok", "refused", "ok"]


async def test_a_target_that_others_fill_is_passed_over() -> None:
    """The next one answers; where there is none, the client is told 429 with the time."""
    house = shared()
    house.ledger.full = {"big": ("parallel", 1.0)}
    await house.ask("Hello", "public")
    assert house.outcomes == ["ok"]
    assert house.ledger.settlements[0].attempts == (("big", "rate_limit_exceeded"),)
    assert house.big.asked == []
    house.ledger.full = {"home": ("requests_per_minute", 30.0)}
    with pytest.raises(TargetBusy) as caught:
        await house.ask("Hello", "health")
    assert (caught.value.status, caught.value.retry_after) == (429, pytest.approx(30.0))
    await house.settlements.close()
    assert [one.used for one in house.limiter.used() if one.kind == "parallel"] == [0, 0, 0]


async def test_what_is_left_is_what_all_of_them_leave() -> None:
    """The headers of an answer count what other gateways have used, too."""
    house = shared(Use(requests=3, running=1))
    inbound, request = chat("Hello")
    async with house.pipeline.generate(inbound, request) as answer:
        assert answer.route.room is not None
        assert (answer.route.room.limit, answer.route.room.left) == (5, 2)
        async for _ in answer.deltas:
            pass

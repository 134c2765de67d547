"""Several gateways on one ledger: none spends another's money, misses what another knows, or ends what it does."""

import asyncio

import msgspec
import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.record import Reservation, Whose
from gateway.ledger import LedgerIdentity
from tests.ledger.conftest import CLOUD, Clock, Joined, die, make_receipt, make_settlement, rows

A, B = b"a" * 16, b"b" * 16
CENT = Reservation(target="big", zone=Zone.CLOUD, micros=10_000)


async def test_three_dollars_are_spent_once(join: Joined) -> None:
    """300 requests at once over two gateways, a dollar each, with three dollars left: three are admitted."""
    one, other = await join(day_limit_usd=3.0), await join(day_limit_usd=3.0)
    dollar = msgspec.structs.replace(CENT, micros=1_000_000)
    answers = await asyncio.gather(
        *((one, other)[number % 2].receive(make_receipt(f"r{number}"), dollar) for number in range(300))
    )
    assert answers.count(None) == 3
    assert answers.count("day") == 297
    assert rows(one, "SELECT count(*), sum(micros) FROM reservations") == [(3, 3_000_000)]
    assert await other.reserve("r1", dollar) == "day"
    admitted = [f"r{number}" for number, answer in enumerate(answers) if answer is None]
    for name in admitted:
        ledger = (one, other)[int(name[1:]) % 2]
        await ledger.settle(make_settlement(name, target="big", zone=Zone.CLOUD, cost_micros=600_000))
    again = await asyncio.gather(
        *((one, other)[number % 2].receive(make_receipt(f"s{number}"), dollar) for number in range(50))
    )
    assert again.count(None) == 1, "1.80 of 3 dollars are spent"


async def test_a_key_has_one_budget_whichever_gateway_it_asks(join: Joined) -> None:
    """What one gateway spent is missing at the other, and shown there."""
    one, other = await join(key_limits_usd={"laptop": 0.015}), await join(key_limits_usd={"laptop": 0.015})
    assert await one.receive(make_receipt("a"), CENT) is None
    assert await other.receive(make_receipt("b"), CENT) == "key:laptop"
    assert await other.receive(make_receipt("c", key="phone"), CENT) is None
    await one.settle(make_settlement("a", target="big", zone=Zone.CLOUD, cost_micros=1_000))
    assert await other.receive(make_receipt("d"), CENT) is None
    assert other.budgets()["key:laptop"].spent == pytest.approx(0.011)


async def test_what_one_remembers_the_other_knows_at_once(join: Joined) -> None:
    """No filter in memory says that a turn was never seen; a label that rises rises for both."""
    one, other = await join(), await join()
    assert await other.taint_lookup([A, B]) == {}
    await one.taint_remember([A], Label.INTERNAL, frozenset({"contact"}))
    assert await other.taint_lookup([A, B]) == {A: Label.INTERNAL}
    await one.taint_remember([A, B], Label.SENSITIVE, frozenset({"id"}))
    assert await other.taint_lookup([A, B]) == {A: Label.SENSITIVE, B: Label.SENSITIVE}
    assert await other.taint_causes([A, B]) == frozenset({"id"})
    await one.mask_remember(b"name", b"sealed", [A], Whose(key="laptop"))
    found = await other.mask_lookup([A])
    assert found is not None
    assert found.sealed == b"sealed"


async def test_what_a_dead_gateway_left_is_settled_by_another(join: Joined, clock: Clock) -> None:
    """When its lease has ended, once, at the upper estimate; the requests of one that lives stay open."""
    dead, alive, looks = await join(lease_seconds=1.0), await join(lease_seconds=1.0), await join(lease_seconds=1.0)
    await dead.receive(make_receipt("left"), CLOUD)
    await alive.receive(make_receipt("running"), CLOUD)
    die(dead)
    async with asyncio.timeout(30):
        while not rows(looks, "SELECT count(*) FROM settlements")[0][0]:  # noqa: ASYNC110 - others look too
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.5)  # longer than a lease: what lives has renewed its own
    found = "SELECT request_id, outcome, cost_micros FROM settlements JOIN receipts USING (seq)"
    assert rows(looks, found) == [("left", "unknown", 500)]
    await alive.settle(make_settlement("running"))
    assert sorted(rows(looks, found)) == [("left", "unknown", 500), ("running", "ok", 0)]
    assert rows(looks, "SELECT (SELECT count(*) FROM open_requests) + (SELECT count(*) FROM holds)") == [(0,)]
    async with asyncio.timeout(30):
        while looks.budgets()["day"].spent != pytest.approx(0.0005):  # noqa: ASYNC110 - it looks now and then
            await asyncio.sleep(0.05)


async def test_a_gateway_that_was_taken_for_dead_goes_on(join: Joined) -> None:
    """Its late settlement changes nothing, and costs nothing twice; what comes after is its own again."""
    slow, other = await join(lease_seconds=1.0), await join(lease_seconds=1.0)
    await slow.receive(make_receipt("a"), CLOUD)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(slow._sharing, "_renew", lambda connection: 0)
        async with asyncio.timeout(30):
            while not rows(other, "SELECT count(*) FROM settlements")[0][0]:  # noqa: ASYNC110 - another looks
                await asyncio.sleep(0.05)
    await slow.settle(make_settlement("a", target="big", zone=Zone.CLOUD, cost_micros=7))
    assert rows(other, "SELECT outcome, cost_micros FROM settlements") == [("unknown", 500)]
    await slow.receive(make_receipt("b"), CLOUD)
    await slow.settle(make_settlement("b", target="big", zone=Zone.CLOUD, cost_micros=7))
    assert rows(other, "SELECT micros FROM spent WHERE budget = 'month'") == [(507,)]


async def test_a_gateway_that_comes_back_shares_its_number_with_nobody(join: Joined) -> None:
    """One began while another was taken for dead: whatever becomes of either, the other's requests stay its own."""
    first, slow = await join(lease_seconds=1.0), await join(lease_seconds=1.0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(slow._sharing, "_renew", lambda connection: 0)
        async with asyncio.timeout(30):
            while len(rows(first, "SELECT number FROM gateways")) > 1:  # noqa: ASYNC110 - it looks now and then
                await asyncio.sleep(0.05)
        new = await join(lease_seconds=1.0)
    await new.receive(make_receipt("a"), CLOUD)
    await slow.receive(make_receipt("b"), CLOUD)
    await slow.close()
    assert rows(first, "SELECT count(DISTINCT gateway) FROM open_requests") == [(2,)]


async def test_a_stop_leaves_its_requests_to_whoever_is_next(join: Joined) -> None:
    """A gateway that stops in order waits for no lease."""
    one, other = await join(), await join()
    await one.receive(make_receipt("a"), CLOUD)
    await one.close()
    third = await join()
    assert third.orphans == 1
    assert rows(other, "SELECT outcome FROM settlements") == [("unknown",)]


async def test_another_key_does_not_take_a_shared_ledger_over(join: Joined) -> None:
    """The second of two gateways that begin at once with keys of their own is told to copy the first one's."""
    one, other = await join(), await join()
    await one.claim("state", "key of one", 1)
    with pytest.raises(LedgerUnavailable, match=r"taint\.key"):
        await other.claim("other state", "key of the other", 1)
    assert (await other.identity()).key == "key of one"


async def test_gateways_that_begin_a_ledger_together_have_one_state(join: Joined) -> None:
    """With the same key, the second one takes over what the first has named."""
    one, other = await join(), await join()
    assert (await one.identity(), await other.identity()) == (LedgerIdentity(), LedgerIdentity())
    assert await one.claim("state", "key of both", 1) == "state"
    assert await other.claim("other state", "key of both", 1) == "state"
    assert (await one.identity()).id == "state"

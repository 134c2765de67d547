"""Limits of requests and tokens over several gateways: never more than they say, and all of it comes back."""

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from gateway.core.labels import Zone
from gateway.core.limits import Claim, Full, Limits, Scope
from gateway.core.record import Reservation
from gateway.core.usage import Usage
from gateway.ledger import Ledger
from gateway.ledger.recording import NewReceipt
from gateway.ledger.shared_limits import SharedLimits
from gateway.ledger.sql import Connection
from tests.ledger.conftest import Clock, Joined, die, make_receipt, make_settlement, rows

HOME = Reservation(target="home", zone=Zone.LOCAL)


class Server:
    """The database server's clock, which stands still until the test moves it; it begins a quarter into a second."""

    def __init__(self) -> None:
        self.now = math.floor(time.time()) + 0.25  # gateways have joined by the real one

    def tell(self, *ledgers: Ledger) -> None:
        for ledger in ledgers:
            ledger.database.now = self._now  # type: ignore[method-assign]

    def _now(self, connection: Connection) -> float:
        return self.now


@pytest.fixture
def server() -> Server:
    return Server()


async def two(join: Joined, server: Server, **changes: object) -> tuple[Ledger, Ledger]:
    lasting = {"lease_seconds": 86_400.0} | changes  # nobody dies because the clock is moved
    one, other = await join(**lasting), await join(**lasting)
    server.tell(one, other)
    return one, other


def of(limits: Limits, scope: Scope = Scope.KEY, name: str = "laptop", tokens: int = 0) -> Claim:
    """What a request takes that may use so many tokens."""
    return Claim(scope=scope, name=name, limits=limits, tokens=tokens, tokens_day=tokens)


def taking(*claims: Claim, target: str = "home", zone: Zone = Zone.LOCAL, micros: int = 0) -> Reservation:
    return Reservation(target=target, zone=zone, micros=micros, claims=claims)


async def ask(ledgers: Sequence[Ledger], names: Sequence[str], *claims: Claim) -> list[str]:
    """Ask for all of these at once, by turns at each gateway, and return who was admitted."""
    answers = await asyncio.gather(
        *(
            ledgers[number % len(ledgers)].receive(make_receipt(name), taking(*claims))
            for number, name in enumerate(names)
        )
    )
    assert all(answer is None or isinstance(answer, Full) for answer in answers)
    return [name for name, answer in zip(names, answers, strict=True) if answer is None]


def named(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


async def end(ledger: Ledger, name: str, tokens: int = 0) -> None:
    await ledger.settle(make_settlement(name, usage=Usage(input=tokens)))


async def full(ledger: Ledger, name: str, *claims: Claim) -> Full:
    """What refuses a request."""
    answer = await ledger.receive(make_receipt(name), taking(*claims))
    assert isinstance(answer, Full), answer
    await end(ledger, name)
    return answer


async def test_three_of_300_run_at_once(join: Joined, server: Server) -> None:
    """Whichever gateway they ask; each that ends makes room for one, wherever that asks."""
    one, other = await two(join, server)
    three = of(Limits(parallel=3))
    admitted = await ask((one, other), named("a", 300), three)
    assert len(admitted) == 3
    assert (await full(one, "x", three)).kind == "parallel"
    ledger = (one, other)[int(admitted[0][1:]) % 2]
    await end(ledger, admitted[0])
    assert len(await ask((other, one), named("b", 50), three)) == 1
    assert rows(one, "SELECT count(*) FROM limit_holds") == [(3,)]
    assert rows(one, "SELECT count(*) FROM limit_minutes") == [(0,)], "nothing is counted that nobody limits"


async def test_a_minute_is_one_for_all(join: Joined, server: Server) -> None:
    """Five in any sixty seconds, however short they ran; a refusal says when the next one fits, and counts nowhere."""
    one, other = await two(join, server)
    five = of(Limits(requests_per_minute=5))
    begun = server.now
    first = await ask((one, other), named("a", 3), five)
    server.now = begun + 20
    assert len(first) == 3
    later = await ask((one, other), named("b", 60), five)
    assert len(later) == 2
    for number, name in enumerate(first):
        await end((one, other)[number % 2], name)
    refused = await full(other, "x", five)
    assert (refused.kind, refused.limit, refused.used) == ("requests_per_minute", 5, 5)
    assert refused.wait == pytest.approx(40.75), "the first three count until their second is a minute old"
    server.now += 40.0
    assert await ask((one, other), named("c", 9), five) == [], "sixty seconds are not over"
    server.now += 0.75
    assert len(await ask((one, other), named("d", 9), five)) == 3
    server.now = begun + 20 + 61
    assert len(await ask((one, other), named("e", 9), five)) == 2


async def test_tokens_are_set_aside_and_put_right(join: Joined, server: Server) -> None:
    """At the upper estimate until the answer has ended; what was used beyond it counts from then on."""
    one, other = await two(join, server)
    limits = Limits(tokens_per_minute=1_000)
    assert await ask((one,), ["a"], of(limits, tokens=600)) == ["a"]
    assert (await full(other, "x", of(limits, tokens=600))).used == 600
    await end(one, "a", tokens=100)
    assert await ask((other,), ["b"], of(limits, tokens=600)) == ["b"]
    server.now += 30
    await end(other, "b", tokens=950)
    refused = await full(one, "y", of(limits, tokens=1))
    assert (refused.kind, refused.used) == ("tokens_per_minute", 1_050)
    assert refused.wait == pytest.approx(30.75)
    server.now += 31
    assert (await full(one, "z", of(limits, tokens=651))).used == 350, "those beyond the estimate, for 30 s more"
    assert await ask((one,), ["c"], of(limits, tokens=650)) == ["c"]


async def test_tokens_of_the_day_begin_with_what_the_record_says(join: Joined, server: Server, clock: Clock) -> None:
    """Also where the limit is new; with the next day everybody has all of them again."""
    one, other = await two(join, server)
    await one.receive(make_receipt("before"), HOME)
    await end(one, "before", tokens=400)
    limits = Limits(tokens_per_day=1_000)
    assert await ask((other,), ["a"], of(limits, tokens=500)) == ["a"]
    refused = await full(one, "x", of(limits, tokens=200))
    assert (refused.kind, refused.used) == ("tokens_per_day", 900)
    await end(other, "a", tokens=300)
    assert await ask((one,), ["b"], of(limits, tokens=300)) == ["b"]
    await end(one, "b", tokens=300)
    assert (await full(other, "y", of(limits, tokens=1))).used == 1_000
    clock.now += 86_400
    assert await ask((other,), ["c"], of(limits, tokens=1_000)) == ["c"]


async def test_many_who_come_in_the_morning_cost_one_look_at_the_record(join: Joined, server: Server) -> None:
    """All writers wait while the day is added up, so that is not done anew for each whom nobody has counted yet."""
    one, _ = await two(join, server)
    await one.receive(make_receipt("before", key="k7"), HOME)
    await end(one, "before", tokens=400)
    assert one._sharing is not None
    added_up = one._sharing.limits._tokens_today
    looks = []

    def counted(connection: Connection) -> Any:
        looks.append(1)
        return added_up(connection)

    one._sharing.limits._tokens_today = counted
    for number in range(20):
        claim = of(Limits(tokens_per_day=1_000), name=f"k{number}", tokens=1)
        await one.receive(make_receipt(f"r{number}", key=f"k{number}"), taking(claim))
    assert len(looks) < 20
    assert (await full(one, "x", of(Limits(tokens_per_day=1_000), name="k7", tokens=600))).used == 401


async def test_places_of_a_dead_gateway_come_back(join: Joined, server: Server) -> None:
    """When its lease has ended, by whichever gateway sees it; what it may have used of the day counts as used."""
    dead, alive = await two(join, server, lease_seconds=5.0)
    limits = of(Limits(parallel=2, tokens_per_day=1_000), tokens=300)
    assert len(await ask((dead,), ["a", "b"], limits)) == 2
    await full(alive, "x", limits)
    die(dead)
    server.now += 3_600
    async with asyncio.timeout(30):
        while rows(alive, "SELECT count(*) FROM limit_holds") != [(0,)]:  # noqa: ASYNC110 - it looks now and then
            await asyncio.sleep(0.05)
    assert await ask((alive,), ["c"], limits) == ["c"]
    refused = await full(alive, "y", of(limits.limits, tokens=101))
    assert (refused.kind, refused.used) == ("tokens_per_day", 900)


async def test_several_limits_need_room_in_all(join: Joined, server: Server) -> None:
    """A request that one of them refuses takes nothing of the others."""
    one, other = await two(join, server)
    key, user = of(Limits(parallel=5)), of(Limits(parallel=1), Scope.USER, "ana")
    assert await ask((one,), ["a"], key, user) == ["a"]
    refused = await full(other, "x", key, user)
    assert (refused.scope, refused.name) == (Scope.USER, "ana")
    assert len(await ask((one, other), named("b", 20), key)) == 4


async def test_a_full_target_leaves_the_request_its_place(join: Joined, server: Server) -> None:
    """The next target is asked; of the one before, nothing is held any more."""
    one, other = await two(join, server)
    key = of(Limits(parallel=2))
    big, den = (of(Limits(parallel=1), Scope.TARGET, name) for name in ("big", "den"))
    assert await one.receive(make_receipt("a"), taking(key, big, target="big")) is None
    answer = await other.receive(make_receipt("b"), taking(key, big, target="big"))
    assert isinstance(answer, Full)
    assert (answer.scope, answer.name) == (Scope.TARGET, "big")
    assert await other.reserve("b", taking(den, target="den")) is None
    assert (await full(one, "x", key)).scope is Scope.KEY
    assert isinstance(await one.reserve("a", taking(den, target="den")), Full)
    assert await other.reserve("b", taking(big, target="big")) is None, "the first one has left it"
    assert await one.reserve("a", taking(den, target="den")) is None, "and the other one this"
    await end(one, "a")
    await end(other, "b")
    assert rows(one, "SELECT count(*) FROM limit_holds") == [(0,)]


async def test_a_spent_budget_holds_nothing_of_the_target(join: Joined, server: Server) -> None:
    """It is not asked; the request's own limits count it, for it may be answered elsewhere."""
    one, other = await two(join, server, day_limit_usd=1.0)
    key, big = of(Limits(parallel=9)), of(Limits(parallel=9), Scope.TARGET, "big")
    dear = taking(key, big, target="big", zone=Zone.CLOUD, micros=2_000_000)
    assert await other.receive(make_receipt("a"), dear) == "day"
    assert rows(one, "SELECT target FROM limit_holds") == [(0,)]


async def test_without_limits_nobody_looks(join: Joined, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that no such limit is about costs the database nothing more."""

    def asked(*_: object) -> object:
        raise AssertionError("the database was asked about limits")

    for name in ("look", "take", "ended", "leave_target"):
        monkeypatch.setattr(SharedLimits, name, asked)
    one, _ = await two(join, server)
    assert await one.receive(make_receipt("a"), HOME) is None
    assert await one.reserve("a", HOME) is None
    await end(one, "a")


async def test_no_name_stands_there(join: Joined, server: Server) -> None:
    """Whose limits they are is a digest: there is nothing to erase."""
    one, _ = await two(join, server)
    limits = Limits(requests_per_minute=9, tokens_per_day=9, parallel=9)
    await ask((one,), ["a"], of(limits, Scope.USER, "ana.secret", tokens=1))
    found = [rows(one, f"SELECT * FROM {table}") for table in ("limit_minutes", "limit_days", "limit_holds")]
    assert all(found)
    assert b"ana" not in repr(found).encode()


async def test_what_is_over_is_removed(join: Joined, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds that are a minute old go, and days before yesterday."""
    monkeypatch.setattr("gateway.ledger.shared_limits._TIDY_SECONDS", 0.0)
    one, _ = await two(join, server)
    limits = of(Limits(requests_per_minute=99, tokens_per_day=99), tokens=1)
    await ask((one,), named("a", 3), limits)
    server.now += 62
    await ask((one,), ["b"], limits)
    await one.receive(make_receipt("c"), HOME)
    assert rows(one, "SELECT slot, requests FROM limit_minutes") == [(math.floor(server.now), 1)]


async def test_a_request_that_was_never_acknowledged_holds_nothing(join: Joined, server: Server) -> None:
    """Its receipt came too late to be sent, so its place is free, and its tokens were not used."""
    one, other = await two(join, server)
    limits = of(Limits(parallel=1, tokens_per_day=10), tokens=10)
    with pytest.MonkeyPatch.context() as patched:
        queue = one._write_queue
        assert queue is not None
        write = queue.record

        def late(record: NewReceipt) -> "asyncio.Future[Any]":
            waiter = write(record)
            waiter.cancel()
            return waiter

        patched.setattr(queue, "record", late)
        with pytest.raises(asyncio.CancelledError):
            await one.receive(make_receipt("late"), taking(limits))
    async with asyncio.timeout(30):
        while rows(one, "SELECT count(*) FROM settlements") != [(1,)]:  # noqa: ASYNC110 - nobody waits for it
            await asyncio.sleep(0.02)
    assert await ask((other,), ["next"], limits) == ["next"]


def test_a_claim_says_only_what_it_is_about() -> None:
    """Limits of money alone are no claim on a minute."""
    assert not of(Limits(usd_day=1.0, parallel=2)).by_minute
    assert of(Limits(tokens_per_minute=2)).by_minute
    assert of(Limits(parallel=2)).place != of(Limits(parallel=2), Scope.USER).place
    assert msgspec.structs.replace(of(Limits(parallel=2)), limits=Limits()).place == of(Limits(parallel=2)).place

"""What was spent today, this month and by key, with money set aside counting from admission on."""

import asyncio
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.labels import Zone
from gateway.core.limits import Account, Scope
from gateway.core.usage import Usage
from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.budgets import Budgets
from tests.ledger.conftest import CLOUD, NOON, Clock, make_receipt, make_settlement

DAY = 86_400


async def test_a_reservation_counts_until_it_is_settled_at_its_cost(settings: LedgerSettings, clock: Clock) -> None:
    """The upper estimate counts from admission on; the settlement replaces it."""
    settings = msgspec.structs.replace(settings, day_limit_usd=1.0, key_limits_usd={"laptop": 2.0, "phone": 3.0})
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    assert ledger.budgets()["day"].spent == 0
    await ledger.receive(make_receipt(), CLOUD)
    budgets = ledger.budgets()
    assert {name: (budget.spent, budget.limit) for name, budget in budgets.items()} == {
        "day": (0.0005, 1.0),
        "month": (0.0005, None),
        "key:laptop": (0.0005, 2.0),
        "key:phone": (0.0, 3.0),
    }
    await ledger.reserve("r1", CLOUD)
    assert ledger.budgets()["day"].spent == pytest.approx(0.001)
    await ledger.settle(make_settlement(target="big", zone=Zone.CLOUD, cost_micros=123))
    assert ledger.budgets()["day"].spent == pytest.approx(0.000123)
    await ledger.close()


async def test_totals_survive_a_restart_and_periods_end(settings: LedgerSettings, clock: Clock) -> None:
    """After a restart, day and month are rebuilt; tomorrow the day is new, next month both are."""

    async def spend(request_id: str, micros: int) -> None:
        ledger = Ledger(settings, wall=clock)
        await ledger.open()
        await ledger.receive(make_receipt(request_id, received_at=clock.now), CLOUD)
        await ledger.settle(
            make_settlement(request_id, settled_at=clock.now, target="big", zone=Zone.CLOUD, cost_micros=micros)
        )
        await ledger.close()

    async def now() -> tuple[float, float]:
        ledger = Ledger(settings, wall=clock)
        await ledger.open()
        budgets = ledger.budgets()
        await ledger.close()
        return (budgets["day"].spent, budgets["month"].spent)

    await spend("a", 1_000_000)
    clock.now += DAY
    await spend("b", 500_000)
    assert await now() == (0.5, 1.5)
    clock.now = NOON + 2 * DAY
    assert await now() == (0.0, 1.5)
    clock.now = NOON + 10 * DAY
    assert await now() == (0.0, 0.0)


async def test_days_begin_at_local_midnight(settings: LedgerSettings, clock: Clock) -> None:
    """In Madrid (UTC+1 in November) the day ends at 23:00 UTC, in the running gateway too."""
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ledger.receive(make_receipt(), CLOUD)
    await ledger.settle(make_settlement(target="big", zone=Zone.CLOUD, cost_micros=1_000_000))
    clock.now = NOON + 11 * 3600 - 1
    assert ledger.budgets()["day"].spent == 1
    clock.now += 1
    assert ledger.budgets()["day"].spent == 0
    assert ledger.budgets()["month"].spent == 1
    clock.now = NOON
    assert ledger.budgets()["day"].spent == 0, "a clock that jumps back does not change what the new day knows"
    await ledger.close()


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["hold", "settle", "release"]), st.integers(0, 4), st.integers(0, 10**9)), max_size=60
    )
)
def test_spent_is_settled_money_plus_held_money(steps: list[tuple[str, int, int]]) -> None:
    """Whatever the order of events, month = Σ settled + Σ held, and the keys add up to it."""
    budgets = Budgets(day=None, month=None, keys={}, today=date(2026, 11, 23), zone=UTC)
    held: dict[str, int] = {}
    settled = 0
    for what, number, micros in steps:
        request = f"r{number}"
        key = f"k{number % 2}"
        match what:
            case "hold":
                assert budgets.hold(request, key, micros) is None
                held[request] = held.get(request, 0) + micros
            case "settle":
                budgets.settle(request, key, micros)
                held.pop(request, None)
                settled += micros
            case _:
                budgets.release(request)
                held.pop(request, None)
    now = budgets.now()
    expected = (settled + sum(held.values())) / 1e6
    assert now["month"].spent == pytest.approx(expected)
    assert now["day"].spent == pytest.approx(expected)
    assert sum(budget.spent for name, budget in now.items() if name.startswith("key:")) == pytest.approx(expected)


@given(
    limits=st.tuples(*[st.one_of(st.none(), st.integers(0, 1000))] * 3),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 400), st.integers(0, 400)), max_size=60),
)
def test_no_budget_is_ever_overdrawn(
    limits: tuple[int | None, int | None, int | None], steps: list[tuple[bool, int, int, int]]
) -> None:
    """However requests come and go: while none costs more than was set aside for it, no limit is passed.

    What is refused would have passed one, and names it.
    """
    day, month, one = (None if limit is None else limit / 1e6 for limit in limits)
    keys = {} if one is None else {"k1": one}
    budgets = Budgets(day=day, month=month, keys=keys, today=date(2026, 11, 23), zone=UTC)
    held: dict[str, int] = {}
    for begins, number, micros, cost in steps:
        request, key = f"r{number}", f"k{number % 2}"
        if begins:
            before = budgets.now()
            refused = budgets.hold(request, key, micros)
            if refused is None:
                held[request] = held.get(request, 0) + micros
            else:
                limit = before[refused].limit
                assert limit is not None
                assert before[refused].spent + micros / 1e6 > limit
                assert refused in ("day", "month", f"key:{key}")
        else:
            budgets.settle(request, key, min(cost, held.pop(request, 0)))
        for budget in budgets.now().values():
            assert budget.limit is None or budget.spent <= budget.limit + 1e-9


def test_a_target_without_a_price_is_closed_wherever_a_budget_has_a_limit() -> None:
    """Nobody knows what it will cost, so no limit allows for it; without limits it may be asked."""
    limited = Budgets(day=None, month=None, keys={"k": 1.0}, today=date(2026, 11, 23), zone=UTC)
    assert limited.hold("a", "k", None) == "key:k"
    assert limited.hold("a", "other", None) is None


def test_where_it_is_permitted_a_target_without_a_price_may_be_asked_while_anything_is_left() -> None:
    """When the budget is spent it is closed too."""
    budgets = Budgets(day=1.0, month=None, keys={}, today=date(2026, 11, 23), zone=UTC, unpriced_allowed=True)
    assert budgets.hold("a", "k", None) is None
    assert budgets.hold("b", "k", 1_000_000) is None
    assert budgets.hold("c", "k", None) == "day"
    assert budgets.hold("d", "k", 0) is None, "what is free is never refused"


@pytest.mark.parametrize(
    ("today", "tomorrow", "month"),
    [
        (date(2026, 11, 23), datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        (date(2026, 12, 31), datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_budgets_say_when_they_begin_anew(today: date, tomorrow: datetime, month: datetime) -> None:
    """The day's budget begins anew at midnight, all others on the first of the month."""
    budgets = Budgets(day=1.0, month=2.0, keys={"k": 3.0}, today=today, zone=UTC)
    assert {name: budget.resets for name, budget in budgets.now().items()} == {
        "day": tomorrow,
        "month": month,
        "key:k": month,
    }


ANA, ANA_TODAY = Account(name="user:ana", told="user", limit=700), Account(name="user_day:ana", told="user_day")


async def test_what_a_request_draws_on_besides_is_held_settled_and_known_after_a_restart(
    settings: LedgerSettings, clock: Clock
) -> None:
    """A user's limit comes with the request; the name that is told is not the user's. Tags without a limit in the
    configuration have no sum: clients can invent any number of them.
    """
    settings = msgspec.structs.replace(settings, limits_usd={"tag:slow": 0.0009, "target_day:big": 0.002})
    accounts = (ANA, ANA_TODAY, Account(name="tag:slow", told="tag:slow", limit=900))
    drawn = msgspec.structs.replace(CLOUD, accounts=accounts)
    spent = {"user": 0.0005, "tag:slow": 0.0005, "key:laptop": 0.0005, "day": 0.0005, "month": 0.0005}

    def told(ledger: Ledger) -> dict[str, float]:
        return {name: round(budget.spent, 6) for name, budget in ledger.budgets_of("laptop", accounts).items()}

    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    receipt = make_receipt("a", user="ana", tags=("invented", "slow"))
    assert await ledger.receive(receipt, drawn) is None
    assert told(ledger) == spent
    assert await ledger.receive(make_receipt("b", user="ana"), drawn) == "user"
    await ledger.settle(make_settlement("a", target="big", zone=Zone.CLOUD, cost_micros=600))
    await ledger.close()

    again = Ledger(settings, wall=clock)
    await again.open()
    assert told(again) == dict.fromkeys(spent, 0.0006)
    assert again.budgets()["target_day:big"].spent == pytest.approx(0.0006)
    assert "tag:invented" not in again.budgets()
    clock.now += DAY
    assert told(again) | {"day": 0.0} == dict.fromkeys(spent, 0.0006) | {"day": 0.0}
    assert again.budgets()["target_day:big"].spent == 0
    await again.close()


def test_names_that_spend_nothing_are_not_remembered() -> None:
    """Front ends can name any number of users: a limit is shown from its first spending to the end of its period."""
    budgets = Budgets(day=None, month=None, keys={"k": 1.0}, today=date(2026, 11, 29), zone=UTC)
    shown = set(budgets.now())

    def accounts(user: str) -> tuple[Account, ...]:
        names = (f"user:{user}", f"user_day:{user}")
        return tuple([Account(name=name, told=name.partition(":")[0], limit=700) for name in names])

    for number in range(100):
        assert budgets.drawn("k", accounts(f"u{number}"))["user"].limit == 0.0007
        assert budgets.hold(f"r{number}", "k", 0, accounts(f"u{number}")) is None
        assert budgets.hold(f"r{number}", "k", 701, accounts(f"u{number}")) == "user"
    assert set(budgets.now()) == shown
    budgets.hold("one", "k", 100, accounts("ana"))
    budgets.settle("one", "k", 100, accounts("ana"))
    assert budgets.now()["user:ana"].limit == budgets.now()["user_day:ana"].limit == 0.0007
    budgets.roll(date(2026, 11, 30))
    assert set(budgets.now()) - shown == {"user:ana"}
    budgets.roll(date(2026, 12, 1))
    assert set(budgets.now()) == shown


async def test_the_tokens_of_today_are_added_up_at_the_start(settings: LedgerSettings, clock: Clock) -> None:
    """By key, user, tag and target: what was used before the day began does not count."""
    for number, moment in enumerate((NOON - DAY, NOON)):
        clock.now = moment
        ledger = Ledger(settings, wall=clock)
        await ledger.open()
        receipt = make_receipt(f"r{number}", received_at=moment, user="ana", tags=("slow",))
        await ledger.receive(receipt, None)
        usage = Usage(input=10, input_cached=5, output=3, reasoning=2)
        await ledger.settle(make_settlement(f"r{number}", settled_at=moment, target="home", usage=usage))
        await ledger.close()
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    assert ledger.tokens_today() == {
        (Scope.KEY, "laptop"): 20,
        (Scope.USER, "ana"): 20,
        (Scope.TAG, "slow"): 20,
        (Scope.TARGET, "home"): 20,
    }
    await ledger.close()


async def test_two_requests_at_once_do_not_share_the_last_dollar(settings: LedgerSettings, clock: Clock) -> None:
    """One gets the money; the other's receipt stands without a reservation and names the budget, over a restart too."""
    settings = msgspec.structs.replace(settings, day_limit_usd=0.0008)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    answers = await asyncio.gather(*(ledger.receive(make_receipt(f"r{number}"), CLOUD) for number in range(5)))
    assert sorted(answer or "" for answer in answers) == ["", "day", "day", "day", "day"]
    assert await ledger.reserve("r1", CLOUD) == "day"
    assert ledger.budgets()["day"].spent == pytest.approx(0.0005)
    await ledger.close()
    again = Ledger(settings, wall=clock)
    await again.open()
    assert again.orphans == 5
    assert again.budgets()["day"].spent == pytest.approx(0.0005), "what was set aside may have been spent"
    assert await again.receive(make_receipt("later"), CLOUD) == "day"
    clock.now += DAY
    assert await again.receive(make_receipt("tomorrow"), CLOUD) is None
    await again.close()


async def test_a_reservation_is_replaced_by_what_it_cost(settings: LedgerSettings, clock: Clock) -> None:
    """A cheap answer makes room for the next."""
    ledger = Ledger(msgspec.structs.replace(settings, key_limits_usd={"laptop": 0.0006}), wall=clock)
    await ledger.open()
    assert await ledger.receive(make_receipt("a"), CLOUD) is None
    assert await ledger.receive(make_receipt("b"), CLOUD) == "key:laptop"
    assert await ledger.receive(make_receipt("other", key="phone"), CLOUD) is None
    await ledger.settle(make_settlement("a", target="big", zone=Zone.CLOUD, cost_micros=10))
    assert await ledger.receive(make_receipt("c"), CLOUD) is None
    await ledger.close()

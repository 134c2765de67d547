"""What was spent today, this month and by key, with money set aside counting from admission on."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.labels import Zone
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
    budgets = Budgets(day=None, month=None, keys={}, today=date(2026, 11, 23))
    held: dict[str, int] = {}
    settled = 0
    for what, number, micros in steps:
        request = f"r{number}"
        key = f"k{number % 2}"
        match what:
            case "hold":
                budgets.hold(request, key, micros)
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

"""Savings over time: what the chart draws, and the day on which the hardware is paid back."""

from datetime import UTC, date, datetime, timedelta, tzinfo

import pytest

from gateway.console.door import Visitor
from gateway.console.views.savings import Savings as SavingsView
from gateway.console.views.savings import chart, payback
from gateway.console.views.view import Ask
from gateway.console.words import Words
from gateway.core.record import Savings

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("price", "earned", "pace", "done", "day"),
    [
        (3_000, 1_000, 100.0, False, date(2026, 12, 19)),
        (3_000, 2_999, 100.0, False, date(2026, 11, 30)),
        (3_000, 3_000, 100.0, True, None),
        (3_000, 1_000, 0.0, False, None),
        (3_000, -500, -1.0, False, None),
        (10**15, 1, 0.001, False, None),  # in more than a hundred years: nobody waits for that
    ],
)
def test_the_day_on_which_the_hardware_is_paid_back(price, earned, pace, done, day) -> None:
    """What is missing, at the pace of lately; nothing is promised where nothing is earned."""
    found = payback(price, earned, pace, TODAY)
    assert (found.done, found.day) == (done, day)
    assert 0 <= found.share <= 1


def test_the_chart_adds_up_or_shows_each_day() -> None:
    """The line of the cloud has what was avoided and what was paid; money in the display currency."""
    days = [
        (date(2026, 11, 1), Savings(avoided_micros=2_000_000, cloud_micros=1_000_000, electricity_micros=500_000)),
        (date(2026, 11, 2), Savings(avoided_micros=4_000_000)),
    ]
    each = chart(days, summed=False, rate=0.5)
    assert (each["cloud"], each["paid"], each["electricity"]) == ([1.5, 2.0], [0.5, 0.0], [0.25, 0.0])
    assert each["days"] == [1_793_491_200.0, 1_793_577_600.0]
    assert chart(days, summed=True, rate=0.5)["cloud"] == [1.5, 3.5]


class Ledger:
    """Source of days that says which it was asked for."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def begins(self) -> float | None:
        """Say when the oldest request arrived."""
        return 1_793_500_000.0  # 2026-11-01

    def savings_by_day(self, since: float, until: float, zone: tzinfo | None) -> list[tuple[date, Savings]]:
        """Return a million micro-dollars for each day."""
        self.asked.append(since)
        first, last = (datetime.fromtimestamp(at, zone).date() for at in (since, until))
        days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
        return [(day, Savings(avoided_micros=1_000_000, electricity_micros=100_000, requests=1)) for day in days]


async def test_days_that_change_no_more_are_read_once() -> None:
    """A second look reads yesterday and today alone, and shows the same sums; what nobody used is an empty day."""
    now = [1_795_953_600.0]  # 2026-11-29 12:00
    ledger = Ledger()
    view = SavingsView(ledger, reference_model="", hardware_usd=100.0, zone=UTC, wall=lambda: now[0])
    words = Words("en", currency="USD", rate=1)
    ask = Ask(visitor=Visitor(caller=None, may_look=True), words=words, query={"days": "90"})
    seen = []
    for _ in range(2):
        shown = await view.show(ask)
        seen.append(shown.values)
    assert seen[0] == seen[1]
    assert ledger.asked == [1_793_500_000.0, datetime(2026, 11, 28, tzinfo=UTC).timestamp()]
    assert seen[0]["total"] == Savings(avoided_micros=29_000_000, electricity_micros=2_900_000, requests=29)
    paid = seen[0]["payback"]
    assert (paid.earned, paid.pace, paid.day) == (26_100_000, 900_000, date(2027, 2, 20))
    now[0] += 3 * 86_400
    later = await view.show(ask)
    assert later.values["total"].requests == 32
    assert len(later.values["past"]) == 90

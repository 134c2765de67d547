"""Savings over time: what clouds would have cost, what was paid, electricity, and the day the hardware is paid back."""

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import accumulate
from typing import Protocol, TypeAlias

import msgspec

from gateway.console.views.view import Ask, Shown
from gateway.core.record import Savings as Money
from gateway.core.usage import MICROS
from gateway.ledger.reading.reports import added

Day: TypeAlias = tuple[date, Money]
PERIODS = (7, 30, 90, 365)
_PACE_DAYS = 30
_LONGEST_DAYS = 100 * 365


class DailyMoney(Protocol):
    """Source of the money of past days."""

    def savings_by_day(self, since: float, until: float, zone: tzinfo | None) -> list[Day]:
        """Return the money of each day of a period."""

    def begins(self) -> float | None:
        """Return when the oldest request arrived."""


class Payback(msgspec.Struct, frozen=True, kw_only=True):
    """How far the hardware is paid back. Money in micro-dollars."""

    price: int
    earned: int  # avoided by local answers, less electricity, since the ledger begins
    pace: float  # the same of one day, lately
    day: date | None  # when it is paid back at that pace; None: not at all, or already

    @property
    def done(self) -> bool:
        """Return whether it is paid back."""
        return self.earned >= self.price

    @property
    def share(self) -> float:
        """Return the share that is paid back, 0 to 1."""
        return min(1.0, max(0.0, self.earned / self.price)) if self.price else 1.0


def payback(price: int, earned: int, pace: float, today: date) -> Payback:
    """Return how far the hardware is paid back, and when it will be if things go on as lately. Micro-dollars."""
    day: date | None = None
    if earned < price and pace > 0:
        days = math.ceil((price - earned) / pace)
        day = today + timedelta(days=days) if days <= _LONGEST_DAYS else None
    return Payback(price=price, earned=earned, pace=pace, day=day)


def earned_of(money: Money) -> int:
    """Return what local answers saved before the hardware's loss of value, in micro-dollars."""
    return money.avoided_micros - money.electricity_micros


def chart(days: Sequence[Day], *, summed: bool, rate: float) -> dict[str, list[float]]:
    """Return the series of the chart in the display currency; `summed`: each day with all days before it."""

    def series(micros: Sequence[int]) -> list[float]:
        values = accumulate(micros) if summed else micros
        return [round(value / MICROS * rate, 6) for value in values]

    return {
        "days": [datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() for day, _ in days],
        "cloud": series([money.avoided_micros + money.cloud_micros for _, money in days]),
        "paid": series([money.cloud_micros for _, money in days]),
        "electricity": series([money.electricity_micros for _, money in days]),
    }


class Savings:
    """The view of savings over time."""

    def __init__(
        self,
        money: DailyMoney,
        *,
        reference_model: str,
        hardware_usd: float | None,
        zone: tzinfo | None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._money = money
        self._reference = reference_model
        self._hardware = hardware_usd
        self._zone = zone
        self._wall = wall
        self._known: list[Day] = []

    async def show(self, ask: Ask) -> Shown:
        """Return the page."""
        days = _number(ask.query.get("days", ""), PERIODS[1])
        days = days if days in PERIODS else PERIODS[1]
        summed = ask.query.get("shown") != "day"
        price = self._price(ask.query.get("hardware", ""), ask.words.rate)
        past, total, paid = await asyncio.to_thread(self._read, int(days), price)
        series = chart(past, summed=summed, rate=ask.words.rate)
        say = ask.words.say
        names = [say("All in the cloud"), say("Paid to clouds"), say("Electricity")]
        return Shown(
            template="savings.html",
            title="Savings",
            values={
                "days": int(days),
                "periods": PERIODS,
                "summed": summed,
                "past": past[::-1],
                "total": total,
                "payback": paid,
                "electricity": total.electricity_micros or None,
                "hardware": "" if price is None else f"{price / MICROS * ask.words.rate:.2f}".removesuffix(".00"),
                "reference": self._reference,
                "series": json.dumps(series | {"names": names, "day": say("Day"), "currency": ask.words.currency}),
            },
        )

    def _read(self, days: int, price: int | None) -> tuple[list[Day], Money, Payback | None]:
        now = self._wall()
        today = datetime.fromtimestamp(now, UTC).astimezone(self._zone).date()
        past = self._past(now, today)
        by_day = dict(past)
        shown = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
        asked = [(day, by_day.get(day, Money())) for day in shown]
        total = added(*(money for _, money in asked))
        if price is None or not past:
            return asked, total, None
        lately = min(_PACE_DAYS, (today - past[0][0]).days + 1)
        recent = [earned_of(money) for day, money in past if day > today - timedelta(days=lately)]
        earned = sum(earned_of(money) for _, money in past)
        return asked, total, payback(price, earned, sum(recent) / lately, today)

    def _past(self, now: float, today: date) -> list[Day]:
        """Return all days since the ledger begins. Those before yesterday change no more, so they are read once."""
        known = self._known
        if known:
            day = known[-1][0] + timedelta(days=1)
            since = datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp()
        else:
            begins = self._money.begins()
            if begins is None:
                return []
            since = begins
        fresh = self._money.savings_by_day(since, now + 1, self._zone)
        self._known = [*known, *((day, money) for day, money in fresh if day < today - timedelta(days=1))]
        return [*known, *fresh]

    def _price(self, asked: str, rate: float) -> int | None:
        """Return what the hardware cost in micro-dollars: as asked in the display currency, else as configured."""
        amount = _number(asked.replace(",", "."), 0.0)
        if amount > 0:
            return round(amount / rate * MICROS)
        return None if not self._hardware else round(self._hardware * MICROS)


def _number(text: str, otherwise: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return value if math.isfinite(value) and abs(value) < 1e9 else otherwise

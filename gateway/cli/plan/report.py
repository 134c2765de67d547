"""A whole plan: every card with its estimate, every cloud with its price."""

from typing import Any

import msgspec

from gateway.cli.plan.estimate import Fit, Load, Place, Speed, Subject, Wish, Work, fit, speed, work
from gateway.cli.plan.money import DAYS, CloudCost, cloud_cost, months_until_paid
from gateway.cli.plan.words import advised
from gateway.observe.prices.price_list import PriceList
from gateway.setup.known_cards import known_cards


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Money in `currency`, of which a US dollar is `rate`."""

    subject: Subject
    places: tuple[Place, ...]
    load: Load
    wish: Wish
    clouds: tuple[str, ...]
    tariff: float | None
    hardware: tuple[float, ...]
    """One price for each card; empty: not asked."""
    currency: str
    rate: float
    hours_on: float


class PlannedCard(msgspec.Struct, frozen=True, kw_only=True):
    """One card, or several together. `payback`: months by cloud; None: never."""

    place: Place
    fit: Fit
    speed: Speed
    work: Work
    electricity_month: float | None
    million: float | None
    hardware: float | None
    payback: dict[str, float | None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is shown."""

    wanted: Wanted
    cards: tuple[PlannedCard, ...]
    clouds: tuple[CloudCost, ...]
    cards_date: str
    prices_time: float | None


def planned(wanted: Wanted, now: float) -> Plan:
    """Compute the plan with the prices of that moment (Unix seconds)."""
    prices = PriceList()
    clouds = []
    for model in wanted.clouds:
        listed = prices.find(model)
        price = listed.price(now) if listed is not None else None
        provider = listed.provider if listed is not None else ""
        clouds.append(cloud_cost(model, provider, price, wanted.load, wanted.rate))
    hardware = wanted.hardware or (None,) * len(wanted.places)
    cards = [_card(wanted, place, price, clouds) for place, price in zip(wanted.places, hardware, strict=True)]
    return Plan(
        wanted=wanted,
        cards=tuple(cards),
        clouds=tuple(clouds),
        cards_date=known_cards().date,
        prices_time=prices.timestamp,
    )


def _card(wanted: Wanted, place: Place, hardware: float | None, clouds: list[CloudCost]) -> PlannedCard:
    pace = speed(wanted.subject, place, wanted.wish)
    day = work(place, pace, wanted.load, wanted.hours_on)
    month = None if wanted.tariff is None else day.kwh * wanted.tariff * DAYS
    tokens = (wanted.load.prompt + wanted.load.answer) * DAYS
    lies = fit(wanted.subject, place, wanted.wish)
    payback = {
        cloud.model: months_until_paid(hardware, cloud.month, month)
        for cloud in clouds
        if hardware is not None and month is not None and cloud.month is not None and lies.fits
    }
    return PlannedCard(
        place=place,
        fit=lies,
        speed=pace,
        work=day,
        electricity_month=month,
        million=None if month is None else month / tokens * 1e6,
        hardware=hardware,
        payback=payback,
    )


def as_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain data."""
    wanted = plan.wanted
    return {
        "model": wanted.subject.name,
        "measured": False,
        "tokens_per_day": {"prompt": wanted.load.prompt, "answer": wanted.load.answer},
        "currency": wanted.currency,
        "usd_rate": wanted.rate,
        "tariff": wanted.tariff,
        "cards": [
            {
                "card": one.place.title,
                "fits": one.fit.fits,
                "need_bytes": one.fit.need,
                "room_bytes": one.fit.room,
                "context": one.fit.context,
                "slots": one.fit.slots,
                "advice": None if one.fit.advice is None else advised(one.fit.advice),
                "tokens_per_second": msgspec.to_builtins(one.speed),
                "hours_per_day": msgspec.to_builtins(one.work.hours),
                "requests_at_once": one.work.at_once,
                "watts": {"at_work": one.place.watts_at_work, "idle": one.place.watts_idle},
                "kwh_per_day": one.work.kwh,
                "electricity_per_month": one.electricity_month,
                "electricity_per_million_tokens": one.million,
                "hardware": one.hardware,
                "months_until_paid_back": one.payback,
            }
            for one in plan.cards
        ],
        "clouds": [msgspec.to_builtins(cloud) for cloud in plan.clouds],
    }

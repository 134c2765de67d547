"""What a plan costs beside clouds, and when hardware is paid back. Pure; money in the currency of the plan."""

import msgspec

from gateway.cli.plan.estimate import Load
from gateway.observe.prices.price_list import Price

DAYS = 365 / 12  # of a month


class CloudCost(msgspec.Struct, frozen=True, kw_only=True):
    """What the same tokens cost at a cloud. None: the price list does not know the model."""

    model: str
    provider: str = ""
    month: float | None = None
    million: float | None = None  # tokens, prompts and answers as they are mixed


def cloud_cost(model: str, provider: str, price: Price | None, load: Load, rate: float) -> CloudCost:
    """Return what a month's tokens cost at a cloud; nothing of them comes from its cache.

    `rate`: what a US dollar is in the plan's currency.
    """
    if price is None:
        return CloudCost(model=model)
    day = (load.prompt * price.rates.input + load.answer * price.rates.output) / 1e12 * rate
    million = day / (load.prompt + load.answer) * 1e6
    return CloudCost(model=model, provider=provider, month=day * DAYS, million=million)


def months_until_paid(hardware: float, cloud_month: float, electricity_month: float) -> float | None:
    """Return after how many months the cloud would have cost as much; None: never."""
    saved = cloud_month - electricity_month
    return hardware / saved if saved > 0 else None

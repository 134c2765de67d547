"""Budgets as limits: which cloud targets a request may still afford, and what its sender is told. Pure.

The ledger asks the same question once more when it sets the money aside: then nobody else can take it.
"""

from collections.abc import Mapping
from datetime import datetime

from gateway.core.errors import BudgetSpent
from gateway.core.snapshot import Budget
from gateway.policy.evaluation.decision import Refusal

# Sums of floats: a price that is exactly what is left must fit.
_NOISE = 1e-9

Limits = tuple[tuple[str, float, bool], ...]  # name, what is left, whether an unknown price may draw on it


def names_for(key: str) -> tuple[str, ...]:
    """Return the names of the budgets that a request with this key draws on.

    The one that is renewed last comes first.
    """
    return ("month", f"key:{key}", "day")


def limits(budgets: Mapping[str, Budget], key: str) -> Limits:
    """Return what is left of each budget that has a limit, in US dollars."""
    found: list[tuple[str, float, bool]] = []
    for name in names_for(key):
        budget = budgets.get(name)
        if budget is not None and budget.limit is not None:
            found.append((name, budget.limit - budget.spent, budget.unpriced))
    return tuple(found)


def in_the_way(left: Limits, price: float | None) -> str | None:
    """Return the first budget that does not allow for `price` dollars; None: all do.

    Where no price is known none with a limit does, unless the owner permits it: then as long as anything is left.
    """
    for name, rest, unpriced in left:
        if price is None:
            if rest <= _NOISE or not unpriced:
                return name
        elif price > max(rest, 0.0) + _NOISE:
            return name
    return None


def budget_refusal(name: str, budget: Budget, price: float | None, now: datetime | None) -> Refusal:
    """Word the refusal: which budget, what is left, when it begins anew, and what helps."""
    left = max((budget.limit or 0.0) - budget.spent, 0.0)
    if price is None and left > 0 and not budget.unpriced:
        return Refusal(
            code=BudgetSpent.code,
            message=f"What this request would cost is not known, so {_titled(name)} does not allow for it. "
            "Whoever runs this gateway can name the model's rate (prices.overrides) or permit unknown prices "
            "(budgets.unpriced).",
            status=BudgetSpent.status,
        )
    what = f"{_dollars(left)} of {_dollars(budget.limit or 0.0)} are left of {_titled(name)}"
    asked = f", and this request could cost up to {_dollars(price)}" if price is not None else ""
    when = f" It begins anew on {budget.resets:%Y-%m-%d at %H:%M %Z}." if budget.resets else ""
    helps = " A lower max_tokens costs less." if price is not None and left > 0 else ""
    wait = (budget.resets - now).total_seconds() if budget.resets is not None and now is not None else None
    return Refusal(
        code=BudgetSpent.code,
        message=f"{what}{asked}.{when}{helps}",
        status=BudgetSpent.status,
        retry_after=None if wait is None else max(1.0, wait),
    )


def _titled(name: str) -> str:
    match name:
        case "day":
            return "today's budget for clouds"
        case "month":
            return "this month's budget for clouds"
        case _:
            return "this API key's budget for clouds of this month"


def _dollars(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.4f}"

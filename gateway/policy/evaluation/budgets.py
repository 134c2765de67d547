"""Budgets as limits: which cloud targets a request may still afford, and what its sender is told. Pure.

The ledger asks the same question once more when it sets the money aside: then nobody else can take it.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from gateway.core.errors import BudgetSpent
from gateway.core.limits import is_daily
from gateway.core.snapshot import Budget
from gateway.policy.evaluation.decision import Refusal

# Sums of floats: a price that is exactly what is left must fit.
_NOISE = 1e-9

Limits = tuple[tuple[str, float, bool], ...]  # name, what is left, whether an unknown price may draw on it


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of the budgets that a request draws on: wherever it goes, and at single targets besides."""

    shared: Limits = ()
    targets: Mapping[str, Limits] = {}

    def __bool__(self) -> bool:
        return bool(self.shared or self.targets)

    def of(self, target: str) -> Limits:
        """Return what is left where this target answers."""
        own = self.targets.get(target)
        return self.shared if own is None else self.shared + own


NOTHING_LIMITED = Left()


def limits(budgets: Mapping[str, Budget], key: str, tags: Collection[str] = ()) -> Left:
    """Return what is left of each budget that has a limit, in US dollars. What is renewed last comes first."""
    found: list[tuple[str, float, bool]] = []
    targets: dict[str, Limits] = {}
    for name, budget in budgets.items():
        if budget.limit is None:
            continue
        scope, _, of = name.partition(":")
        left = (name, budget.limit - budget.spent, budget.unpriced)
        match scope.removesuffix("_day"):
            case "target":
                targets[of] = (*targets.get(of, ()), left)
            case "key" if of != key:
                continue
            case "tag" if of not in tags:
                continue
            case _:
                found.append(left)
    if not found and not targets:
        return NOTHING_LIMITED
    if len(found) > 1:
        found.sort(key=lambda one: is_daily(one[0]))
    return Left(shared=tuple(found), targets=targets)


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
    scope, _, of = name.partition(":")
    when = "today" if is_daily(name) else "this month"
    match scope.removesuffix("_day"):
        case "day":
            return "today's budget for clouds"
        case "month":
            return "this month's budget for clouds"
        case "user":
            return f"your budget for clouds of {when}"
        case "tag":
            return f"the budget for clouds of the tag {of!r} of {when}"
        case "target":
            return f"the budget of {of!r} of {when}"
        case _:
            return f"this API key's budget for clouds of {when}"


def _dollars(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.4f}"

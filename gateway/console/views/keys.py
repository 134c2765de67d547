"""API keys, what each may do and what it used, and the budgets. Read only: the configuration and commands set keys."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from gateway.console.views.view import Ask, Shown
from gateway.core.limits import Limits, Scope
from gateway.core.snapshot import Budget
from gateway.ledger.reading.reports import NOBODY, GroupBy, Sums
from gateway.pipeline.rate_limits import UsedLimit

_MONTH = 30 * 86_400


class KeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A key of the configuration, or one that a command made. Never its secret."""

    name: str
    user: str | None
    source: str  # env, file, ledger: where its secret comes from; the ledger has a digest of it
    tags: tuple[str, ...]
    models: tuple[str, ...] | None  # None: every model
    admin: bool
    metrics: bool
    front_end: bool = False
    limits: Limits = Limits()
    expires_at: float | None = None
    revoked: bool = False


class Used(Protocol):
    """Source of what keys used."""

    def groups(self, by: GroupBy, since: float, until: float) -> list[Sums]:
        """Return sums by group."""


def limits_of(budgets: Mapping[str, Budget]) -> dict[str, Budget]:
    """Return the budgets that have a limit or from which something was spent; of users, who are many, if both hold."""

    def shown(name: str, budget: Budget) -> bool:
        limited, spent = budget.limit is not None, bool(budget.spent)
        return (limited and spent) if name.startswith(f"{Scope.USER}") else (limited or spent)

    return {name: one for name, one in budgets.items() if shown(name, one)}


class KeyList:
    """The view of keys and budgets."""

    def __init__(
        self,
        keys: Callable[[], Sequence[KeyLine]],
        used: Used,
        budgets: Callable[[], Mapping[str, Budget]],
        rates: Callable[[], Sequence[UsedLimit]] = tuple,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._used = used
        self._budgets = budgets
        self._rates = rates
        self._wall = wall

    async def show(self, ask: Ask) -> Shown:
        """Return the page."""
        now = self._wall()
        sums, users = await asyncio.to_thread(self._sums, now)
        used = {one.name: one for one in sums}
        keys = self._keys()
        names = {key.name for key in keys}
        return Shown(
            template="keys.html",
            title="Keys and budgets",
            values={
                "keys": keys,
                "now": now,
                "used": used,
                "others": [one for one in sums if one.name not in names],
                "users": users,
                "rates": self._rates(),
                "limits": limits_of(self._budgets()),
            },
        )

    def _sums(self, now: float) -> tuple[list[Sums], list[Sums]]:
        """Return what each key and each known user used."""
        by_key, by_user = (self._used.groups(by, now - _MONTH, now + 60) for by in (GroupBy.APP, GroupBy.USER))
        return by_key, [one for one in by_user if one.name != NOBODY]

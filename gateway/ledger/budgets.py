"""What was spent in the running day and month, by memory alone. Pure: the caller brings dates and money.

A request counts at its upper estimate from the moment it is admitted until it is settled; then at what it cost.
INVARIANT: `hold` looks and takes in one step, so that many requests at once can't spend the same dollar.
"""

import functools
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from types import MappingProxyType

from gateway.core.limits import Account, is_daily
from gateway.core.snapshot import Budget
from gateway.core.usage import MICROS

_CALLERS = 4096  # whose accounts are remembered
_MONTH = Account(name="month", told="month")
_DAY = Account(name="day", told="day")
_NOBODY: Mapping[str, float] = MappingProxyType({})


class Budgets:
    """Running totals of spending in micro-dollars. Owned by the ledger, rebuilt from the database at start.

    Every request draws on `day`, `month` and `key:<name>` (by month), and on the accounts that come with it.
    """

    def __init__(
        self,
        *,
        day: float | None,
        month: float | None,
        keys: Mapping[str, float],
        today: date,
        zone: tzinfo | None = None,
        unpriced_allowed: bool = False,
        limits: Mapping[str, float] = _NOBODY,
    ) -> None:
        """Begin with nothing spent. `limits` are those of further accounts by name, in US dollars."""
        self._unpriced_allowed = unpriced_allowed
        self._exhausted = False
        self._limits: dict[str, float | None] = {"day": day, "month": month}
        self._limits |= {f"key:{name}": limit for name, limit in keys.items()}
        self._limits |= limits
        self._brought: dict[str, float] = {}  # limits that came with requests, of whoever has spent something
        self._whole = {name: round(limit * MICROS) for name, limit in self._limits.items() if limit is not None}
        self._zone = zone
        self._today = today
        self._resets = self._next(today)
        self._spent: dict[str, int] = {}
        self._held: dict[str, int] = {}
        self._holders: dict[str, list[tuple[str, int]]] = {}  # request → account, micro-dollars

    def roll(self, today: date) -> None:
        """Begin a new day or month at 0. A clock that jumps back does not bring a spent budget back."""
        if today <= self._today:
            return
        if (today.year, today.month) != (self._today.year, self._today.month):
            self._spent.clear()
            self._brought.clear()
        else:
            for sums in (self._spent, self._brought):
                for name in [name for name in sums if is_daily(name)]:
                    del sums[name]
        self._today = today
        self._resets = self._next(today)

    def hold(self, request_id: str, key: str, micros: int | None, accounts: Sequence[Account] = ()) -> str | None:
        """Set money aside and return None, or return the budget that does not allow for it and set nothing aside.

        A second time for the same request adds up. `micros` None: it costs an unknown sum, which no limit allows for,
        unless that was permitted; then as long as anything is left.
        """
        drawn = drawn_on(key, accounts)
        for account in drawn:
            used = self._spent.get(account.name, 0) + self._held.get(account.name, 0)
            if self.forbids(account, used, micros):
                return account.told
        if micros:
            holder = self._holders.setdefault(request_id, [])
            for account in drawn:
                self._held[account.name] = self._held.get(account.name, 0) + micros
                self._show(account)
                holder.append((account.name, micros))
        return None

    def release(self, request_id: str) -> None:
        """Give back what was set aside for a request that was never admitted."""
        for name, micros in self._holders.pop(request_id, ()):
            self._held[name] -= micros
            if not self._held[name]:
                del self._held[name]

    def settle(self, request_id: str, key: str, micros: int, accounts: Sequence[Account] = ()) -> None:
        """Replace what was held by what it cost."""
        self.release(request_id)
        self.spend(key, micros, accounts=accounts)

    def spend(self, key: str, micros: int, *, today: bool = True, accounts: Sequence[Account] = ()) -> None:
        """Count money that was spent this month, and today unless told otherwise."""
        if not micros:
            return
        for account in drawn_on(key, accounts):
            if today or not account.daily:
                self._spent[account.name] = self._spent.get(account.name, 0) + micros
                self._show(account)

    def limit_of(self, account: Account) -> int | None:
        """Return an account's limit in micro-dollars: the one that the request brings, else the configured one."""
        return self._whole.get(account.name) if account.limit is None else account.limit

    def forbids(self, account: Account, used: int, micros: int | None) -> bool:
        """Return whether an account does not allow for so much more. `micros` None: for an unknown sum."""
        limit = self.limit_of(account)
        if limit is None or micros == 0:
            return False
        if self._exhausted:
            return True
        return (used >= limit or not self._unpriced_allowed) if micros is None else used + micros > limit

    def mirror(self, spent: Mapping[str, int], held: Mapping[str, int], names: set[str] | None) -> None:
        """Show what a shared database says of these accounts; None: of all. Called in the writer's thread."""
        if names is None:
            self._spent, self._held = dict(spent), dict(held)
            return
        for whole, part in ((self._spent, spent), (self._held, held)):
            for name in names:
                whole[name] = part.get(name, 0)

    def exhaust(self) -> None:
        """Count everything as spent, in this period and in later ones: nobody knows what was."""
        self._exhausted = True

    def limited(self) -> set[str]:
        """Return the names of the accounts that have a limit in the configuration."""
        return set(self._whole)

    def spent(self) -> Mapping[str, int]:
        """Return what was spent, without what is set aside, in micro-dollars."""
        return self._spent

    def is_limited(self, name: str) -> bool:
        """Return whether the account of this name has a limit in the configuration."""
        return name in self._whole

    def now(self) -> Mapping[str, Budget]:
        """Return every budget by name: `day`, `month`, and all accounts with a limit, or with spending this month."""
        spent, held = dict(self._spent), dict(self._held)  # copied at once: metrics look from another thread
        limits = self._limits | dict(self._brought)
        seen = (name for name in spent.keys() | held.keys() if not is_daily(name))
        return {
            name: self._budget(spent.get(name, 0) + held.get(name, 0), limits.get(name), daily=is_daily(name))
            for name in sorted({*limits, *seen})
        }

    def drawn(self, key: str, accounts: Sequence[Account]) -> Mapping[str, Budget]:
        """Return the budgets that a request draws on, by the names that are told.

        They are `day`, `month`, and all others with a limit, or with spending this month.
        """
        found: dict[str, Budget] = {}
        for account in drawn_on(key, accounts):
            limit = self.limit_of(account)
            micros = self._spent.get(account.name, 0) + self._held.get(account.name, 0)
            if micros:
                self._show(account)
            if limit is not None or account in (_DAY, _MONTH) or (micros and not account.daily):
                usd = None if limit is None else limit / MICROS
                found[account.told] = self._budget(micros, usd, daily=account.daily)
        return found

    def _show(self, account: Account) -> None:
        """Remember the limit that a request brings along. INVARIANT: names that have spent nothing take no memory."""
        if account.limit is not None:
            self._brought[account.name] = account.limit / MICROS

    def _budget(self, micros: int, limit: float | None, *, daily: bool) -> Budget:
        tomorrow, next_month = self._resets
        return Budget(
            spent=max(micros / MICROS, (limit or 0.0) if self._exhausted else 0.0),
            limit=limit,
            unpriced=self._unpriced_allowed,
            resets=tomorrow if daily else next_month,
        )

    def _next(self, today: date) -> tuple[datetime, datetime]:
        tomorrow = today + timedelta(days=1)
        month = date(today.year + today.month // 12, today.month % 12 + 1, 1)
        return self._midnight(tomorrow), self._midnight(month)

    def _midnight(self, day: date) -> datetime:
        moment = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return moment if self._zone is not None else moment.astimezone()


def drawn_on(key: str, accounts: Sequence[Account]) -> tuple[Account, ...]:
    """Return all accounts that a request draws on. Those that begin anew last come first."""
    return _drawn_on(key, tuple(accounts))


@functools.lru_cache(_CALLERS)
def _drawn_on(key: str, accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    own = f"key:{key}"
    months = [_MONTH]
    if all(account.name != own for account in accounts):
        months.append(Account(name=own, told=own))
    months += [account for account in accounts if not account.daily]
    return (*months, _DAY, *(account for account in accounts if account.daily))

"""What was spent in the running day and month, by memory alone. Pure: the caller brings dates and money.

A request counts at its upper estimate from the moment it is admitted until it is settled; then at what it cost.
INVARIANT: `hold` looks and takes in one step, so that many requests at once can't spend the same dollar.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo

from gateway.core.snapshot import Budget
from gateway.core.usage import MICROS


class Budgets:
    """Running totals of spending in micro-dollars. Owned by the ledger, rebuilt from the database at start."""

    def __init__(
        self,
        *,
        day: float | None,
        month: float | None,
        keys: Mapping[str, float],
        today: date,
        zone: tzinfo | None = None,
        unpriced_allowed: bool = False,
    ) -> None:
        self._unpriced_allowed = unpriced_allowed
        self._exhausted = False
        self._limits: dict[str, float | None] = {"day": day, "month": month}
        self._limits |= {f"key:{name}": limit for name, limit in keys.items()}
        self._whole = {name: round(limit * MICROS) for name, limit in self._limits.items() if limit is not None}
        self._zone = zone
        self._today = today
        self._resets = self._next(today)
        self._spent: dict[str, int] = {}
        self._held: dict[str, int] = {}
        self._holders: dict[str, tuple[str, int]] = {}  # request → key, micro-dollars

    def roll(self, today: date) -> None:
        """Begin a new day or month at 0. A clock that jumps back does not bring a spent budget back."""
        if today <= self._today:
            return
        if (today.year, today.month) != (self._today.year, self._today.month):
            self._spent.clear()
        else:
            self._spent.pop("day", None)
        self._today = today
        self._resets = self._next(today)

    def hold(self, request_id: str, key: str, micros: int | None) -> str | None:
        """Set money aside and return None, or return the budget that does not allow for it and set nothing aside.

        A second time for the same request adds up. `micros` None: it costs an unknown sum, which no limit allows for,
        unless that was permitted; then as long as anything is left.
        """
        for name in ("month", f"key:{key}", "day"):
            limit = self._whole.get(name)
            if limit is not None and micros != 0:
                used = self._spent.get(name, 0) + self._held.get(name, 0)
                if self._exhausted:
                    return name
                if micros is None:
                    if used >= limit or not self._unpriced_allowed:
                        return name
                elif used + micros > limit:
                    return name
        if micros:
            self._add(key, micros)
            self._holders[request_id] = (key, self._holders.get(request_id, (key, 0))[1] + micros)
        return None

    def release(self, request_id: str) -> None:
        """Give back what was set aside for a request that was never admitted."""
        key, micros = self._holders.pop(request_id, ("", 0))
        if micros:
            self._add(key, -micros)

    def settle(self, request_id: str, key: str, micros: int) -> None:
        """Replace what was held by what it cost."""
        self.release(request_id)
        self.spend(key, micros)

    def spend(self, key: str, micros: int, *, today: bool = True) -> None:
        """Count money that was spent this month, and today unless told otherwise."""
        names = ("day", "month", f"key:{key}") if today else ("month", f"key:{key}")
        for name in names:
            self._spent[name] = self._spent.get(name, 0) + micros

    def exhaust(self) -> None:
        """Count everything as spent, in this period and in later ones: nobody knows what was."""
        self._exhausted = True

    def now(self) -> Mapping[str, Budget]:
        """Every budget by name: `day`, `month`, and `key:<name>` (by month) for keys with a limit or with spending."""
        spent, held = dict(self._spent), dict(self._held)  # copied at once: metrics look from another thread
        tomorrow, next_month = self._resets
        return {
            name: Budget(
                spent=max(
                    (spent.get(name, 0) + held.get(name, 0)) / MICROS,
                    (self._limits.get(name) or 0.0) if self._exhausted else 0.0,
                ),
                limit=self._limits.get(name),
                unpriced=self._unpriced_allowed,
                resets=tomorrow if name == "day" else next_month,
            )
            for name in sorted(self._limits.keys() | spent.keys() | held.keys())
        }

    def _add(self, key: str, micros: int) -> None:
        for name in ("day", "month", f"key:{key}"):
            self._held[name] = self._held.get(name, 0) + micros
        if not self._held[f"key:{key}"]:
            del self._held[f"key:{key}"]

    def _next(self, today: date) -> tuple[datetime, datetime]:
        tomorrow = today + timedelta(days=1)
        month = date(today.year + today.month // 12, today.month % 12 + 1, 1)
        return self._midnight(tomorrow), self._midnight(month)

    def _midnight(self, day: date) -> datetime:
        moment = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return moment if self._zone is not None else moment.astimezone()

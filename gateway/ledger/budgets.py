"""What was spent in the running day and month, by memory alone. Pure: the caller brings dates and money.

A request counts at its upper estimate from the moment it is admitted until it is settled; then at what it cost. So
many requests at once can't spend the same dollar.
"""

from collections.abc import Mapping
from datetime import date

from gateway.core.snapshot import Budget
from gateway.core.usage import MICROS


class Budgets:
    """Running totals in micro-dollars. Owned by the ledger, rebuilt from the database at start."""

    def __init__(self, *, day: float | None, month: float | None, keys: Mapping[str, float], today: date) -> None:
        self._limits: dict[str, float | None] = {"day": day, "month": month}
        self._limits |= {f"key:{name}": limit for name, limit in keys.items()}
        self._today = today
        self._spent: dict[str, int] = {}
        self._held: dict[str, tuple[str, int]] = {}  # request → key, micro-dollars

    def roll(self, today: date) -> None:
        """A new day or month begins at 0. A clock that jumps back does not bring a spent budget back."""
        if today <= self._today:
            return
        if (today.year, today.month) != (self._today.year, self._today.month):
            self._spent.clear()
        else:
            self._spent.pop("day", None)
        self._today = today

    def hold(self, request_id: str, key: str, micros: int) -> None:
        """Set money aside; a second time for the same request adds up."""
        self._held[request_id] = (key, self._held.get(request_id, (key, 0))[1] + micros)

    def release(self, request_id: str) -> None:
        """The request was never admitted."""
        self._held.pop(request_id, None)

    def settle(self, request_id: str, key: str, micros: int) -> None:
        """Replace what was held by what it cost."""
        self._held.pop(request_id, None)
        self.spend(key, micros)

    def spend(self, key: str, micros: int, *, today: bool = True) -> None:
        """Count money that was spent this month, and today unless told otherwise."""
        names = ("day", "month", f"key:{key}") if today else ("month", f"key:{key}")
        for name in names:
            self._spent[name] = self._spent.get(name, 0) + micros

    def now(self) -> Mapping[str, Budget]:
        """Every budget by name: `day`, `month`, and `key:<name>` (by month) for keys with a limit or with spending."""
        held: dict[str, int] = {}
        everything = 0
        for key, micros in list(self._held.values()):  # copied at once: metrics look from another thread
            if micros:
                everything += micros
                held[f"key:{key}"] = held.get(f"key:{key}", 0) + micros
        held["day"] = held["month"] = everything
        spent = dict(self._spent)
        names = self._limits.keys() | spent.keys() | held.keys()
        return {
            name: Budget(
                spent=(spent.get(name, 0) + held.get(name, 0)) / MICROS,
                limit=self._limits.get(name),
            )
            for name in sorted(names)
        }

"""What the status page shows, as plain data: names of the configuration, counts, times and money; no content."""

from collections.abc import Mapping

import msgspec

from gateway.core.record import Savings
from gateway.core.snapshot import Budget
from gateway.observe.readings import Readings


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """Line of one request. `outcome` None: it still runs. Money: avoided if positive, spent if negative."""

    at: float
    app: str
    model: str
    label: str
    label_source: str
    target: str | None
    zone: str | None
    rule: str
    reason: str
    outcome: str | None
    error: str | None
    tokens: int | None
    seconds: float
    money_micros: int | None
    budget: str | None = None  # the budget that kept its first choice out


class TargetRow(msgspec.Struct, frozen=True, kw_only=True):
    """Line of one target."""

    name: str
    zone: str
    model: str
    ceiling: str
    healthy: bool
    held: bool
    failure: str  # why it can't answer, and when it is tried again; empty: it did not fail
    busy: int | None
    slots: int | None
    queue: int | None
    wait: float | None
    speed: float | None


class PageView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the page shows."""

    now: float
    version: str
    digest: str = ""
    keys_renewed: float | None = None  # Unix time at which an API key last got a new secret
    problems: tuple[str, ...] = ()  # whole sentences about the gateway itself
    violations: int = 0
    reference_model: str = ""
    currency: str = "USD"
    rate: float = 1.0
    savings: Savings | None = None
    budgets: Mapping[str, Budget] = {}
    readings: Readings = Readings()
    targets: tuple[TargetRow, ...] = ()
    requests: tuple[RequestRow, ...] = ()

"""The first view: how the gateway is doing, what it saved, what runs, and where the last requests went."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from gateway.console.live import LiveRequest, LiveRequests
from gateway.console.views.keys import limits_of
from gateway.console.views.view import Ask, Shown
from gateway.core.errors import LedgerUnavailable
from gateway.core.record import Savings, Settlement
from gateway.core.snapshot import Budget
from gateway.core.target import Catalog, TargetState
from gateway.observe.long_work import RunningWork
from gateway.observe.readings import Readings

_MONTH = 30 * 86_400
_SAVINGS_SECONDS = 15.0


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """Line of one request. `outcome` None: it still runs. Money: avoided if positive, spent if negative."""

    id: str
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
    share: float | None = None  # of long work that runs, how much is done, 0 to 1; None: nobody knows


class TargetRow(msgspec.Struct, frozen=True, kw_only=True):
    """Line of one target."""

    name: str
    zone: str
    model: str
    ceiling: str
    healthy: bool
    held: bool
    loaded: bool  # False: it is loaded, or its server started, when it is asked for
    loading: float | None  # share of it that is loaded; None: it is not being loaded
    failure: str  # why it can't answer, and when it is tried again; empty: it did not fail
    busy: int | None
    slots: int | None
    queue: int | None
    wait: float | None
    speed: float | None
    servers: int = 0  # that it has, where there are several
    there: int = 0  # of these, those that answer


class OverviewData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the view shows."""

    now: float
    attachments: str = ""  # whether they are read, and how that is held
    problems: tuple[str, ...] = ()  # whole sentences about the gateway itself
    violations: int = 0
    savings: Savings | None = None
    budgets: Mapping[str, Budget] = {}
    readings: Readings = Readings()
    targets: tuple[TargetRow, ...] = ()
    requests: tuple[RequestRow, ...] = ()

    @property
    def down(self) -> list[str]:
        """Return the targets that do not answer."""
        return [target.name for target in self.targets if not target.healthy]

    @property
    def electricity(self) -> int | None:
        """Return what electricity cost, in micro-dollars; None: nothing was measured, or its price is not known."""
        energy = self.readings.energy
        known = bool(energy.joules) and energy.price_per_kwh is not None
        spent = self.savings.electricity_micros if self.savings is not None else 0
        return spent if spent or known else None

    @property
    def limits(self) -> Mapping[str, Budget]:
        """Return the budgets that have a limit, or from which something was spent; of users those with both."""
        return limits_of(self.budgets)


class Overview:
    """The first view. Its parts tell how things are; it owns nothing but sums that it keeps for some seconds."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        live: LiveRequests,
        states: Callable[[], Mapping[str, TargetState]] = dict,
        budgets: Callable[[], Mapping[str, Budget]] = dict,
        readings: Callable[[], Readings] = Readings,
        problems: Callable[[], tuple[str, ...]] = tuple,
        attachments: Callable[[], str] = lambda: "",
        running: Callable[[], Sequence[RunningWork]] = tuple,
        savings: Callable[[float, float], Savings] | None = None,
        reference_model: str = "",
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the parts.

        Args:
            catalog: Targets and aliases of the configuration.
            live: The last requests.
            states: Returns how each target is doing.
            budgets: Returns what was spent, by budget.
            readings: Returns the sampler's last results.
            problems: Returns what is wrong with the gateway as a whole, one sentence for each fault.
            attachments: Says whether attachments are read, and what holds the processes that do it.
            running: Returns the long work that runs, and how far it is.
            savings: Reads the ledger, from and until Unix seconds; None: no savings are shown.
            reference_model: Name of the model that local answers are compared with.
            wall: Returns Unix seconds.
            monotonic: Returns seconds of a clock that never jumps.
        """
        self._catalog = catalog
        self._live = live
        self._states = states
        self._budgets = budgets
        self._readings = readings
        self._problems = problems
        self._attachments = attachments
        self._running = running
        self._savings = savings
        self._reference = reference_model
        self._wall = wall
        self._monotonic = monotonic
        self._known: tuple[float, Savings | None] = (float("-inf"), None)

    async def show(self, ask: Ask) -> Shown:
        """Return the page."""
        data = await asyncio.to_thread(self.data)
        return Shown(template="overview.html", title="Overview", values={"data": data, "reference": self._reference})

    def data(self) -> OverviewData:
        """Return everything that the view shows. Reads the ledger now and then, so it is called in a thread."""
        now = self._wall()
        shares = {work.request_id: work.share for work in self._running()}
        return OverviewData(
            now=now,
            attachments=self._attachments(),
            problems=self._problems(),
            violations=self._live.violations,
            savings=self._recent_savings(now),
            budgets=self._budgets(),
            readings=self._readings(),
            targets=self._targets(),
            requests=tuple(
                self._line(entry, now, shares.get(entry.receipt.request_id)) for entry in self._live.newest()
            ),
        )

    def _recent_savings(self, now: float) -> Savings | None:
        """Return sums over a month of requests, kept for a few seconds because they take a moment."""
        if self._savings is None:
            return None
        if self._monotonic() - self._known[0] > _SAVINGS_SECONDS:
            try:
                self._known = (self._monotonic(), self._savings(now - _MONTH, now + 60))
            except LedgerUnavailable:
                # The page says what is wrong with the ledger by `problems`; it must stand also then.
                self._known = (self._monotonic(), self._known[1])
        return self._known[1]

    def _targets(self) -> tuple[TargetRow, ...]:
        states = self._states()
        now = self._monotonic()
        lines = []
        for name, info in self._catalog.targets.items():
            state = states.get(name, TargetState(healthy=False))
            held = state.open_until is not None and state.open_until > now
            lines.append(
                TargetRow(
                    name=name,
                    zone=info.zone.value,
                    model=info.model.rsplit("/", 1)[-1],
                    ceiling=info.ceiling.word,
                    healthy=state.healthy and not held,
                    held=held,
                    loaded=state.loaded is not False,
                    loading=state.loading,
                    failure=state.failure(datetime.fromtimestamp(self._wall())),
                    busy=state.slots_busy,
                    slots=state.slots_total,
                    queue=state.queue_depth,
                    wait=state.queue_wait_seconds,
                    speed=state.tokens_per_second,
                    servers=len(state.servers),
                    there=sum(server.healthy for server in state.servers),
                )
            )
        return tuple(lines)

    def _line(self, entry: LiveRequest, now: float, share: float | None = None) -> RequestRow:
        receipt, settlement = entry.receipt, entry.settlement
        target = settlement.target if settlement is not None else next(iter(receipt.permitted), None)
        info = self._catalog.targets.get(target) if target is not None else None
        usage = settlement.usage if settlement is not None else None
        return RequestRow(
            id=receipt.request_id,
            at=receipt.received_at,
            app=receipt.key,
            model=receipt.model,
            label=receipt.label.word,
            label_source=receipt.label_source,
            target=target,
            zone=info.zone.value if info is not None else None,
            rule=receipt.rule,
            reason=entry.reason,
            outcome=settlement.outcome.value if settlement is not None else None,
            error=(settlement.error if settlement is not None else None) or receipt.refusal,
            tokens=None if usage is None else usage.prompt_tokens + usage.completion_tokens,
            seconds=settlement.duration_seconds if settlement is not None else max(0.0, now - receipt.received_at),
            money_micros=_money(settlement),
            budget=receipt.budget,
            share=share,
        )


def _money(settlement: Settlement | None) -> int | None:
    """Return what a request spent (negative) or avoided (positive), in micro-dollars."""
    if settlement is None or settlement.target is None:
        return None
    if settlement.avoided_micros is not None:
        return settlement.avoided_micros
    return -settlement.cost_micros if settlement.cost_micros else None

"""The status page: an observer that remembers the last requests, and the view that `html` draws from it.

No content: names of the configuration, counts, times and money. Keeps a bounded number of requests in memory.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.core.events import Decided, Event, FellBack, FirstToken, Gaps, Settled, ViolationStopped
from gateway.core.record import Receipt, Savings, Settlement
from gateway.core.snapshot import Budget
from gateway.core.target import Catalog, TargetState
from gateway.observe.page.html import SCRIPT, html
from gateway.observe.page.view import PageView, RequestRow, TargetRow
from gateway.observe.readings import Readings

_SCRIPT_HASH = b64encode(sha256(SCRIPT.encode()).digest()).decode()
# Only our own style and our own script, nothing from elsewhere, nothing framed.
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": f"default-src 'none'; script-src 'sha256-{_SCRIPT_HASH}'; connect-src 'self'; "
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)
_REMEMBERED = 60
_MONTH = 30 * 86_400
_SAVINGS_SECONDS = 15.0


class PageEntry(msgspec.Struct, kw_only=True):
    """One request that the page remembers."""

    receipt: Receipt
    reason: str
    settlement: Settlement | None = None


class Page:
    """Observer that remembers the last requests. `on` hears events on the loop; `render` is called in a thread."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        version: str,
        states: Callable[[], Mapping[str, TargetState]] = dict,
        budgets: Callable[[], Mapping[str, Budget]] = dict,
        readings: Callable[[], Readings] = Readings,
        problems: Callable[[], tuple[str, ...]] = tuple,
        digest: Callable[[], str] = lambda: "",
        keys_renewed: Callable[[], float | None] = lambda: None,
        savings: Callable[[float, float], Savings] | None = None,
        reference_model: str = "",
        currency: str = "USD",
        rate: float = 1.0,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with no requests.

        Args:
            catalog: Targets and aliases of the configuration.
            version: The gateway's version.
            states: Returns how each target is doing.
            budgets: Returns what was spent, by budget.
            readings: Returns the sampler's last results.
            problems: Returns what is wrong with the gateway as a whole, one sentence for each fault.
            digest: Returns the digest of the policy in force.
            keys_renewed: Returns when an API key last got a new secret, in Unix seconds; None: not since the start.
            savings: Reads the ledger, from and until Unix seconds; None: the page shows no savings.
            reference_model: Name of the model that local answers are compared with.
            currency: The currency that is shown.
            rate: How much one US dollar is in `currency`.
            wall: Returns Unix seconds.
            monotonic: Returns seconds of a clock that never jumps.
        """
        self._catalog = catalog
        self._version = version
        self._states = states
        self._budgets = budgets
        self._readings = readings
        self._problems = problems
        self._digest = digest
        self._keys_renewed = keys_renewed
        self._savings = savings
        self._reference = reference_model
        self._currency = currency
        self._rate = rate
        self._wall = wall
        self._monotonic = monotonic
        self._entries: dict[str, PageEntry] = {}
        self._violations = 0
        self._known: tuple[float, Savings | None] = (float("-inf"), None)

    def on(self, event: Event) -> None:
        """Remember decisions and how they ended."""
        match event:
            case Decided():
                self._entries[event.receipt.request_id] = PageEntry(receipt=event.receipt, reason=event.reason)
                self._forget()
            case Settled():
                entry = self._entries.get(event.receipt.request_id)
                if entry is not None:
                    entry.settlement = event.settlement
            case ViolationStopped():
                self._violations += 1
            case FirstToken() | Gaps() | FellBack():
                pass

    def render(self) -> str:
        """Return the whole page as HTML."""
        return html(self.view())

    def view(self) -> PageView:
        """Return everything that the page shows."""
        now = self._wall()
        entries = list(self._entries.values())[::-1]
        return PageView(
            now=now,
            version=self._version,
            digest=self._digest(),
            keys_renewed=self._keys_renewed(),
            problems=self._problems(),
            violations=self._violations,
            reference_model=self._reference,
            currency=self._currency,
            rate=self._rate,
            savings=self._recent_savings(now),
            budgets=self._budgets(),
            readings=self._readings(),
            targets=self._targets(),
            requests=tuple(self._line(entry, now) for entry in entries),
        )

    def _forget(self) -> None:
        """Forget the oldest finished request first; running ones stay as long as there is room at all."""
        while len(self._entries) > _REMEMBERED:
            oldest = next((name for name, entry in self._entries.items() if entry.settlement is not None), None)
            if oldest is None and len(self._entries) <= 10 * _REMEMBERED:
                return
            self._entries.pop(oldest if oldest is not None else next(iter(self._entries)))

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
                    failure=state.failure(datetime.fromtimestamp(self._wall())),
                    busy=state.slots_busy,
                    slots=state.slots_total,
                    queue=state.queue_depth,
                    wait=state.queue_wait_seconds,
                    speed=state.tokens_per_second,
                )
            )
        return tuple(lines)

    def _line(self, entry: PageEntry, now: float) -> RequestRow:
        receipt, settlement = entry.receipt, entry.settlement
        target = settlement.target if settlement is not None else next(iter(receipt.permitted), None)
        info = self._catalog.targets.get(target) if target is not None else None
        usage = settlement.usage if settlement is not None else None
        return RequestRow(
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
        )


def _money(settlement: Settlement | None) -> int | None:
    """Return what a request spent (negative) or avoided (positive), in micro-dollars."""
    if settlement is None or settlement.target is None:
        return None
    if settlement.avoided_micros is not None:
        return settlement.avoided_micros
    return -settlement.cost_micros if settlement.cost_micros else None

"""All metrics at one place: what is counted from events, and what is asked for at each scrape.

`on` is called on the event loop and must stay cheap: at most 40 µs a request over all its events, 2 µs a chunk.
`render` is called in a thread. Labels are words of the configuration (see `labels`).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gateway.core.errors import BudgetSpent, ContextLengthExceeded, RateLimited, TargetError
from gateway.core.events import (
    AttachmentRead,
    Began,
    BudgetDenied,
    Compared,
    Decided,
    Event,
    FellBack,
    LimitReached,
    Settled,
    Shadowed,
    ViolationStopped,
)
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome, Settlement
from gateway.core.request import Dialect
from gateway.core.snapshot import Budget
from gateway.core.target import Catalog, TargetState
from gateway.observe.labels import NONE, OTHER, lookup, model_names
from gateway.observe.metrics.families import Families
from gateway.observe.metrics.scraped import scraped
from gateway.observe.readings import Readings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REASONS = ("rule", "otherwise", "only_permitted", "refused")
_LINES = 100
_PAUSE = 0.0001  # seconds; a sleep of 0 gives the interpreter back before a waiting thread has woken up
_STAGES = ("parse", "inspect", "count", "decide", "receipt", "total")
_LOCAL, _CLOUD = Zone.LOCAL.value, Zone.CLOUD.value
_LABELS = {label: label.word for label in Label}
# A failed try that may lead to the next target.
_FAULTS = sorted(
    {
        TargetError.code,
        ContextLengthExceeded.code,
        BudgetSpent.code,
        RateLimited.code,
        *(kind.code for kind in TargetError.__subclasses__()),
    }
)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that are known when the gateway starts, so that every label set begins at 0."""

    catalog: Catalog
    version: str
    reference_model: str
    rules: tuple[str, ...] = ()
    policy_digest: str = ""
    categories: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ("day", "month")
    providers: Mapping[str, str] = {}  # target → provider
    unpriced: frozenset[str] = frozenset()  # targets without a price; local ones when the reference has none
    price_timestamp: float | None = None  # Unix seconds of the price list
    servers: tuple[tuple[str, str], ...] = ()  # (target, server) of targets with several


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Functions to ask at each scrape. They are called in the rendering thread, so they only read."""

    states: Callable[[], Mapping[str, TargetState]] = dict
    budgets: Callable[[], Mapping[str, Budget]] = dict
    readings: Callable[[], Readings] = Readings
    ledger_ok: Callable[[], bool] = lambda: True


class _OneMetric(Collector):
    """One metric, which prometheus_client renders at one go."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        yield self._metric


class Metrics:
    """Observer that counts every event, and renders the exposition."""

    def __init__(self, known: Known, world: World | None = None, *, monotonic: Callable[[], float] = time.monotonic):
        self._known = known
        self._world = world or World()
        self._monotonic = monotonic
        self._models = model_names(known.catalog)
        self._zones = {name: info.zone.value for name, info in known.catalog.targets.items()}
        self._rules = {*known.rules, "otherwise", "-"}
        self._servers = frozenset(known.servers)
        self._digest = known.policy_digest
        self._categories = set(known.categories)
        # INVARIANT: what `Began` adds, the next one of its request or its `Settled` takes away, and nothing else.
        self._in_flight = dict.fromkeys(known.catalog.targets, 0)
        self._at: dict[str, str] = {}  # request → the target that is asked
        self.families = Families(
            models=sorted({(self._zones[name], model) for name, model in self._models.items()}),
            reference_model=known.reference_model,
            clouds=sorted(
                {
                    (known.providers.get(name, OTHER), self._models[name])
                    for name, zone in self._zones.items()
                    if zone == Zone.CLOUD
                }
            ),
            targets=tuple(known.catalog.targets),
            servers=known.servers,
            rules=sorted(self._rules),
            reasons=REASONS,
            faults=_FAULTS,
            stages=_STAGES,
            dialects=tuple(dialect.value for dialect in Dialect),
            categories=known.categories,
            budgets=known.budgets,
        )
        # By kind of event; a test holds that none is missing.
        self.hears: Mapping[type, Callable[[Any], None]] = {
            Decided: self._decided,
            Settled: self._settled,
            Compared: lambda event: self.families.compared.add(event.change),
            Shadowed: self._shadowed,
            FellBack: self._fell_back,
            ViolationStopped: lambda _: self.families.violations.add(),
            BudgetDenied: lambda event: self._denied(event.budget),
            LimitReached: lambda event: self.families.limits.add(event.scope.value, event.limit),
            AttachmentRead: self._attachment,
            Began: self._began,
        }
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        GCCollector(registry=self._process)

    def on(self, event: Event) -> None:
        """Count one event."""
        self.hears[type(event)](event)

    def _shadowed(self, event: Shadowed) -> None:
        self.families.shadowed.observe(event.similarity, self._target(event.target), self._target(event.shadow))

    def _fell_back(self, event: FellBack) -> None:
        self.families.fallbacks.add(self._target(event.source), self._target(event.target), event.reason)

    def _attachment(self, event: AttachmentRead) -> None:
        self.families.attachments.observe(event.seconds, event.kind.value, event.outcome)

    def _began(self, event: Began) -> None:
        self._left(event.request_id)
        self._at[event.request_id] = event.target
        self._in_flight[event.target] += 1

    def policy_loaded(self, *, digest: str, rules: Iterable[str]) -> None:
        """Count a policy that came into force by a reload, and let its rules begin at 0."""
        rules = tuple(rules)
        self._digest = digest
        self._rules.update(rules)
        self.families.know_rules(rules)
        self.families.reloads.add("ok")

    def policy_refused(self) -> None:
        """Count a reload that was refused; the old rules stay."""
        self.families.reloads.add("refused")

    def model_loaded(self, target: str, seconds: float, *, ok: bool) -> None:
        """Count a local model that was loaded, or could not be; `seconds` it took."""
        model, outcome = self._models.get(target, OTHER), "ok" if ok else "error"
        self.families.loads.add(model, outcome)
        self.families.load_seconds.observe(seconds, model, outcome)

    def model_waited(self, target: str, seconds: float) -> None:
        """Count a request that waited until its model was in memory."""
        self.families.model_waits.observe(seconds, self._models.get(target, OTHER))

    def worker_restarted(self, target: str, cause: str) -> None:
        """Count an engine worker or a managed server that was started again. `cause` is one of `families.CAUSES`."""
        self.families.restarts.add(self._models.get(target, OTHER), cause)

    def render(self) -> bytes:
        """Return the whole exposition. Call it in a thread; it lets other threads run every few lines."""
        parts = [generate_latest(self._process)]
        for part in self._parts():
            parts.append(part)
            time.sleep(_PAUSE)  # the event loop takes the interpreter: streams don't wait for a scrape
        return b"".join(parts)

    def _parts(self) -> Iterator[bytes]:
        for counted in self.families.all():
            lines = counted.lines()
            while some := "".join(islice(lines, _LINES)):
                yield some.encode()
        for asked in scraped(
            states=self._world.states(),
            models=self._models,
            budgets=self._world.budgets(),
            readings=self._world.readings(),
            ledger_ok=self._world.ledger_ok(),
            in_flight=dict(self._in_flight),
            now=self._monotonic(),
            digest=self._digest,
            version=self._known.version,
            price_timestamp=self._known.price_timestamp,
        ):
            yield generate_latest(_OneMetric(asked))

    def _decided(self, event: Decided) -> None:
        families = self.families
        receipt = event.receipt
        zone = NONE if event.first_zone is None else str(event.first_zone)
        rule = receipt.rule if receipt.rule in self._rules else OTHER
        reason = event.reason if event.reason in REASONS else OTHER
        families.decisions.add(zone, rule, reason)
        families.labels.add(_LABELS[receipt.label], receipt.label_source)
        if event.unknown_tags:
            families.unknown_tags.add(by=len(event.unknown_tags))
        for category, count in receipt.categories:
            families.findings.add(category if category in self._categories else OTHER, by=count)
        if receipt.budget is not None:
            self._denied(receipt.budget)
        families.overhead.observe_each(event.stages)
        if receipt.permitted:
            if zone == _LOCAL and event.queue_wait_seconds is not None:
                families.queue_wait.observe(event.queue_wait_seconds, self._models.get(receipt.permitted[0], OTHER))
        elif receipt.label is Label.SENSITIVE:
            families.actions.add("refused")

    def _settled(self, event: Settled) -> None:
        families, receipt, settlement = self.families, event.receipt, event.settlement
        self._left(receipt.request_id)
        target = settlement.target
        zone = NONE if settlement.zone is None else str(settlement.zone)
        model = lookup(self._models, target)
        if not receipt.shadow:  # a shadow answers nobody: it is in no count of requests, only in tokens and costs
            families.requests.add(zone, model, str(receipt.dialect), str(settlement.outcome))
        if target is None:
            return
        if settlement.first_token_seconds is not None:
            families.first_token.observe(settlement.first_token_seconds, zone, model)
        if event.gaps:
            families.gaps.observe_many(event.gaps, zone, model)
        if settlement.server:
            server = settlement.server if (target, settlement.server) in self._servers else OTHER
            families.server_requests.add(self._target(target), server, str(settlement.outcome))
        usage = settlement.usage
        tokens = families.tokens
        for kind, count in (
            ("input", usage.input),
            ("input_cached", usage.input_cached),
            ("output", usage.output),
            ("reasoning", usage.reasoning),
        ):
            if count:
                tokens.add(zone, model, kind, by=count)
        if zone == _LOCAL:
            if usage.input_cached:
                families.prefix_hits.add(model, by=usage.input_cached)
        else:
            self._paid(target, model, settlement)
        if receipt.shadow:
            return
        families.duration.observe(settlement.duration_seconds, zone, model)
        # An answer that failed avoided nothing.
        if zone == _LOCAL and settlement.outcome in (Outcome.OK, Outcome.CANCELLED):
            self._saved(model, settlement)
            if receipt.label is Label.SENSITIVE:
                families.actions.add("kept_local")
        if zone == _CLOUD and receipt.masked:
            families.actions.add("masked")

    def _left(self, request_id: str) -> None:
        """Note that a request is no longer with the target that was asked last, if one was."""
        target = self._at.pop(request_id, None)
        if target is not None:
            self._in_flight[target] -= 1

    def _saved(self, model: str, settlement: Settlement) -> None:
        if settlement.avoided_micros is None:
            self.families.unpriced.add(model)
        else:
            self.families.avoided.add(model, self._known.reference_model, by=settlement.avoided_micros)

    def _paid(self, target: str, model: str, settlement: Settlement) -> None:
        if target in self._known.unpriced:
            self.families.unpriced.add(model)
        else:
            provider = self._known.providers.get(target, OTHER)
            self.families.cost.add(provider, model, by=settlement.cost_micros)

    def _denied(self, budget: str) -> None:
        self.families.denials.add(budget if budget in self._known.budgets else OTHER)

    def _target(self, name: str) -> str:
        return name if name in self._zones else OTHER

"""Who is told of what: metrics, logs, and events between rooms. Functions without state, for `wiring.py`."""

from collections.abc import Callable

import structlog

from gateway import __version__
from gateway.app.targets import Targets
from gateway.core.events import Decided, Event, ViolationStopped
from gateway.core.record import Settlement
from gateway.core.target import Catalog
from gateway.ledger import Ledger
from gateway.local.embedded.events import WorkerEvent, WorkerEventKind
from gateway.observe import EnergySampler, Known, Metrics, Prices, World
from gateway.pipeline import Fanout
from gateway.policy import Policy
from gateway.privacy import CATEGORIES
from gateway.settings import Settings

LOG = structlog.get_logger("aduana")


def known(settings: Settings, catalog: Catalog, policy: Policy, prices: Prices) -> Known:
    """Return everything that metrics may have as a label."""
    return Known(
        catalog=catalog,
        version=__version__,
        reference_model=settings.prices.reference_model,
        rules=tuple(rule.name for rule in policy.rules),
        policy_digest=policy.digest,
        categories=CATEGORIES,
        budgets=("day", "month", *(f"key:{name}" for name in settings.budgets.keys_usd)),
        providers=prices.providers,
        unpriced=prices.unpriced,
        price_timestamp=prices.timestamp,
    )


def world(targets: Targets, ledger: Ledger, sampler: EnergySampler) -> World:
    """Return the functions by which metrics ask for the state of targets, budgets and meters."""
    return World(
        states=targets.states,
        budgets=ledger.budgets,
        readings=sampler.readings,
        ledger_ok=lambda: ledger.health().ok,
    )


class WorkerWatch:
    """Listener that tells the metrics what happens to engine workers."""

    def __init__(self) -> None:
        self.metrics: Metrics | None = None

    def __call__(self, event: WorkerEvent) -> None:
        """Count a load, a failed load or a restart."""
        if self.metrics is None:
            return
        match event.kind:
            case WorkerEventKind.READY:
                self.metrics.model_loaded(event.target, event.seconds or 0.0, ok=True)
            case WorkerEventKind.FAILED:
                self.metrics.model_loaded(event.target, 0.0, ok=False)
            case WorkerEventKind.DIED | WorkerEventKind.NO_REPACK:
                self.metrics.worker_restarted(event.target, "crashed")
            case WorkerEventKind.LOADING | WorkerEventKind.REMEMBERED | WorkerEventKind.STOPPED:
                pass


class TagLog:
    """Observer that logs requests with tags that nobody declared, without the tags."""

    def on(self, event: Event) -> None:
        """Log one line for such a request."""
        if isinstance(event, Decided) and event.unknown_tags:
            receipt = event.receipt
            LOG.warning(
                "request.unknown_tag",
                request_id=receipt.request_id,
                key=receipt.key,
                label=receipt.label.word,
                source=receipt.label_source,
            )


def reload_metrics(metrics: Metrics) -> Callable[[Policy | None], None]:
    """Return the function that tells the metrics of each reloaded or refused policy."""

    def changed(policy: Policy | None) -> None:
        if policy is None:
            metrics.policy_refused()
        else:
            metrics.policy_loaded(digest=policy.digest, rules=(rule.name for rule in policy.rules))

    return changed


def violation(fanout: Fanout) -> Callable[[ViolationStopped], None]:
    """Return the function that cloud targets call when their last check has stopped something."""

    def stopped(event: ViolationStopped) -> None:
        LOG.critical("privacy.violation_stopped", request_id=event.request_id, target=event.target)
        fanout.on(event)

    return stopped


def observer_failed(name: str, error: Exception) -> None:
    """Log that an observer raised an error. Requests go on."""
    LOG.error("observer.failed", observer=name, error=type(error).__name__)


def settlement_failed(settlement: Settlement, error: Exception) -> None:
    """Log that a request's end could not be written. The next start settles it."""
    LOG.error("ledger.settlement_failed", request_id=settlement.request_id, error=type(error).__name__)

"""Who is told of what: metrics, logs, and events between rooms. Functions without state, for `wiring.py`."""

import difflib
from collections.abc import Callable, Iterable, Sequence

import structlog

from gateway import __version__
from gateway.accounts.keys import StoredKey
from gateway.app.keys.stored_keys import names_elsewhere, with_keys
from gateway.app.policy_store import PolicyStore
from gateway.app.room_settings import limit_table
from gateway.app.targets import Targets
from gateway.core.events import Decided, Event, ViolationStopped
from gateway.core.record import Receipt, Settlement
from gateway.core.target import Catalog
from gateway.ledger import Ledger
from gateway.local.models.events import WorkerEvent, WorkerEventKind
from gateway.observe import EnergySampler, Known, Metrics, Prices, World
from gateway.pipeline import Fanout
from gateway.pipeline.drain import DrainWindow
from gateway.policy import Policy
from gateway.privacy import CATEGORIES
from gateway.settings import Settings
from gateway.settings.servers import OpenAITargetConfig

LOG = structlog.get_logger("aduana")
_REMEMBERED_TAGS = 1_000
_TAGS_AT_ONCE = 3  # the nearest of 50 tags takes over a millisecond, on the loop


def known(settings: Settings, catalog: Catalog, policy: Policy, prices: Prices) -> Known:
    """Return everything that metrics may have as a label."""
    return Known(
        catalog=catalog,
        version=__version__,
        reference_model=settings.prices.reference_model,
        rules=tuple(rule.name for rule in policy.rules),
        policy_digest=policy.digest,
        categories=CATEGORIES,
        budgets=_told(settings),
        providers=prices.providers,
        unpriced=prices.unpriced,
        price_timestamp=prices.timestamp,
        servers=tuple(
            [
                (name, server.label)
                for name, target in settings.targets.items()
                if isinstance(target, OpenAITargetConfig)
                for server in target.servers
            ]
        ),
    )


def _told(settings: Settings) -> tuple[str, ...]:
    """Return the names by which budgets are told: all that have a limit of their own; of users no names."""
    table = limit_table(settings)
    named = (table.named(scope, name) for scope, name in table.names())
    accounts = (account for one in named for account in one.accounts() if account.limit is not None)
    users = ("user", "user_day") if table.users or table.any_user.about_money else ()
    return tuple(dict.fromkeys(("day", "month", *(account.told for account in accounts), *users)))


def world(targets: Targets, ledger: Ledger, sampler: EnergySampler) -> World:
    """Return the functions by which metrics ask for the state of targets, budgets and meters."""
    return World(
        states=targets.states,
        budgets=ledger.budgets,
        readings=sampler.readings,
        ledger_ok=lambda: ledger.health().ok,
    )


class WorkerWatch:
    """Listener that tells the metrics what happens to engine workers and managed servers."""

    def __init__(self) -> None:
        self.metrics: Metrics | None = None

    def __call__(self, event: WorkerEvent) -> None:
        """Count a load, a failed load, a restart or a wait."""
        if self.metrics is None:
            return
        match event.kind:
            case WorkerEventKind.READY:
                self.metrics.model_loaded(event.target, event.seconds or 0.0, ok=True)
            case WorkerEventKind.FAILED:
                self.metrics.model_loaded(event.target, 0.0, ok=False)
            case WorkerEventKind.DIED | WorkerEventKind.NO_REPACK:
                self.metrics.worker_restarted(event.target, "crashed")
            case WorkerEventKind.WAITED:
                self.metrics.model_waited(event.target, event.seconds or 0.0)
            case WorkerEventKind.LOADING | WorkerEventKind.REMEMBERED | WorkerEventKind.STOPPED:
                pass


class TagLog:
    """Observer that logs tags that nobody declared: each once, without the tag, which is a client's own words.

    A line has the nearest tag that the policy knows (`meant`), so that its owner sees the typing error.
    """

    hears = (Decided,)

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._known = known  # the tags that the policy in force knows
        self._seen: dict[str, None] = {}  # the oldest first

    def on(self, event: Event) -> None:
        """Log one line for each tag that was not seen before; a few of one request, the others when they come again."""
        if not isinstance(event, Decided):
            return
        new = [tag for tag in event.unknown_tags if tag not in self._seen]
        for tag in new[:_TAGS_AT_ONCE]:
            self._remember(tag)
            self._log(tag, event.receipt)

    def _remember(self, tag: str) -> None:
        self._seen[tag] = None
        if len(self._seen) > _REMEMBERED_TAGS:
            del self._seen[next(iter(self._seen))]

    def _log(self, tag: str, receipt: Receipt) -> None:
        near = difflib.get_close_matches(tag, list(self._known()), n=1, cutoff=0.6)
        LOG.warning(
            "request.unknown_tag",
            request_id=receipt.request_id,
            key=receipt.key,
            label=receipt.label.word,
            source=receipt.label_source,
            **({"meant": near[0]} if near else {}),
        )


def reload_metrics(metrics: Metrics) -> Callable[[Policy | None], None]:
    """Return the function that tells the metrics of each reloaded or refused policy."""

    def changed(policy: Policy | None) -> None:
        if policy is None:
            metrics.policy_refused()
        else:
            metrics.policy_loaded(digest=policy.digest, rules=(rule.name for rule in policy.rules))

    return changed


def keys_changed(
    settings: Settings, catalog: Catalog, drain: DrainWindow, policies: PolicyStore
) -> Callable[[Sequence[StoredKey]], None]:
    """Return the function that ends the running answers of revoked keys, and lets policies name new ones.

    Args:
        settings: The whole configuration.
        catalog: What policies could name at the start.
        drain: Holds the running answers.
        policies: Is told of the names.
    """

    def changed(stored: Sequence[StoredKey]) -> None:
        elsewhere = names_elsewhere(settings)
        drain.revoke([key.name for key in stored if key.revoked_at is not None and key.name not in elsewhere])
        policies.renew_catalog(with_keys(catalog, stored, settings))

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

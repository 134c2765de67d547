"""What clients reach over HTTP, wired together for `wiring.py`: routes, keys, page, listener. No logic of its own."""

import time
from collections.abc import Callable, Mapping

from gateway import __version__
from gateway.app.key_store import KeyStore
from gateway.app.models.admin import ModelAdmin
from gateway.app.policy_store import PolicyStore
from gateway.app.room_settings import LOOPBACK
from gateway.app.targets import Targets
from gateway.batches import BatchQueue, FileStore, LineAnswers
from gateway.core.background import Keep
from gateway.core.target import Catalog, TargetState
from gateway.ledger import Ledger, Reader
from gateway.observe import EnergySampler, Metrics
from gateway.observe.page.page import HEADERS, Page
from gateway.pipeline import Pipeline
from gateway.pipeline.drain import DrainWindow
from gateway.pipeline.ports import LocalTarget
from gateway.server import (
    Batches,
    BodyReader,
    HostGuard,
    HttpEndpoint,
    InboundBuilder,
    Listener,
    Operations,
    Readiness,
    build_application,
)
from gateway.server.answers import public_error
from gateway.settings import Settings
from gateway.stored import ResponseStore, SealedSummaries, SealedTable

_AROUND = 64 * 1024  # bytes of a batch's line besides its body


def status_page(
    settings: Settings,
    catalog: Catalog,
    *,
    targets: Targets,
    ledger: Ledger,
    sampler: EnergySampler,
    policies: PolicyStore,
    keys: KeyStore,
    problems: Callable[[], tuple[str, ...]],
) -> Page:
    """Return the status page; `problems` says what is wrong, in sentences."""
    return Page(
        catalog=catalog,
        version=__version__,
        states=targets.states,
        budgets=ledger.budgets,
        readings=sampler.readings,
        problems=problems,
        digest=lambda: policies.current.digest,
        keys_renewed=lambda: keys.renewed_at,
        savings=Reader(settings.state_dir).savings,
        reference_model=settings.prices.reference_model,
        currency=settings.prices.currency,
        rate=settings.prices.usd_rate,
    )


def http_front(
    settings: Settings,
    catalog: Catalog,
    *,
    pipeline: Pipeline,
    drain: DrainWindow,
    keys: KeyStore,
    readiness: Callable[[], Readiness],
    metrics: Metrics,
    page: Page,
    models: ModelAdmin,
    inbounds: InboundBuilder,
    store: ResponseStore | None,
    batches: Batches | None,
    summaries: SealedSummaries,
    keep: Keep,
) -> Listener:
    """Return the listener with all its routes; it does not listen yet."""
    server = settings.server
    beyond = server.host not in LOOPBACK
    guard = HostGuard(host=server.host, allowed_hosts=server.allowed_hosts, allowed_origins=server.allowed_origins)
    endpoint = HttpEndpoint(
        pipeline=pipeline,
        catalog=catalog,
        host_guard=guard,
        keys=keys.ring,
        bodies=BodyReader(max_bytes=server.max_body_bytes, seconds=server.body_seconds),
        inbound_builder=inbounds,
    )
    operations = Operations(
        host_guard=guard,
        keys=keys.ring if beyond else None,
        metrics_keys=keys.ring if beyond and settings.keys else None,
        readiness=readiness,
        metrics=metrics,
        page=page.render,
        page_headers=HEADERS,
    )
    return Listener(
        build_application(
            endpoint,
            operations,
            guard,
            models,
            started=int(time.time()),
            summaries=summaries,
            store=store,
            batches=batches,
        ),
        host=server.host,
        port=server.port,
        further_port=server.ollama_port,
        drain=drain,
        drain_seconds=server.drain_seconds,
        write_seconds=server.write_seconds,
        max_connections=server.max_connections,
        keep=keep,
    )


def batching(
    settings: Settings,
    table: SealedTable,
    *,
    pipeline: Pipeline,
    inbounds: InboundBuilder,
    unnamed: str,
    keys: KeyStore,
    local: Mapping[str, LocalTarget],
) -> Batches:
    """Return files and the queue of batches, which does not run yet."""
    longest = settings.server.max_body_bytes
    files = FileStore(table, file_bytes=settings.batches.max_file_bytes, line_bytes=longest + _AROUND)
    answers = LineAnswers(
        pipeline=pipeline,
        inbounds=inbounds,
        caller=keys.ring.named,
        unnamed=unnamed,
        public=public_error,
        max_bytes=longest,
    )
    always = settings.batches.when == "always"
    room = (lambda: True) if always else _idle(local)
    return Batches(files=files, queue=BatchQueue(table, files, answers, room=room))


def _idle(local: Mapping[str, LocalTarget]) -> Callable[[], bool]:
    """Return what says whether no local target works on anything."""

    def busy(state: TargetState) -> bool:
        return bool(state.slots_busy or state.queue_depth)

    return lambda: not any(busy(target.state()) for target in local.values())

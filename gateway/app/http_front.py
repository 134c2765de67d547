"""What clients reach over HTTP, wired together for `wiring.py`: routes, keys, page, listener. No logic of its own."""

import time
from collections.abc import Callable

from gateway import __version__
from gateway.app.key_store import KeyStore
from gateway.app.models.admin import ModelAdmin
from gateway.app.policy_store import PolicyStore
from gateway.app.room_settings import LOOPBACK
from gateway.app.targets import Targets
from gateway.core.background import Keep
from gateway.core.target import Catalog
from gateway.ledger import Ledger, Reader
from gateway.observe import EnergySampler, Metrics
from gateway.observe.page.page import HEADERS, Page
from gateway.pipeline import Pipeline
from gateway.pipeline.drain import DrainWindow
from gateway.server import (
    BodyReader,
    HostGuard,
    HttpEndpoint,
    InboundBuilder,
    Listener,
    Operations,
    Readiness,
    build_application,
)
from gateway.settings import Settings
from gateway.stored import ResponseStore, SealedSummaries


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
    store: ResponseStore | None,
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
        inbound_builder=InboundBuilder(
            catalog, settings.header_facts, refuse_built_in_tools=server.built_in_tools == "refuse"
        ),
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
            endpoint, operations, guard, models, started=int(time.time()), summaries=summaries, store=store
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

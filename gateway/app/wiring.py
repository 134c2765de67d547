"""The composition root: with `http_front.py` it alone wires concrete classes together. No logic of its own."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, tzinfo
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from gateway import __version__
from gateway.app.alarms import Alarms
from gateway.app.announcement import announce
from gateway.app.http_front import batching, http_front, status_page
from gateway.app.inspection import RunningInspection, running_inspection
from gateway.app.key_store import KeyStore
from gateway.app.models.head_start import HeadStart
from gateway.app.models.plan import catalog_of
from gateway.app.observers import (
    TagLog,
    WorkerWatch,
    known,
    observer_failed,
    reload_metrics,
    settlement_failed,
    violation,
    world,
)
from gateway.app.policy_store import PolicyStore
from gateway.app.readiness import ReadinessProbe
from gateway.app.room_settings import (
    LOOPBACK,
    anonymous_caller,
    energy_settings,
    key_secrets,
    ledger_settings,
    policy_rates,
    price_settings,
    priced_targets,
    trace_settings,
)
from gateway.app.state.directory import close_to_others
from gateway.app.state.memory import StateMemory
from gateway.app.state.stores import open_store, open_table
from gateway.app.supervisor import Supervisor
from gateway.app.targets import Targets
from gateway.core.errors import AduanaError, ConfigurationError
from gateway.core.target import Catalog
from gateway.ledger import Ledger
from gateway.ledger.encryption import Seal
from gateway.observe import ActiveRequests, EnergySampler, Metrics, Prices
from gateway.observe.logs import configure
from gateway.observe.traces import Traces
from gateway.pipeline import Fanout, Pipeline
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.drain import DrainWindow
from gateway.pipeline.masking import Masker
from gateway.pipeline.ports import Observer
from gateway.pipeline.settlement import SettlementWriter
from gateway.pipeline.shadow import Shadows
from gateway.pipeline.snapshot import SnapshotBuilder
from gateway.pipeline.taint import ConversationTaint
from gateway.privacy.taint.scope import BetweenKeys
from gateway.server import Batches, InboundBuilder, Readiness
from gateway.settings import Settings
from gateway.stored import SealedSummaries

LOG = structlog.get_logger("aduana")
_ACCRUE_SECONDS = 60.0
_LOOK_SECONDS = 1.0


async def serve(
    settings: Settings, early: HeadStart, tell: Callable[[str], None] | None = None, *, accept_loss: bool = False
) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Args:
        settings: The whole configuration.
        early: What began before this file was imported.
        tell: Gets the lines for a person at the terminal, once the gateway can answer.
        accept_loss: Go on without what the state directory has lost.

    Raises:
        AduanaError: The configuration or the ledger can't be used.
        OSError: The address can't be had.
    """
    configure(settings.log.format, settings.log.level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with running(settings, early, accept_loss=accept_loss) as gateway:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        loop.add_signal_handler(signal.SIGHUP, gateway.ask_to_reload)
        LOG.info("gateway.listening", url=gateway.url, policy=gateway.policies.current.digest)
        if tell is not None:
            telling = partial(announce, gateway.url, settings, gateway.catalog, gateway.readiness, tell)
            gateway.supervisor.keep("announcement", telling, once=True)
        await stop.wait()
        LOG.info("gateway.stopping", drain_seconds=settings.server.drain_seconds)


class Gateway:
    """Parts of a started gateway that whoever started it needs."""

    def __init__(
        self,
        url: str,
        policies: PolicyStore,
        keys: KeyStore,
        catalog: Catalog,
        readiness: Callable[[], Readiness],
        supervisor: Supervisor,
    ) -> None:
        self.url = url
        self.policies = policies
        self.keys = keys
        self.catalog = catalog
        self.readiness = readiness
        self.supervisor = supervisor

    def ask_to_reload(self) -> None:
        """Read policies and API keys again soon, whether or not a file has changed (SIGHUP)."""
        self.policies.ask_to_reload()
        self.keys.ask_to_reload()


@asynccontextmanager
async def running(
    settings: Settings, early: HeadStart | None = None, *, accept_loss: bool = False
) -> AsyncGenerator[Gateway, None]:
    """Start the gateway; when the context ends, let running answers finish and stop everything in reverse order.

    Args:
        settings: The whole configuration.
        early: What has begun already; None: nothing.
        accept_loss: Go on without what the state directory has lost.

    Raises:
        AduanaError: The configuration or the ledger can't be used.
        OSError: The address can't be had.
    """
    _check_exposure(settings)
    early = early or HeadStart(settings)
    models = await early.plan()
    catalog = catalog_of(settings, models)
    keys = KeyStore(partial(key_secrets, settings), anonymous=anonymous_caller(settings))
    prices = await asyncio.to_thread(Prices, price_settings(settings), priced_targets(settings, catalog))
    active = ActiveRequests()
    sampler = EnergySampler(energy_settings(settings), active)
    supervisor = Supervisor()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(supervisor.close)
        memory, ledger = await _open_state(stack, settings, early, prices, accept_loss=accept_loss)
        store = await open_store(stack, settings, memory)
        table = await open_table(stack, settings, memory)
        policies = PolicyStore(settings.policy, catalog, candidate=settings.candidate, rates=policy_rates(settings))
        observers: dict[str, Observer] = {"working": active, "tags": TagLog()}
        fanout = Fanout(observers, observer_failed)
        workers = WorkerWatch()
        targets = Targets(
            settings,
            catalog,
            models,
            on_violation=violation(fanout),
            on_worker=workers,
            workers=early.workers,
            keep=supervisor.keep,
        )
        inspection = await stack.enter_async_context(running_inspection(settings, targets.local))
        metrics = Metrics(known(settings, catalog, policies.current, prices), world(targets, ledger, sampler))
        fanout.add("metrics", metrics)
        alarms = Alarms(
            state=lambda: memory.problem,
            ledger=ledger.health,
            policy=lambda: policies.problem,
            keys=lambda: keys.problem,
            background=supervisor.failed,
        )
        page = status_page(
            settings,
            catalog,
            targets=targets,
            ledger=ledger,
            sampler=sampler,
            policies=policies,
            keys=keys,
            problems=alarms.sentences,
        )
        fanout.add("page", page)
        if settings.traces.endpoint is not None:
            traces = Traces(trace_settings(settings), catalog, version=__version__, providers=prices.providers)
            stack.push_async_callback(asyncio.to_thread, traces.close)
            fanout.add("traces", traces)
        policies.on_change(reload_metrics(metrics))
        workers.metrics = metrics
        stack.push_async_callback(asyncio.to_thread, prices.close)
        settlements = SettlementWriter(
            ledger=ledger, pricing=prices, observer=fanout, failed=settlement_failed, answered=prices.answered
        )
        stack.push_async_callback(settlements.close)
        await targets.start()
        stack.push_async_callback(targets.close)
        stack.push_async_callback(_stop_sampling, sampler, ledger)
        drain = DrainWindow()
        pipeline = _pipeline(
            stack,
            settings,
            catalog,
            memory=memory,
            ledger=ledger,
            policies=policies,
            inspection=inspection,
            targets=targets,
            sampler=sampler,
            prices=prices,
            settlements=settlements,
            fanout=fanout,
            drain=drain,
        )
        probe = ReadinessProbe(
            catalog=catalog,
            policies=policies,
            targets=targets.states,
            ledger=ledger.health,
            names=_problem_of(inspection),
            state=lambda: memory.problem,
            background=supervisor.failed,
            keys=lambda: keys.problem,
        )
        refuse = settings.server.built_in_tools == "refuse"
        inbounds = InboundBuilder(catalog, settings.header_facts, refuse_built_in_tools=refuse)
        batches: Batches | None = None
        if table is not None:
            batches = batching(
                settings,
                table,
                pipeline=pipeline,
                inbounds=inbounds,
                unnamed=catalog.unknown_model or "",
                keys=keys,
                local=targets.local,
            )
        listener = http_front(
            settings,
            catalog,
            pipeline=pipeline,
            drain=drain,
            keys=keys,
            readiness=probe.check,
            metrics=metrics,
            page=page,
            models=targets.models,
            inbounds=inbounds,
            store=store,
            batches=batches,
            summaries=SealedSummaries(Seal(memory.key, b"aduana summaries 1")),
            keep=supervisor.keep,
        )
        url = await listener.start()
        stack.push_async_callback(listener.stop)
        background = {
            supervisor.keep("policy reload", policies.watch),
            supervisor.keep("key reload", keys.watch),
            supervisor.keep("energy sampler", partial(_sample, sampler)),
            supervisor.keep("energy accounts", partial(_accrue, sampler, ledger)),
        }
        if store is not None:
            background.add(supervisor.keep("stored responses", store.expire))
        if table is not None and batches is not None:
            background.add(supervisor.keep("stored files", table.expire))
            background.add(supervisor.keep("short-lived files", batches.files.expire))
            background.add(supervisor.keep("batches", batches.queue.run))
        stack.push_async_callback(_cancel, background)
        yield Gateway(url, policies, keys, catalog, probe.check, supervisor)


async def _open_state(
    stack: AsyncExitStack, settings: Settings, early: HeadStart, prices: Prices, *, accept_loss: bool
) -> tuple[StateMemory, Ledger]:
    """Open the state directory and its ledger; `stack` closes them, the ledger last.

    Raises:
        AduanaError: The ledger can't be used.
    """
    await asyncio.to_thread(close_to_others, settings.state_dir)
    memory = StateMemory(settings.state_dir)
    found = await asyncio.to_thread(memory.look)
    ledger = Ledger(ledger_settings(settings, prices.unpriced), lock=early.lock)
    await ledger.open()
    stack.push_async_callback(ledger.close)
    stack.push_async_callback(early.stop)
    await memory.open(found, ledger, accept_loss=accept_loss)
    stack.push_async_callback(asyncio.to_thread, memory.close)
    if ledger.orphans:
        LOG.warning("ledger.orphans_settled", requests=ledger.orphans)
    return memory, ledger


def _pipeline(
    stack: AsyncExitStack,
    settings: Settings,
    catalog: Catalog,
    *,
    memory: StateMemory,
    ledger: Ledger,
    policies: PolicyStore,
    inspection: RunningInspection,
    targets: Targets,
    sampler: EnergySampler,
    prices: Prices,
    settlements: SettlementWriter,
    fanout: Fanout,
    drain: DrainWindow,
) -> Pipeline:
    """Return the pipeline with its steps; `stack` ends its shadows."""
    dispatcher = Dispatcher(
        local=targets.local, cloud=targets.cloud, ledger=ledger, observer=fanout, sealed=inspection.sealed
    )
    shadows = Shadows(
        dispatcher=dispatcher, settlements=settlements, observer=fanout, seconds=settings.server.request_seconds
    )
    stack.push_async_callback(shadows.close)
    return Pipeline(
        catalog=catalog,
        policies=policies,
        request_inspection=inspection.requests,
        masker=Masker(
            examine=inspection.requests.examine_fully, store=ledger, sealing=Seal(memory.key), key=memory.key
        ),
        snapshots=SnapshotBuilder(
            local=targets.local,
            targets=targets.all,
            ledger=ledger,
            meters=sampler,
            pricing=prices,
            now=_clock(settings.timezone),
        ),
        taint=ConversationTaint(
            ledger,
            memory.key,
            BetweenKeys(settings.inspection.memory.between_keys),
            lost=bool(memory.lost),
        ),
        dispatcher=dispatcher,
        settlements=settlements,
        shadows=shadows,
        observer=fanout,
        request_seconds=settings.server.request_seconds,
        drain=drain,
    )


def _check_exposure(settings: Settings) -> None:
    server = settings.server
    if server.host not in LOOPBACK and not settings.keys and not server.anonymous:
        raise ConfigurationError(
            (
                f"server.host is {server.host}, which other machines can reach, but no 'keys' are configured. "
                "Add keys, or write 'anonymous: true' under 'server' if everybody there may use this gateway.",
            )
        )


def _clock(timezone: str) -> Callable[[], datetime]:
    zone: tzinfo | None = ZoneInfo(timezone) if timezone else None
    return lambda: datetime.now(zone).astimezone(zone)


def _problem_of(inspection: RunningInspection) -> Callable[[], str] | None:
    """Return what tells why the search for names fails (empty: it does not); None where none is configured."""
    recognition = inspection.recognition
    return (lambda: recognition.problem) if recognition is not None else None


async def _sample(sampler: EnergySampler) -> None:
    """Begin to sample in the sampler's own thread, and watch it. Runs until cancelled; the thread goes on then.

    Raises:
        RuntimeError: The thread has died.
    """
    sampler.start()
    while sampler.running:  # noqa: ASYNC110 - a thread has no event for its death
        await asyncio.sleep(_LOOK_SECONDS)
    raise RuntimeError(sampler.failure or "the sampler has ended")


async def _accrue(sampler: EnergySampler, ledger: Ledger) -> None:
    """Hand the sampler's accounts to the ledger once a minute. Runs until cancelled."""
    while True:
        await asyncio.sleep(_ACCRUE_SECONDS)
        await _hand_over(sampler, ledger)


async def _stop_sampling(sampler: EnergySampler, ledger: Ledger) -> None:
    """Close the sampler and hand over its accounts: after the last answer, so that its energy is in the ledger, too."""
    await asyncio.to_thread(sampler.close)
    await _hand_over(sampler, ledger)


async def _hand_over(sampler: EnergySampler, ledger: Ledger) -> None:
    owed, requests = sampler.drain(), sampler.drain_requests()
    if not owed and not requests:
        return
    try:
        await ledger.accrue(owed, requests)
    except AduanaError as error:
        LOG.error("ledger.energy_failed", error=error.code)


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

"""The composition root: with `http_front.py` it alone wires concrete classes together. No logic of its own."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from gateway import __version__
from gateway.accounts.names import UserNames
from gateway.accounts.secrets import SecretDigest
from gateway.app.alarms import Alarms
from gateway.app.announcement import announce
from gateway.app.attachments import carriers_of, fetcher_of, told
from gateway.app.checkpoints.keeper import CheckpointKeeper
from gateway.app.console import console_of, sessions_of
from gateway.app.egress.clouds import addresses_of
from gateway.app.egress.probe import keep_probing
from gateway.app.egress.running import running_egress
from gateway.app.energy_accounts import accrue, sample, stop_sampling
from gateway.app.http_front import batching, file_store, http_front
from gateway.app.inspection import RunningInspection, running_inspection
from gateway.app.keys.key_store import KeyStore
from gateway.app.models.head_start import HeadStart
from gateway.app.observers import (
    TagLog,
    WorkerWatch,
    keys_changed,
    known,
    observer_failed,
    reload_metrics,
    settlement_failed,
    violation,
    world,
)
from gateway.app.people.users import names_of, users_of
from gateway.app.policy_store import PolicyStore
from gateway.app.preflight.examination import warnings_of
from gateway.app.preflight.preflight import prepared
from gateway.app.proofs.remembered import folders_of_proofs
from gateway.app.readiness import ReadinessProbe, status_of
from gateway.app.room_settings import (
    anonymous_caller,
    checkpoint_settings,
    energy_settings,
    key_secrets,
    ledger_settings,
    limit_table,
    policy_rates,
    trace_settings,
)
from gateway.app.service.allocator import give_memory_back
from gateway.app.service.certificates import Certificate
from gateway.app.service.local_clock import LocalClock
from gateway.app.service.manager import ServiceManager
from gateway.app.state.directory import close_to_others
from gateway.app.state.memory import StateMemory
from gateway.app.state.stores import open_store, open_table
from gateway.app.supervisor import Supervisor
from gateway.app.targets import Targets
from gateway.app.workers.member import Member
from gateway.batches import FileStore
from gateway.console.live import LiveRequests
from gateway.core.target import Catalog
from gateway.ledger import Ledger
from gateway.ledger.encryption import Seal
from gateway.local.embedded.models.plan import ModelPlan
from gateway.observe import ActiveRequests, EnergySampler, Metrics, Prices
from gateway.observe.logs import configure
from gateway.observe.long_work import LongWork
from gateway.observe.traces import Traces
from gateway.pipeline import Fanout, Pipeline
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.drain import DrainWindow
from gateway.pipeline.masking import Masker
from gateway.pipeline.memory.taint import ConversationTaint
from gateway.pipeline.ports import Observer
from gateway.pipeline.rate_limits import RateLimiter
from gateway.pipeline.settlement import SettlementWriter
from gateway.pipeline.shadow import Shadows
from gateway.pipeline.snapshot import SnapshotBuilder
from gateway.privacy.taint.scope import BetweenKeys
from gateway.server import Batches, InboundBuilder, Readiness
from gateway.settings import Settings
from gateway.stored import SealedSummaries

LOG = structlog.get_logger("aduana")
_NEW_OBJECTS = 5_000  # between two looks for garbage; a request leaves a few hundred until it has ended


async def serve(
    settings: Settings,
    early: HeadStart,
    tell: Callable[[str], None] | None = None,
    *,
    accept_loss: bool = False,
    manager: ServiceManager,
    sockets: Sequence[socket.socket] = (),
    worker: Member | None = None,
) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Args:
        settings: The whole configuration.
        early: What began before this file was imported.
        tell: Gets the lines for a person at the terminal, once the gateway can answer.
        accept_loss: Go on without what the state directory has lost.
        manager: Is told when the gateway listens and how it is.
        sockets: Open already; without any, the address of the configuration is listened on.
        worker: What this process is among several of one gateway. None: it is the only one.

    Raises:
        AduanaError: The configuration or the ledger can't be used.
        OSError: The address can't be had.
    """
    configure(settings.log.format, settings.log.level, worker=worker.number if worker is not None else None)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    attending = loop.create_task(worker.attend(stop.set), name="supervisor") if worker is not None else None
    async with running(settings, early, accept_loss=accept_loss, sockets=sockets, worker=worker) as gateway:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        loop.add_signal_handler(signal.SIGHUP, gateway.ask_to_reload)
        said = "gateway.listening" if worker is None else "worker.started"  # then the supervisor listens
        LOG.info(said, url=gateway.url, policy=gateway.policies.current.digest)
        if tell is not None and gateway.first:
            telling = partial(announce, gateway.url, settings, gateway.catalog, gateway.readiness, tell)
            gateway.supervisor.keep("announcement", telling, once=True)
        if gateway.first:
            gateway.supervisor.keep("model warnings", partial(_warn, settings, gateway.models), once=True)
        gateway.supervisor.keep("service manager", partial(manager.keep_told, lambda: status_of(gateway.readiness())))
        manager.ready()
        _lasting()
        await stop.wait()
        manager.stopping()
        LOG.info("gateway.stopping", drain_seconds=settings.server.drain_seconds)
    if attending is not None:
        await _cancel({attending})


def _lasting() -> None:
    """Tell the garbage collector that what is there now stays: tables, policies, detectors.

    It then looks only through what requests leave, and not for every few of them: that was 5 % of a request. Nor does
    the event loop list every asynchronous generator: each is closed by whoever iterates it.
    """
    sys.set_asyncgen_hooks(firstiter=None)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


class Gateway:
    """Parts of a started gateway that whoever started it needs."""

    def __init__(
        self,
        url: str,
        policies: PolicyStore,
        keys: KeyStore,
        certificate: Certificate | None,
        catalog: Catalog,
        models: ModelPlan,
        readiness: Callable[[], Readiness],
        supervisor: Supervisor,
        first: bool,
    ) -> None:
        self.url = url
        self.policies = policies
        self.keys = keys
        self.certificate = certificate
        self.catalog = catalog
        self.models = models
        self.readiness = readiness
        self.supervisor = supervisor
        self.first = first  # of several workers the one that does what only one shall do; or the only one

    def ask_to_reload(self) -> None:
        """Read policies, API keys and the certificate again soon, whether or not a file has changed (SIGHUP)."""
        self.policies.ask_to_reload()
        self.keys.ask_to_reload()
        if self.certificate is not None:
            self.certificate.ask_to_reload()


@asynccontextmanager
async def running(
    settings: Settings,
    early: HeadStart | None = None,
    *,
    accept_loss: bool = False,
    sockets: Sequence[socket.socket] = (),
    worker: Member | None = None,
) -> AsyncGenerator[Gateway, None]:
    """Start the gateway; when the context ends, let running answers finish and stop everything in reverse order.

    Args:
        settings: The whole configuration.
        early: What has begun already; None: nothing.
        accept_loss: Go on without what the state directory has lost.
        sockets: Open already; without any, the address of the configuration is listened on.
        worker: What this process is among several of one gateway. None: it is the only one.

    Raises:
        AduanaError: The configuration or the ledger can't be used.
        OSError: The address can't be had.
    """
    first = worker is None or worker.first
    early = early or HeadStart(settings)
    own_keys = settings.egress.process == "none"
    ready = await prepared(settings, early.plan, ports=not sockets and worker is None, clouds=own_keys)
    models, catalog, prices = ready.models, ready.catalog, ready.prices
    tls = settings.server.tls
    certificate = Certificate(tls.certificate, tls.key) if tls is not None else None
    active = ActiveRequests()
    sampler = EnergySampler(energy_settings(settings), active)
    supervisor = Supervisor()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(supervisor.close)
        egress = await stack.enter_async_context(running_egress(settings))
        memory, ledger = await _open_state(stack, settings, early, prices, first=first, accept_loss=accept_loss)
        keys = KeyStore(
            partial(key_secrets, settings),
            anonymous=partial(anonymous_caller, settings),
            stored=await ledger.stored_keys(),
            digest=SecretDigest(memory.key),
            others=frozenset(settings.users.providers),
        )
        checkpoints = CheckpointKeeper(ledger, settings.state_dir, checkpoint_settings(settings))
        if first:  # whoever has no key signs none
            await checkpoints.open()
        stack.push_async_callback(checkpoints.close)
        store = await open_store(stack, settings, memory)
        table = await open_table(stack, settings, memory)
        policies = await asyncio.to_thread(
            PolicyStore,
            settings.policy,
            catalog,
            candidate=settings.candidate,
            rates=policy_rates(settings),
            remembered=folders_of_proofs(settings.state_dir),
        )
        people, names = await users_of(settings, memory.key, supervisor), names_of(settings, memory.key)
        long_work = LongWork()
        tags = TagLog(lambda: policies.current.labels.known_tags)
        observers: dict[str, Observer] = {"working": active, "long_work": long_work, "tags": tags}
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
            sender=egress.sender if egress is not None else None,
        )
        inspection = await stack.enter_async_context(
            running_inspection(settings, targets.local, fanout, targets.hearing.values())
        )
        metrics = Metrics(known(settings, catalog, policies.current, prices), world(targets, ledger, sampler))
        fanout.add("metrics", metrics)
        if worker is not None:
            worker.render = metrics.render
        alarms = Alarms(
            state=lambda: memory.problem,
            ledger=ledger.health,
            policy=lambda: policies.problem,
            keys=lambda: keys.problem,
            users=people.problems,
            certificate=lambda: certificate.problem if certificate is not None else None,
            checkpoints=lambda: checkpoints.problem,
            background=supervisor.failed,
        )
        live = LiveRequests()
        fanout.add("console", live)
        if settings.traces.endpoint is not None:
            traces = Traces(trace_settings(settings), catalog, version=__version__, providers=prices.providers)
            stack.push_async_callback(asyncio.to_thread, traces.close)
            fanout.add("traces", traces)
        policies.on_change(reload_metrics(metrics))
        workers.metrics = metrics
        stack.push_async_callback(asyncio.to_thread, prices.close)
        limiter = RateLimiter(
            limit_table(settings, names.recorded),
            observer=fanout,
            now=_clock(settings.timezone),
            tokens_today=ledger.tokens_today(),
            elsewhere=ledger.limits_seen if ledger.shares_limits else None,
        )
        settlements = SettlementWriter(
            ledger=ledger,
            pricing=prices,
            observer=fanout,
            failed=settlement_failed,
            answered=prices.answered,
            ended=limiter.end,
        )
        stack.push_async_callback(settlements.close)
        if egress is not None:
            await egress.started()
        await targets.start()
        stack.push_async_callback(targets.close)
        stack.push_async_callback(stop_sampling, sampler, ledger)
        drain = DrainWindow()
        keys.on_change(keys_changed(settings, catalog, drain, policies))
        files = file_store(settings, table) if table is not None else None
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
            files=files,
            names=names,
            limiter=limiter,
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
            certificate=lambda: certificate.problem if certificate is not None else None,
            attachments=partial(told, settings, inspection.reader),
            workers=worker.told if worker is not None else None,
        )
        refuse = settings.server.built_in_tools == "refuse"
        inbounds = InboundBuilder(catalog, settings.header_facts, refuse_built_in_tools=refuse)
        batches: Batches | None = None
        if table is not None and files is not None:
            batches = batching(
                settings,
                table,
                files,
                pipeline=pipeline,
                inbounds=inbounds,
                unnamed=catalog.unknown_model or "",
                keys=keys,
                local=targets.local,
                now=_clock(settings.timezone),
                price=sampler.electricity_price,
            )
        console = console_of(
            settings,
            catalog,
            live=live,
            targets=targets,
            ledger=ledger,
            sampler=sampler,
            policies=policies,
            keys=keys,
            problems=alarms.sentences,
            attachments=partial(told, settings, inspection.reader),
            long_work=long_work,
            readiness=probe.check,
            recorded=names.recorded,
            limits=limiter.used,
            sessions=sessions_of(worker),
        )
        listener = http_front(
            settings,
            catalog,
            pipeline=pipeline,
            drain=drain,
            keys=keys,
            readiness=probe.check,
            metrics=_page_of(metrics, worker),
            console=console,
            running=long_work.running,
            models=targets.models,
            voices=targets.voices,
            inbounds=inbounds,
            store=store,
            batches=batches,
            summaries=SealedSummaries(Seal(memory.key, b"aduana summaries 1")),
            answers=worker.answers if worker is not None else None,
            people=people,
            sockets=sockets,
            handed=worker.connections if worker is not None else None,
            tls=certificate.context if certificate is not None else None,
            keep=supervisor.keep,
        )
        url = await listener.start()
        stack.push_async_callback(listener.stop)
        background = {
            supervisor.keep("policy reload", policies.watch),
            supervisor.keep("key reload", keys.watch),
            supervisor.keep("stored keys", partial(keys.watch_stored, ledger)),
            supervisor.keep("energy sampler", partial(sample, sampler)),
            supervisor.keep("energy accounts", partial(accrue, sampler, ledger)),
            supervisor.keep("ledger checkpoints", checkpoints.run),
        }
        if certificate is not None:
            background.add(supervisor.keep("certificate reload", certificate.watch))
        if store is not None:
            background.add(supervisor.keep("stored responses", store.expire))
        if settings.egress.process == "unit" and first:
            pid = os.getpid() if worker is None else worker.supervisor
            probing = partial(keep_probing, addresses_of(settings), settings.state_dir, pid=pid)
            background.add(supervisor.keep("probe of the seal", probing))
        if table is not None and batches is not None:
            background.add(supervisor.keep("stored files", table.expire))
            background.add(supervisor.keep("short-lived files", batches.files.expire))
            background.add(supervisor.keep("batches", batches.queue.run))
        stack.push_async_callback(_cancel, background)
        yield Gateway(url, policies, keys, certificate, catalog, models, probe.check, supervisor, first)


async def _open_state(
    stack: AsyncExitStack, settings: Settings, early: HeadStart, prices: Prices, *, first: bool, accept_loss: bool
) -> tuple[StateMemory, Ledger]:
    """Open the state directory and its ledger; `stack` closes them, the ledger last.

    Raises:
        AduanaError: The ledger can't be used.
    """
    await asyncio.to_thread(close_to_others, settings.state_dir)
    memory = StateMemory(settings.state_dir, shared=settings.ledger.database is not None)
    found = await asyncio.to_thread(memory.look)
    ledger = Ledger(ledger_settings(settings, prices.unpriced), lock=early.lock)
    await ledger.open()
    stack.push_async_callback(ledger.close)
    stack.push_async_callback(early.stop)
    await memory.open(found, ledger, accept_loss=accept_loss, claims=first)
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
    files: FileStore | None,
    names: UserNames,
    limiter: RateLimiter,
) -> Pipeline:
    """Return the pipeline with its steps; `stack` ends its shadows, and what is read behind answers."""
    fetcher = fetcher_of(settings)
    if fetcher is not None:
        stack.push_async_callback(fetcher.close)
    dispatcher = Dispatcher(
        local=targets.local,
        cloud=targets.cloud,
        ledger=ledger,
        observer=fanout,
        sealed=inspection.sealed,
        servers_fetch=settings.attachments.fetch.servers,
        limiter=limiter,
    )
    shadows = Shadows(
        dispatcher=dispatcher, settlements=settlements, observer=fanout, seconds=settings.server.request_seconds
    )
    stack.push_async_callback(shadows.close)
    pipeline = Pipeline(
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
            limits=limiter.table,
        ),
        taint=ConversationTaint(
            ledger,
            memory.key,
            BetweenKeys(settings.inspection.memory.between_keys),
            lost=bool(memory.lost),
            shared=ledger.database.shared,
        ),
        dispatcher=dispatcher,
        settlements=settlements,
        shadows=shadows,
        observer=fanout,
        request_seconds=settings.server.request_seconds,
        drain=drain,
        carriers=carriers_of(settings, files, fetcher),
        recorded=names.recorded,
        limiter=limiter,
    )
    stack.push_async_callback(pipeline.close)
    return pipeline


async def _warn(settings: Settings, models: ModelPlan) -> None:
    """Log what does not work as it is configured, as `aduana check` tells it; that ends the start."""
    for problem in await asyncio.to_thread(warnings_of, settings, models):
        LOG.warning("configuration.problem", problem=problem)
    await asyncio.to_thread(give_memory_back)


def _page_of(metrics: Metrics, worker: Member | None) -> Callable[[], Awaitable[bytes]]:
    """Return what returns the page of metrics: this process's, or that of all workers."""
    return worker.page if worker is not None else partial(asyncio.to_thread, metrics.render)


def _clock(timezone: str) -> Callable[[], datetime]:
    return partial(datetime.now, ZoneInfo(timezone)) if timezone else LocalClock().now


def _problem_of(inspection: RunningInspection) -> Callable[[], str] | None:
    """Return what tells why the search for names fails (empty: it does not); None where none is configured."""
    recognition = inspection.recognition
    return (lambda: recognition.problem) if recognition is not None else None


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

"""What clients reach over HTTP, wired together for `wiring.py`: routes, keys, console, listener. No logic here."""

import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from gateway.accounts.users import Users
from gateway.app.batch_room import batch_room
from gateway.app.console import MakeConsole
from gateway.app.keys.key_store import KeyStore
from gateway.app.models.admin import ModelAdmin
from gateway.app.room_settings import LOOPBACK
from gateway.batches import BatchQueue, FileStore, LineAnswers
from gateway.core.background import Keep
from gateway.core.target import Catalog
from gateway.observe.long_work import RunningWork
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
from gateway.server.handlers.media.audio import Voices
from gateway.server.idempotency import KeptAnswers
from gateway.server.listener import Handed
from gateway.settings import Settings
from gateway.stored import ResponseStore, SealedSummaries, SealedTable

_AROUND = 64 * 1024  # bytes of a batch's line besides its body


def http_front(
    settings: Settings,
    catalog: Catalog,
    *,
    pipeline: Pipeline,
    drain: DrainWindow,
    keys: KeyStore,
    readiness: Callable[[], Readiness],
    metrics: Callable[[], Awaitable[bytes]],
    console: MakeConsole,
    running: Callable[[str], Sequence[RunningWork]],
    models: ModelAdmin,
    voices: Voices,
    inbounds: InboundBuilder,
    store: ResponseStore | None,
    batches: Batches | None,
    summaries: SealedSummaries,
    answers: KeptAnswers | None,
    people: Users,
    sockets: Sequence[socket.socket],
    handed: Handed | None,
    tls: ssl.SSLContext | None,
    keep: Keep,
) -> Listener:
    """Return the listener with all its routes; it does not listen yet.

    `answers`: keeps answers for retries, where that is not this process alone.
    """
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
        people=people,
    )
    operations = Operations(
        host_guard=guard,
        keys=keys.ring if beyond else None,
        metrics_keys=keys.ring if beyond else None,
        readiness=readiness,
        metrics=metrics,
    )
    return Listener(
        build_application(
            endpoint,
            operations,
            guard,
            models,
            console(guard, endpoint),
            started=int(time.time()),
            voices=voices,
            summaries=summaries,
            store=store,
            batches=batches,
            running=running,
            answers=answers,
        ),
        host=server.host,
        port=server.port,
        further_port=server.ollama_port,
        drain=drain,
        drain_seconds=server.drain_seconds,
        write_seconds=server.write_seconds,
        max_connections=server.max_connections,
        sockets=sockets,
        handed=handed,
        tls=tls,
        keep=keep,
    )


def file_store(settings: Settings, table: SealedTable) -> FileStore:
    """Return the store of files that clients upload."""
    line_bytes = settings.server.max_body_bytes + _AROUND
    return FileStore(table, file_bytes=settings.batches.max_file_bytes, line_bytes=line_bytes)


def batching(
    settings: Settings,
    table: SealedTable,
    files: FileStore,
    *,
    pipeline: Pipeline,
    inbounds: InboundBuilder,
    unnamed: str,
    keys: KeyStore,
    local: Mapping[str, LocalTarget],
    now: Callable[[], datetime],
    price: Callable[[], float | None],
) -> Batches:
    """Return files and the queue of batches, which does not run yet."""
    longest = settings.server.max_body_bytes
    answers = LineAnswers(
        pipeline=pipeline,
        inbounds=inbounds,
        caller=keys.ring.named,
        unnamed=unnamed,
        public=public_error,
        max_bytes=longest,
    )
    room = batch_room(settings.batches, local, now=now, price=price)
    return Batches(files=files, queue=BatchQueue(table, files, answers, room=room))

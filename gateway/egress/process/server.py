"""The egress process at work: connections from the gateway, each with one request at a time."""

import asyncio
import secrets
import socket
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog

from gateway.cloud.client import CloudReply, ProviderClient
from gateway.core.errors import AduanaError
from gateway.core.secret import Credential, Secret
from gateway.egress.faults import fault_of
from gateway.egress.messages import (
    Ask,
    Begun,
    Broken,
    Claims,
    Fault,
    Hello,
    Kind,
    Provider,
    Setup,
    frame,
    head,
    read_frame,
    read_message,
)
from gateway.egress.process.checking import Checker, NotSealed
from gateway.egress.process.rules import check_news, permitted
from gateway.egress.reaching import attempt
from gateway.egress.streams import Watched, Writer, open_streams
from gateway.egress.tls import Secured
from gateway.privacy.inspection.quick import QuickLook

LOG = structlog.get_logger("aduana.egress")
_CLOSE_SECONDS = 5.0
_PERIOD = 600.0  # seconds between two looks at which clouds can be reached
_UNPROVEN = 128  # connections that have not shown yet who they are; of more, the oldest goes
_INLINE_BYTES = 16 * 1024  # longer bodies are looked at in a thread, so that other streams keep flowing


class EgressServer:
    """Owner of the providers' clients, and of the connections that ask for them."""

    def __init__(self, setup: Setup, keys: Mapping[str, Secret]) -> None:
        """Connect to nobody yet. `keys`: the providers' keys, by target."""
        self._providers = {provider.name: provider for provider in setup.providers}
        self._clients = {
            name: ProviderClient(name, msgspec.structs.replace(provider.settings, api_key=keys.get(name)))
            for name, provider in self._providers.items()
        }
        self._setup = setup
        self._tell = LOG.info if setup.tells else LOG.debug
        self._life = secrets.token_bytes(16)
        self._checker = Checker(setup.seal, self._life)
        self._look: asyncio.Task[QuickLook] | None = None
        self._prepared: QuickLook | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unproven: dict[asyncio.Task[None], None] = {}  # in the order in which they came
        self._answering: set[asyncio.Task[None]] = set()
        self._draining = asyncio.Event()
        self._reached: tuple[str, ...] = ()

    def take(self, connection: socket.socket, tls: Secured | None = None) -> None:
        """Serve a connection until the gateway closes it. `tls`: what it has to show, if it comes from elsewhere."""
        task = asyncio.get_running_loop().create_task(self._serve(connection, tls), name="connection of the gateway")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if tls is not None:
            self._unproven[task] = None
            task.add_done_callback(self._counted)
            if len(self._unproven) > _UNPROVEN:
                oldest = next(iter(self._unproven))
                self._counted(oldest)  # now: many more may come before it has ended
                oldest.cancel()

    def _counted(self, task: "asyncio.Task[None]") -> None:
        """Count a connection no more among those that have not shown who they are."""
        self._unproven.pop(task, None)

    async def warm(self) -> None:
        """Compile the patterns before the first request needs them."""
        await self._looking()

    async def keep_reaching(self) -> None:
        """Try now and every ten minutes which clouds can be connected to, and tell gateways. Runs until cancelled."""
        while True:
            found = await asyncio.gather(*(attempt(*_address_of(one)) for one in self._setup.providers))
            self._reached = tuple(sorted({one.address for one in found if one.outcome == "open"}))
            await asyncio.sleep(_PERIOD)

    async def drain(self, seconds: float) -> None:
        """End connections that nothing is asked on, and the others with their answers, for so long."""
        self._draining.set()
        for task in self._tasks - self._answering:
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering, timeout=seconds)

    async def close(self) -> None:
        """End all connections, from the gateway and to the providers."""
        tasks: set[asyncio.Task[Any]] = {*self._tasks, *([] if self._look is None else [self._look])}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for client in self._clients.values():
            await client.close()

    async def _serve(self, connection: socket.socket, tls: Secured | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            reader, writer = await open_streams(connection, tls)
        except OSError as error:
            if isinstance(error, ssl.SSLError):  # anything else is a port that somebody looked at
                LOG.warning("egress.stranger", reason=error.reason)
            return
        except asyncio.CancelledError:
            connection.close()
            raise
        self._counted(task)
        try:
            writer.write(frame(Kind.HELLO, Hello(life=self._life, clock=time.monotonic(), reached=self._reached)))
            while not self._draining.is_set():
                ask = await read_message(reader, Kind.ASK, Ask)
                kind, body = await read_frame(reader)
                if kind is not Kind.BODY:
                    return
                self._answering.add(task)
                reader.watch(task.cancel)  # nobody wants the answer when whoever asked closes the connection
                try:
                    await self._answer(ask, body, writer)
                    await writer.drain()
                    if self._draining.is_set():
                        await _closed(reader, writer)
                finally:
                    reader.watch(None)
                    self._answering.discard(task)
        except (Broken, OSError):
            return
        except Exception as error:  # noqa: BLE001 - the gateway only sees that it ended; why is told here, by its kind
            LOG.error("egress.failed", error=type(error).__name__)
        finally:
            writer.transport.abort()

    async def _answer(self, ask: Ask, body: bytes, writer: Writer) -> None:
        """Send what was asked, and pass the answer on as it comes."""
        claims: Claims | None = None
        try:
            claims = self._checker.checked(ask)
            reply = await self._sent(claims, body)
        except NotSealed as refused:
            _log_refusal(refused.reason, claims)
            writer.write(frame(Kind.FAULT, _refusal(refused.reason)))
            return
        except AduanaError as error:
            writer.write(frame(Kind.FAULT, fault_of(error)))
            return
        self._tell(
            "egress.sent",
            request_id=claims.request_id,
            target=claims.target,
            label=claims.label.word,
            digest=claims.policy,
            bytes=claims.size,
        )
        try:
            await _pass_on(reply, writer)
        finally:
            await reply.close()

    async def _sent(self, claims: Claims, body: bytes) -> CloudReply:
        """Check everything, send the body, and return the answer that begins.

        Raises:
            NotSealed: It is not sent.
            AduanaError: The provider can't be asked, or did not answer well.
        """
        look = self._prepared or await self._looking()
        name = claims.target

        def check() -> None:
            permitted(claims, self._providers.get(name), body)
            check_news(claims, body, look)

        if len(body) > _INLINE_BYTES:
            await asyncio.to_thread(check)
        else:
            check()
        client = claims.client
        return await self._clients[name].send(
            claims.path,
            body,
            most_bytes=claims.most_bytes,
            credential=None if client is None else Credential(form=client.form, secret=Secret(client.secret)),
            content_type=claims.content_type,
        )

    async def _looking(self) -> QuickLook:
        """Return the search. It is made late: by then the gateway has compiled the same patterns, and kept them.

        INVARIANT: it is made once, also where whoever asked first did not wait for it.
        """
        if self._look is None:
            cache = None if self._setup.cache is None else Path(self._setup.cache)
            made = asyncio.to_thread(QuickLook, self._setup.inspection, cache_dir=cache)
            self._look = asyncio.get_running_loop().create_task(made, name="patterns of the second look")
        self._prepared = await asyncio.shield(self._look)
        return self._prepared


async def _closed(reader: Watched, writer: Writer) -> None:
    """Close a connection behind what was written, and return when that is gone.

    Raises:
        Broken: It is closed.
        TimeoutError: The other side does not read.
    """
    writer.transport.close()
    async with asyncio.timeout(_CLOSE_SECONDS):
        await read_frame(reader)


def _address_of(provider: Provider) -> tuple[str, int]:
    """Return host and port of a cloud, or of the proxy by which it is asked."""
    url = urlsplit(provider.settings.proxy or provider.settings.base_url)
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


async def _pass_on(reply: CloudReply, writer: Writer) -> None:
    """Pass an answer on as it comes. What came together leaves together: each write wakes the gateway."""
    shape = reply.shape
    begun = Begun(content_type=shape.content_type, content_encoding=shape.content_encoding)
    leaving = frame(Kind.BEGUN, begun)

    def passed(part: bytes) -> bool:
        writer.write(head(Kind.PART, len(part)) + part)
        return writer.has_room

    try:
        part = reply.come()
        while True:
            if part:
                leaving += head(Kind.PART, len(part)) + part
            if reply.ended:
                break
            writer.write(leaving)
            await writer.drain()  # a slow client is felt here, and then by the provider
            leaving, part = b"", b""
            while await reply.pour(passed):
                await writer.drain()
            part = await reply.read()
    except AduanaError as error:
        writer.write(leaving + frame(Kind.FAULT, fault_of(error)))
        return
    writer.write(leaving + head(Kind.END, 0))


def _refusal(reason: str) -> Fault:
    return Fault(
        kind="PolicyRefused",
        message="This request was stopped at the border: what was to leave is not what was cleared.",
        code="egress_refused",
        status=403,
        refused=reason,
    )


def _log_refusal(reason: str, claims: Claims | None) -> None:
    """Log why something was not sent; whom it was for is told where the signature is good."""
    known = {} if claims is None else {"request_id": claims.request_id, "target": claims.target}
    LOG.error("egress.refused", reason=reason, **known)

"""The listening socket: limits against slow and too many clients, and a stop that lets running answers finish."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, cast

import structlog
from aiohttp import web

from gateway.core.background import Keep, unwatched
from gateway.pipeline.drain import DrainWindow
from gateway.server.application import Application
from gateway.server.connection import Connection
from gateway.server.connections import Connections
from gateway.server.descriptors import affordable_connections

LOG = structlog.get_logger("aduana.server")
# A connection that sends no complete request head for this long is closed (aiohttp's default is over an hour).
HEAD_SECONDS = 15
_BACKLOG = 512
_LAST_WORDS_SECONDS = 1.0  # for the errors that end answers after the drain window; aiohttp may take as long again
_MOST_REFUSALS = 64  # that wait for a client to read them
_FEW_FILES = "the system allows too few open files: raise `ulimit -n`, or LimitNOFILE of the service"
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
    b'Content-Length: 110\r\n\r\n{"error":{"message":"Too many connections; try again soon.",'
    b'"type":"server_error","param":null,"code":"busy"}}'
)


class _Full(asyncio.Protocol):
    """Connection beyond the limit: it gets a clear answer and is closed.

    Closed at once, the system would answer the request that is still coming with a reset, and the client would not
    see the answer: so it is read and dropped for a moment.
    """

    def __init__(self, waiting: set["_Full"]) -> None:
        self._waiting = waiting
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from asyncio's
        self._transport.write(_FULL)
        if len(self._waiting) >= _MOST_REFUSALS:
            self._transport.close()
            return
        self._waiting.add(self)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        asyncio.get_running_loop().call_later(_LAST_WORDS_SECONDS, self._transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.discard(self)


class Handed(Protocol):
    """Source of connections that another process accepts, and hands over."""

    def begin(self, take: Callable[[socket.socket], None]) -> tuple[str, int]:
        """Call `take` with each connection from now on, and return host and port of the main address."""
        ...

    def end(self) -> None:
        """Take what was handed over by now, and nothing more."""
        ...


class Listener:
    """Server of one application on one address, on one port or two. Owns its sockets."""

    def __init__(
        self,
        application: Application,
        *,
        host: str,
        port: int,
        further_port: int | None = None,
        drain: DrainWindow,
        drain_seconds: float,
        write_seconds: float,
        max_connections: int,
        sockets: Sequence[socket.socket] = (),
        handed: Handed | None = None,
        tls: ssl.SSLContext | None = None,
        keep: Keep = unwatched,
    ) -> None:
        """Open nothing yet.

        Args:
            application: What answers.
            host: Address to listen on.
            port: TCP port; 0 takes a free one.
            further_port: A second port on the same address; None: there is none.
            drain: Window in which running answers may go on after a stop.
            drain_seconds: Its length.
            write_seconds: A client that takes nothing for this long is cut off.
            max_connections: Connections at once; fewer where the system allows for fewer.
            sockets: Open already, and listened on in place of the address; the first is the main one.
            handed: Accepts connections in place of all sockets. None: they are accepted here.
            tls: Speaks HTTPS with it. None: HTTP.
            keep: Runs what watches for slow readers.
        """
        self._host = host
        self._ports = (port,) if further_port is None else (port, further_port)
        self._sockets = tuple(sockets)
        self._scheme = "http" if tls is None else "https"
        self._handed = handed
        self._taken: set[asyncio.Task[None]] = set()
        self._options: dict[str, Any] = {}
        if tls is not None:
            self._options = {"ssl": tls, "ssl_handshake_timeout": HEAD_SECONDS, "ssl_shutdown_timeout": 1.0}
        self._drain = drain
        self._drain_seconds = drain_seconds
        affordable = affordable_connections(max_connections)
        if affordable < max_connections:
            LOG.warning("server.fewer_connections", kept=affordable, before=max_connections, reason=_FEW_FILES)
        self._connections = Connections(most=affordable, write_seconds=write_seconds)
        self._refused: set[_Full] = set()
        self._limits = {
            "keepalive_timeout": HEAD_SECONDS,
            "lingering_time": 1.0,  # after a refused body the connection is not kept for its rest
            "access_log": None,
            "auto_decompress": False,
            "max_field_size": 16 * 1024,
        }
        self._application = application
        self._runner: web.ServerRunner | None = None
        self._servers: list[asyncio.Server] = []
        self._keep = keep
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Begin to listen, and return the base URL of the first port.

        Raises:
            OSError: An address can't be had; its `filename` says which.
        """
        server = web.Server(
            self._application.answer,
            request_factory=self._application.request,
            handler_cancellation=True,  # a client that goes away cancels its request at once
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=_LAST_WORDS_SECONDS)
        await self._runner.setup()
        try:
            await self._open()
        except OSError:
            for opened in self._servers:
                opened.close()
            await self._runner.cleanup()
            raise
        self._watch = self._keep("slow readers", partial(self._connections.watch, asyncio.get_running_loop().time))
        if self._handed is not None:
            host, port = self._handed.begin(self._take)
        else:
            host, port = self._servers[0].sockets[0].getsockname()[:2]
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    async def _open(self) -> None:
        if self._handed is not None:
            return
        loop = asyncio.get_running_loop()
        options = self._options | {"backlog": _BACKLOG}
        for taken in self._sockets:
            self._servers.append(await loop.create_server(self._connection, sock=taken, **options))
        if self._sockets:
            return
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        for port in self._ports:
            try:
                server = await loop.create_server(self._connection, self._host, port, family=family, **options)
            except OSError as error:
                error.filename = f"{self._host}:{port}"
                raise
            self._servers.append(server)

    async def stop(self) -> None:
        """Stop accepting, wait for running answers as long as the drain time allows, then end the rest with an error.

        What is left 2 seconds later is cut off.
        """
        loop = asyncio.get_running_loop()
        for server in self._servers:
            server.close()
        if self._handed is not None:
            self._handed.end()
            if self._taken:
                await asyncio.wait(self._taken, timeout=_LAST_WORDS_SECONDS)
        self._connections.close_idle()
        self._drain.close_at(loop.time() + self._drain_seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain_seconds + _LAST_WORDS_SECONDS):
                await self._connections.quiet()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self._runner is not None:
            await self._runner.cleanup()

    def _take(self, accepted: socket.socket) -> None:
        task = asyncio.get_running_loop().create_task(self._begin(accepted), name="connection that was handed over")
        self._taken.add(task)
        task.add_done_callback(self._taken.discard)

    async def _begin(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        with contextlib.suppress(OSError):  # the client is gone, or speaks no TLS
            await asyncio.get_running_loop().connect_accepted_socket(self._connection, accepted, **self._options)

    def _connection(self) -> asyncio.Protocol:
        server = self._runner.server if self._runner is not None else None
        if server is None or not self._connections.make_room(asyncio.get_running_loop().time()):
            return _Full(self._refused)
        connection = Connection(server, self._connections, **self._limits)
        if self._scheme == "https":
            self._connections.expect(connection, asyncio.get_running_loop().time() + HEAD_SECONDS)
        return connection

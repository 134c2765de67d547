"""The listening socket: limits against slow and too many clients, and a stop that lets running answers finish."""

import asyncio
import socket
from typing import cast

from aiohttp import web

# A connection that sends no complete request head for this long is closed (aiohttp's default is over an hour).
HEAD_SECONDS = 15
_BACKLOG = 512
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
    b'Content-Length: 110\r\n\r\n{"error":{"message":"Too many connections; try again soon.",'
    b'"type":"server_error","param":null,"code":"busy"}}'
)


class _Full(asyncio.Protocol):
    """Connection beyond the limit: it gets a clear answer and is closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from asyncio's
        stream.write(_FULL)
        stream.close()


class Listener:
    """Server of one application on one address. Owns its socket."""

    def __init__(
        self, application: web.Application, *, host: str, port: int, drain_seconds: float, max_connections: int
    ) -> None:
        self._host = host
        self._port = port
        self._max_connections = max_connections
        self._runner = web.AppRunner(
            application,
            handler_cancellation=True,  # a client that goes away cancels its request at once
            keepalive_timeout=HEAD_SECONDS,
            shutdown_timeout=drain_seconds,
            lingering_time=1.0,  # after a refused body the connection is not kept for its rest
            access_log=None,
            auto_decompress=False,
            max_field_size=16 * 1024,
        )
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Begin to listen, and return the base URL.

        Raises:
            OSError: The address can't be had.
        """
        await self._runner.setup()
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connection, self._host, self._port, family=family, backlog=_BACKLOG
            )
        except OSError:
            await self._runner.cleanup()
            raise
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop accepting, wait for running answers as long as the drain time allows, then cut off the rest."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= self._max_connections:
            return _Full()
        return server()

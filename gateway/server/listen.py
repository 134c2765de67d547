"""Owns the listening socket: limits against slow clients, and a stop that lets running answers finish."""

import asyncio
import socket

from aiohttp import web

# A connection that sends no complete request head for this long is closed (aiohttp's default is over an hour).
HEAD_SECONDS = 15
_BACKLOG = 512


class Listener:
    """Serves one application on one address."""

    def __init__(self, application: web.Application, *, host: str, port: int, drain_seconds: float) -> None:
        self._host = host
        self._port = port
        self._runner = web.AppRunner(
            application,
            handler_cancellation=True,  # a client that goes away cancels its request at once
            keepalive_timeout=HEAD_SECONDS,
            shutdown_timeout=drain_seconds,
            access_log=None,
            auto_decompress=False,
            max_field_size=16 * 1024,
        )
        self._site: web.SockSite | None = None

    async def start(self) -> str:
        """Listens; returns the base URL. Raises OSError when the address can't be had."""
        await self._runner.setup()
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            await asyncio.get_running_loop().run_in_executor(None, listening.bind, (self._host, self._port))
        except OSError:
            listening.close()
            await self._runner.cleanup()
            raise
        self._site = web.SockSite(self._runner, listening, backlog=_BACKLOG)
        await self._site.start()
        host, port = listening.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stops accepting, waits for running answers within the drain window, then cuts off the rest."""
        if self._site is not None:
            await self._site.stop()
        await self._runner.cleanup()

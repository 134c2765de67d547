"""The egress process's event loop: as a child that is handed its connections, or by itself behind a Unix socket."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import structlog

from gateway.core.errors import ConfigurationError
from gateway.core.secret import Secret
from gateway.egress.messages import Setup
from gateway.egress.process.hardening import harden
from gateway.egress.process.server import EgressServer
from gateway.observe.logs import configure

LOG = structlog.get_logger("aduana.egress")
_MODE = 0o660  # the group: the gateway
_AT_ONCE = 64  # connections that are taken over in one step


def serve_child(lifeline: socket.socket, setup: Setup, keys: Mapping[str, Secret]) -> None:
    """Serve the connections that the gateway hands over, until it closes the lifeline."""
    configure(setup.log_format, setup.log_level)
    _run(_child(lifeline, setup, keys))


def serve_unit(path: Path, setup: Setup, keys: Mapping[str, Secret], ready: Callable[[], None]) -> None:
    """Serve whoever may open the socket at `path`, until SIGTERM.

    Raises:
        ConfigurationError: There can be no socket.
    """
    configure(setup.log_format, setup.log_level)
    harden()
    _run(_unit(path, setup, keys, ready))


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        runner.run(work)


async def _child(lifeline: socket.socket, setup: Setup, keys: Mapping[str, Secret]) -> None:
    loop = asyncio.get_running_loop()
    server, over = EgressServer(setup, keys), asyncio.Event()
    lifeline.setblocking(False)

    def handed() -> None:
        for _ in range(_AT_ONCE):
            try:
                data, descriptors, _flags, _address = socket.recv_fds(lifeline, 1, 1)
            except BlockingIOError:
                return
            except OSError:
                data, descriptors = b"", []
            for descriptor in descriptors:
                server.take(socket.socket(fileno=descriptor))
            if not data:
                over.set()
                return

    loop.add_reader(lifeline.fileno(), handed)
    try:
        await over.wait()
    finally:
        loop.remove_reader(lifeline.fileno())
        await server.close()


async def _unit(path: Path, setup: Setup, keys: Mapping[str, Secret], ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    server, over = EgressServer(setup, keys), asyncio.Event()
    await server.warm()
    listener = _listener(path)
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, over.set)

    async def take() -> None:
        while True:
            connection, _ = await loop.sock_accept(listener)
            server.take(connection)

    taking = loop.create_task(take(), name="connections of the gateway")
    LOG.info("egress.listening", path=str(path))
    ready()
    try:
        await over.wait()
    finally:
        taking.cancel()
        await asyncio.wait([taking])
        listener.close()
        await server.close()


def _listener(path: Path) -> socket.socket:
    """Return a socket at `path` that its folder's users may open, in place of one that nobody listens on any more.

    Raises:
        ConfigurationError: There can be none.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket():
            path.unlink()
        listener.bind(str(path))
        path.chmod(_MODE)
        listener.listen(512)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ConfigurationError((f"egress.socket: {path}: {error.strerror or error}.",)) from error
    return listener

"""The egress process's event loop: a child that is handed its connections, or by itself behind a socket or a port."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec
import structlog

from gateway.core.secret import Secret
from gateway.egress.messages import Setup
from gateway.egress.process.hardening import harden
from gateway.egress.process.server import EgressServer
from gateway.egress.tls import Secured
from gateway.observe.logs import configure

LOG = structlog.get_logger("aduana.egress")
_AT_ONCE = 64  # connections that are taken over in one step
_PAUSE = 0.1


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A process of its own. `place`: where it listens, in words; `ready`: is called when it does.

    `tls`: what whoever comes has to show; None: the socket's folder says who may come. `drain_seconds`: how long
    answers may go on after SIGTERM.
    """

    listen: Callable[[], socket.socket]
    place: str
    tls: Secured | None
    ready: Callable[[], None]
    drain_seconds: float


def serve_child(lifeline: socket.socket, setup: Setup, keys: Mapping[str, Secret]) -> None:
    """Serve the connections that the gateway hands over, until it closes the lifeline."""
    configure(setup.log_format, setup.log_level)
    _run(_child(lifeline, setup, keys))


def serve_unit(unit: Unit, setup: Setup, keys: Mapping[str, Secret]) -> None:
    """Serve whoever may come, until SIGTERM.

    Raises:
        ConfigurationError: It can't listen there.
    """
    configure(setup.log_format, setup.log_level)
    harden()
    _run(_unit(unit, setup, keys))


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


async def _unit(unit: Unit, setup: Setup, keys: Mapping[str, Secret]) -> None:
    loop = asyncio.get_running_loop()
    server, over = EgressServer(setup, keys), asyncio.Event()
    await server.warm()
    listener = unit.listen()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, over.set)

    async def take() -> None:
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:  # descriptors have run out, or whoever came is gone
                LOG.error("egress.failed", error=type(error).__name__)
                await asyncio.sleep(_PAUSE)
            else:
                server.take(connection, unit.tls)

    tasks = [
        loop.create_task(take(), name="connections of the gateway"),
        loop.create_task(server.keep_reaching(), name="probe of the way out"),
    ]
    LOG.info("egress.listening", at=unit.place)
    unit.ready()
    try:
        await over.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        listener.close()
        await server.drain(unit.drain_seconds)
        await server.close()

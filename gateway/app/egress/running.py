"""The way out to clouds as it is configured: in a child process, in another user's, or in the gateway itself."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gateway.app.egress.clouds import clouds_of
from gateway.app.egress.setup import setup_of
from gateway.core.errors import ConfigurationError
from gateway.egress.child import EgressChild
from gateway.egress.keys import handed_keys, new_seal, read_secret, seal_from
from gateway.egress.messages import Setup
from gateway.egress.sender import Sender
from gateway.egress.signing import Signer
from gateway.settings import Settings


class Egress:
    """Way out in another process. `sender` hands over to it; `started` returns when it can."""

    def __init__(self, sender: Sender, starting: asyncio.Task[None] | None) -> None:
        self.sender = sender
        self._starting = starting

    async def started(self) -> None:
        """Return when the process has read its keys.

        Raises:
            ConfigurationError: It can't be started, or a key can't be had.
        """
        if self._starting is not None:
            await asyncio.shield(self._starting)


class UnitConnecting:
    """Maker of connections to the process of another user."""

    problem = ""  # it is started by others, and may answer again at any time

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    async def connect(self) -> socket.socket:
        """Return a new connection.

        Raises:
            OSError: It does not answer.
        """
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection


@asynccontextmanager
async def running_egress(settings: Settings) -> AsyncGenerator[Egress | None, None]:
    """Begin to start the way out; end it with the context. None: the gateway asks clouds by itself, or none.

    Raises:
        ConfigurationError: The key of the signatures can't be had.
    """
    egress = settings.egress
    if egress.process == "none" or not any(True for _ in clouds_of(settings)):
        yield None
        return
    async with AsyncExitStack() as stack:
        if egress.process == "unit":
            assert egress.socket is not None
            sender = Sender(UnitConnecting(egress.socket), Signer(_shared_seal(settings)))
            stack.push_async_callback(sender.close)
            yield Egress(sender, None)
            return
        seal = new_seal()
        child = EgressChild(setup_of(settings, seal), os.environ, handed_keys())
        starting = asyncio.create_task(child.start(), name="start of the egress process")
        stack.push_async_callback(_ended, starting, child)
        sender = Sender(child, Signer(seal))
        stack.push_async_callback(sender.close)
        yield Egress(sender, starting)


async def _ended(starting: "asyncio.Task[None]", child: EgressChild) -> None:
    starting.cancel()
    await asyncio.wait([starting])
    await child.close()


def _shared_seal(settings: Settings) -> bytes:
    assert settings.egress.key is not None
    try:
        return seal_from(read_secret(settings.egress.key))
    except ConfigurationError as error:
        raise ConfigurationError(tuple(_named(problem) for problem in error.problems)) from error


def _named(problem: str) -> str:
    return problem if problem.startswith("egress.key: ") else f"egress.key: {problem}"


def unit_setup(settings: Settings) -> Setup:
    """Return what a process of its own needs.

    Raises:
        ConfigurationError: The key of the signatures can't be had, or a target can't be asked safely.
    """
    return setup_of(settings, _shared_seal(settings), tells=True)

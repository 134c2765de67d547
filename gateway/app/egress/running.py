"""The way out to clouds as it is configured: in a child process, in another user's, or in the gateway itself."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.app.egress.clouds import clouds_of
from gateway.app.egress.connecting import RemoteConnecting, UnitConnecting
from gateway.app.egress.setup import setup_of
from gateway.core.errors import ConfigurationError
from gateway.egress.child import EgressChild
from gateway.egress.keys import handed_keys, new_seal, read_secret, seal_from
from gateway.egress.messages import Setup
from gateway.egress.sender import Sender
from gateway.egress.signing import Signer
from gateway.egress.tls import Secured, TlsFiles
from gateway.settings import Settings
from gateway.settings.egress import EgressConfig


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


@asynccontextmanager
async def running_egress(settings: Settings) -> AsyncGenerator[Egress | None, None]:
    """Begin to start the way out; end it with the context. None: the gateway asks clouds by itself, or none.

    Raises:
        ConfigurationError: The key of the signatures, or a certificate, can't be had.
    """
    egress = settings.egress
    if egress.process == "none" or not any(True for _ in clouds_of(settings)):
        yield None
        return
    async with AsyncExitStack() as stack:
        if egress.process == "unit":
            sender = Sender(_connecting(egress), Signer(_shared_seal(settings)))
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


def secured(egress: EgressConfig, host: str | None = None) -> Secured:
    """Return what secures the way between machines, for the side that calls `host`, or for the one that is called.

    Raises:
        ConfigurationError: A file can't be used.
    """
    assert egress.tls is not None
    files = TlsFiles(authority=egress.tls.authority, certificate=egress.tls.certificate, key=egress.tls.key)
    return Secured(files, host)


def _connecting(egress: EgressConfig) -> UnitConnecting | RemoteConnecting:
    if egress.socket is not None:
        return UnitConnecting(egress.socket)
    host, port = egress.host_and_port
    return RemoteConnecting(port, secured(egress, host))


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

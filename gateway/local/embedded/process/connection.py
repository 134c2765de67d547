"""Gateway's end of a worker: spawning the process, and the socket to it."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from gateway.engine.messages import Frames, ToGateway, ToWorker, frame, to_gateway
from gateway.engine.settings import EngineSettings
from gateway.engine.tuning.threads import wait_environment
from gateway.local.worker_environment import worker_environment


class WorkerConnection(asyncio.Protocol):
    """Socket to a worker. `closed` is done when it is closed, by whichever side."""

    def __init__(self, received: Callable[[ToGateway], None]) -> None:
        self._received = received
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's, so this can't be asserted.
        """Keep the transport to write to."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand over each message that is complete now."""
        for body in self._frames.feed(data):
            self._received(to_gateway.decode(body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Set `closed`."""
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, message: ToWorker) -> None:
        """Send a message; what the socket does not take at once waits."""
        assert self._transport is not None
        self._transport.write(frame(message))

    def close(self) -> None:
        """Close the socket, which ends the worker."""
        if self._transport is not None:
            self._transport.close()


Spawn: TypeAlias = Callable[[socket.socket, EngineSettings], Awaitable[asyncio.subprocess.Process]]


async def spawn(theirs: socket.socket, settings: EngineSettings) -> asyncio.subprocess.Process:
    """Start a worker process that holds `theirs`.

    Raises:
        OSError: it can't be started.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.engine",
        str(theirs.fileno()),
        pass_fds=[theirs.fileno()],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=wait_environment(settings.thread_wait) | worker_environment(),
    )

"""The egress process as a child of the gateway: started, told its settings, begun again when it dies, ended.

No socket of it has a name: the gateway makes both ends of each connection and hands one over, so that nobody else can.
"""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Mapping

import structlog

from gateway.core.errors import ConfigurationError
from gateway.egress.keys import variable_of
from gateway.egress.messages import Broken, Kind, Report, Setup, frame, read_message
from gateway.egress.streams import open_streams
from gateway.local.worker_environment import worker_environment

LOG = structlog.get_logger("aduana.egress")
_START_SECONDS = 60.0  # a machine that is busy loads libraries slowly
_END_SECONDS = 5.0
_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_FULL_PAUSE = 0.005  # seconds until it has taken some of the connections that wait
_NO_PROCESS = "The egress process, which alone can reach clouds, does not run."


class EgressChild:
    """Owner of the process. `problem`: why it can't be asked, in a sentence; empty: it can."""

    def __init__(self, setup: Setup, environment: Mapping[str, str], descriptor: int | None = None) -> None:
        """Start nothing yet.

        Args:
            setup: What the process is told.
            environment: The variables that clouds' keys may stand in.
            descriptor: Of a file with further ones, that nobody here reads.
        """
        self._setup = setup
        self._descriptor = descriptor
        names = [variable_of(provider.key) for provider in setup.providers]
        self._keys = {name: environment[name] for name in names if name is not None and name in environment}
        self._process: asyncio.subprocess.Process | None = None
        self._lifeline: socket.socket | None = None
        self._watch: asyncio.Task[None] | None = None
        self.problem = _NO_PROCESS
        self.tls = None  # nobody else can read what the two say to each other
        self.pid: int | None = None

    async def start(self) -> None:
        """Start it, and return when it has read its keys.

        Raises:
            ConfigurationError: It can't be started, or a key can't be had.
        """
        report = await self._begin(self._keys)
        self._keys = {}
        if report.problems:
            await self.close()
            raise ConfigurationError(report.problems)
        self._watch = asyncio.get_running_loop().create_task(self._look_after(), name="egress process")

    async def connect(self) -> socket.socket:
        """Return a new connection to it.

        Raises:
            ConnectionRefusedError: It does not run.
            OSError: It has just ended.
        """
        if self._lifeline is None or self.problem:
            raise ConnectionRefusedError(self.problem)
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                while not _handed(self._lifeline, theirs):  # noqa: ASYNC110 - a socket that is full tells nobody
                    await asyncio.sleep(_FULL_PAUSE)
            except BaseException:
                ours.close()
                raise
        return ours

    async def close(self) -> None:
        """End it."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.wait([watch])
        await self._end()
        self.problem = _NO_PROCESS

    async def _begin(self, keys: Mapping[str, str]) -> Report:
        """Start the process and return what it says of its keys.

        Raises:
            ConfigurationError: It can't be started.
        """
        ours, theirs = socket.socketpair()
        descriptor, self._descriptor = self._descriptor, None
        handed = [theirs.fileno(), *([] if descriptor is None else [descriptor])]
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "gateway.egress",
                    *map(str, handed),
                    pass_fds=handed,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    env=worker_environment() | dict(keys),
                )
            except OSError as error:
                ours.close()
                raise ConfigurationError((f"egress.process: it can't be started: {error.strerror}.",)) from error
            finally:
                if descriptor is not None:
                    os.close(descriptor)  # INVARIANT: from now on the other process alone can read it
        self.pid, self._lifeline = self._process.pid, ours
        report = await self._reported(ours)
        self.problem = "" if not report.problems else _NO_PROCESS
        return report

    async def _reported(self, lifeline: socket.socket) -> Report:
        """Tell the process its settings, and return its answer.

        Raises:
            ConfigurationError: It does not give one.
        """
        # The streams get a copy of the descriptor: what is left of the socket is for handing connections over.
        reader, writer = await open_streams(lifeline.dup())
        try:
            writer.write(frame(Kind.SETUP, self._setup))
            async with asyncio.timeout(_START_SECONDS):
                return await read_message(reader, Kind.REPORT, Report)
        except (Broken, TimeoutError, OSError) as error:
            await self._end()
            raise ConfigurationError(("egress.process: it did not start; its own words stand above.",)) from error
        finally:
            writer.transport.abort()

    async def _look_after(self) -> None:
        """Begin it again when it dies: with its keys, if they stand in files; those of variables went with it."""
        loop, pause = asyncio.get_running_loop(), _PAUSE
        while self._process is not None:
            begun = loop.time()
            code = await self._process.wait()
            self.problem = _NO_PROCESS
            await self._end()
            pause = _PAUSE if loop.time() - begun > _LONGEST_PAUSE else pause
            LOG.error("egress.died", exit_code=code, retry_in=pause)
            report: Report | None = None
            while report is None:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                with contextlib.suppress(ConfigurationError, OSError):  # also where descriptors have run out
                    report = await self._begin({})
            for problem in report.problems:
                LOG.error("egress.failed", problem=problem)
            if report.problems:
                self.problem = f"{_NO_PROCESS} Its keys went with it: start the gateway again."
                await self._end()

    async def _end(self) -> None:
        """Close the lifeline, which ends the process, and wait until it is gone."""
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            lifeline.close()
        process = self._process
        if process is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        self._process, self.pid = None, None  # only now: whoever is cancelled before leaves it for `close`


def _handed(lifeline: socket.socket, connection: socket.socket) -> bool:
    """Hand a connection over; False: too many wait to be taken.

    Raises:
        OSError: The process has ended.
    """
    try:
        socket.send_fds(lifeline, [b"c"], [connection.fileno()])
    except BlockingIOError:
        return False
    return True

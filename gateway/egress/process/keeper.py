"""Keeper of the child process: reads settings and keys once, and forks the process that speaks to gateway and clouds.

When that one dies, another fork is there at once, and with it the keys, which the gateway has no more.
"""

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable

import structlog

from gateway.core.errors import ConfigurationError
from gateway.core.secret import Secret
from gateway.egress.keys import read_secret, scrub, take_keys, variable_of
from gateway.egress.messages import Broken, Kind, Report, Setup, frame, unpack
from gateway.egress.process.hardening import harden

LOG = structlog.get_logger("aduana.egress")
_HEAD = 5
_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds before the next fork; doubled where one dies at once
_PROVEN_SECONDS = 5.0
_END_SECONDS = 3.0


def keep(descriptor: int, variables: int | None = None) -> int:
    """Run until the gateway closes the socket `descriptor`, and return the exit status.

    `variables`: descriptor of a file with the variables that keys stand in.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the gateway lets running answers end first, and then ends this one
    harden(os.getppid())
    with socket.socket(fileno=descriptor) as lifeline:
        try:
            setup = _setup(lifeline)
        except (Broken, OSError):
            return 1
        if variables is not None:
            take_keys(variables)
        keys, problems = read_keys(setup)
        try:
            lifeline.sendall(frame(Kind.REPORT, Report(problems=problems)))
        except OSError:
            return 1  # the gateway is gone: something else kept it from starting, and it said what
        if problems:
            return 2
        # Imported once, for all forks, and after the gateway was told.
        from gateway.egress.process.running import serve_child

        gc.collect()
        gc.freeze()  # what is never looked through stays one copy for keeper and fork
        _forks(lifeline, lambda: serve_child(lifeline, setup, keys))
    return 0


def read_keys(setup: Setup) -> tuple[dict[str, Secret], tuple[str, ...]]:
    """Return the providers' keys by target, and in sentences which can't be had."""
    keys: dict[str, Secret] = {}
    problems: list[str] = []
    for provider in setup.providers:
        if provider.key is None:
            continue
        try:
            keys[provider.name] = Secret(read_secret(provider.key))
        except ConfigurationError as error:
            problems += [f"targets.{provider.name}.api_key: {problem}" for problem in error.problems]
    scrub(name for provider in setup.providers if (name := variable_of(provider.key)) is not None)
    return keys, tuple(problems)


def _setup(lifeline: socket.socket) -> Setup:
    """Return the settings, which are the first that comes.

    Raises:
        Broken: Something else comes.
        OSError: The socket broke.
    """
    start = _exactly(lifeline, _HEAD)
    if start[4] != Kind.SETUP:
        raise Broken
    return unpack(_exactly(lifeline, int.from_bytes(start[:4], "little")), Setup)


def _exactly(lifeline: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = lifeline.recv(size - len(data))
        if not part:
            raise Broken
        data += part
    return bytes(data)


def _forks(lifeline: socket.socket, serve: Callable[[], None]) -> None:
    """Fork a process that serves, and another one whenever it ends, until the lifeline's other end is closed."""
    pause = _PAUSE
    while True:
        begun = time.monotonic()
        try:
            number, alive = _fork(lifeline, serve)
        except OSError as error:  # no process or descriptor is to be had; ending here would lose the keys
            LOG.error("egress.failed", error=type(error).__name__, retry_in=pause)
        else:
            ended = _wait_for_end(lifeline, alive)
            alive.close()
            if ended:
                _let_end(number)
                return
            os.waitpid(number, 0)
        pause = _PAUSE if time.monotonic() - begun > _PROVEN_SECONDS else pause
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _fork(lifeline: socket.socket, serve: Callable[[], None]) -> tuple[int, socket.socket]:
    """Return the number of a new process that serves, and a socket that ends with it.

    Raises:
        OSError: There can be none just now.
    """
    ours, theirs = socket.socketpair()
    sys.stderr.flush()
    keeper = os.getpid()
    try:
        number = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        raise
    if number:
        theirs.close()
        return number, ours
    status = 1
    try:
        ours.close()
        harden(keeper)
        serve()
        status = 0
    except Exception as error:  # noqa: BLE001 - the keeper only sees that it ended; why is told here, by its kind
        LOG.critical("egress.failed", error=type(error).__name__)
    finally:
        os._exit(status)


def _wait_for_end(lifeline: socket.socket, alive: socket.socket) -> bool:
    """Return when either other end is closed; whether it was the gateway's. What comes by the lifeline is not ours."""
    poll = select.poll()
    poll.register(lifeline, 0)
    poll.register(alive, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            return descriptor == lifeline.fileno()


def _let_end(number: int) -> None:
    """Wait until the process has ended; it hears of the end by itself."""
    until = time.monotonic() + _END_SECONDS
    while time.monotonic() < until:
        if os.waitpid(number, os.WNOHANG)[0]:
            return
        time.sleep(0.01)
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)

"""Start of a process that hears."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from gateway.local.worker_environment import worker_environment

Spawn: TypeAlias = Callable[[socket.socket], Awaitable[asyncio.subprocess.Process]]


async def spawn(theirs: socket.socket) -> asyncio.subprocess.Process:
    """Start a worker process that holds `theirs`.

    Raises:
        OSError: It can't be started.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.speech",
        str(theirs.fileno()),
        pass_fds=[theirs.fileno()],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=worker_environment() | {"HF_HUB_OFFLINE": "1"},
    )

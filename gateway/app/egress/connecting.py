"""Connections to an egress process that others start: another user's on this machine, or one on another machine."""

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterator
from pathlib import Path

from gateway.egress.tls import Secured

_CONNECT_SECONDS = 3.0


class UnitConnecting:
    """Maker of connections to the process of another user."""

    problem = ""  # it is started by others, and may answer again at any time
    tls = None

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    async def connect(self) -> socket.socket:
        """Return a new connection.

        Raises:
            OSError: It does not answer.
        """
        with _closed_unless_used(socket.socket(socket.AF_UNIX)) as connection:
            await asyncio.get_running_loop().sock_connect(connection, self._path)
        return connection


class RemoteConnecting:
    """Maker of connections to the processes behind one name: whichever answers first, beginning with any of them."""

    problem = ""

    def __init__(self, port: int, tls: Secured) -> None:
        assert tls.host is not None
        self.tls = tls
        self._host, self._port = tls.host, port

    async def connect(self) -> socket.socket:
        """Return a new connection, not yet secured.

        Raises:
            OSError: None of them answers.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        random.shuffle(found)
        last: OSError | None = None
        for family, kind, protocol, _, address in found:
            try:
                with _closed_unless_used(socket.socket(family, kind, protocol)) as connection:
                    async with asyncio.timeout(_CONNECT_SECONDS):
                        await loop.sock_connect(connection, address)
            except OSError as error:  # nothing was sent: the next one is asked; TimeoutError is one, too
                last = error
            else:
                return connection
        raise last or ConnectionRefusedError(f"no address of {self._host}")


@contextlib.contextmanager
def _closed_unless_used(connection: socket.socket) -> Iterator[socket.socket]:
    try:
        connection.setblocking(False)
        yield connection
    except BaseException:
        connection.close()
        raise

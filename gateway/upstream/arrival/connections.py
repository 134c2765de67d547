"""An answer's bytes handed over in the call in which they arrive: aiohttp's connections, with a word at each arrival.

aiohttp reads, unpacks chunks and notices ends, as ever. Only the last step is another one: where somebody waits for
bytes with `pour`, no task is woken for them. Opens no connection.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import aiohttp
from aiohttp.client_proto import ResponseHandler

_PIECE = 64 * 1024  # bytes at a time: an answer whose reader is slow shall wait at its server, not here
Take: TypeAlias = Callable[[bytes], bool]
"""Takes bytes, and returns whether it can take more now. What it was given is taken, whatever it says."""


class Arriving(ResponseHandler):
    """One connection. `came` is called behind whatever has come: bytes, or the connection's end."""

    came: Callable[[], None] | None = None

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        super().data_received(data)
        if self._exception is not None and self._payload is not None and not self._payload.is_eof():
            # Whoever reads the body would never hear that it stopped being HTTP: aiohttp tells the next request only.
            self._payload.set_exception(aiohttp.ClientPayloadError("no HTTP any more"), self._exception)
        if self.came is not None:
            self.came()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note the end."""
        super().connection_lost(exc)
        if self.came is not None:
            self.came()


class ArrivingConnector(aiohttp.TCPConnector):
    """aiohttp's owner of connections, whose connections are of this kind."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory = partial(_connection, loop=self._loop)


def _connection(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return Arriving(loop)


async def pour(content: aiohttp.StreamReader, connection: object, take: Take) -> bool:
    """Hand an answer's raw bytes to `take` as they arrive.

    Returns True as soon as `take` can't take more, and False where only reading tells what comes next: the last bytes
    of the answer, its end, or how its connection broke.

    Args:
        content: The answer's body. Nobody else reads it meanwhile.
        connection: Where it comes from. Of another kind than `Arriving`, or None (all has come): False at once.
        take: Gets the bytes; what it raises is raised here.
    """
    if not isinstance(connection, Arriving) or content.is_eof():
        return False
    waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    taking = False

    def came() -> None:
        nonlocal taking
        if taking or waiter.done():  # in the middle of it; or all is taken, or whoever waited was cancelled
            return
        taking = True
        try:
            while True:
                if content._eof or content._exception is not None:
                    waiter.set_result(False)
                    return
                if not (data := _come(content, connection)):
                    return
                if not take(data):
                    waiter.set_result(True)
                    return
                if not content._buffer and not content._eof:  # nearly always
                    return
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            waiter.set_exception(error)
        finally:
            taking = False

    came()
    connection.came = came
    try:
        return await waiter
    finally:
        if connection.came is came:  # else it is another request's already
            connection.came = None


def come(content: aiohttp.StreamReader, connection: object) -> bytes:
    """Return bytes that have come, without waiting; empty: none have, or only reading tells what comes next."""
    if content.at_eof() or content.exception() is not None or not isinstance(connection, Arriving):
        return b""
    return _come(content, connection)


def _come(content: aiohttp.StreamReader, connection: Arriving) -> bytes:
    waiting = content._buffer
    if not waiting:
        return b""
    if content._size > _PIECE or content._buffer_offset or connection._reading_paused:
        return content.read_nowait(_PIECE)
    # What `read_nowait` does, without asking a connection to go on that never stopped: that costs more than the rest.
    data = waiting.popleft() if len(waiting) == 1 else b"".join(waiting)
    waiting.clear()
    content._size = 0
    content._cursor += len(data)
    if content._http_chunk_splits:
        content._http_chunk_splits.clear()
    return data

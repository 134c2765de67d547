"""Bytes of an answer are handed over where they arrive: all of them, in their order, and none behind a refusal."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from gateway.upstream.arrival.connections import Arriving, ArrivingConnector, come, pour
from tests.faults.fault_server import STREAM, Exchange, FaultServer, Script, answer


@asynccontextmanager
async def asked(script: Script) -> AsyncGenerator[tuple[aiohttp.StreamReader, object], None]:
    """The body of an answer that has begun, and its connection."""
    async with (
        FaultServer(script) as server,
        aiohttp.ClientSession(connector=ArrivingConnector(), read_bufsize=1024) as session,
        session.post(f"{server.base_url}/chat") as response,
    ):
        assert response.connection is not None
        yield response.content, response.connection.protocol


async def until(there: Callable[[], bool]) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(60):
        while not there():  # noqa: ASYNC110 - aiohttp has no event to wait for
            await asyncio.sleep(0)


class Pieces:
    """Sends what a test tells it to."""

    def __init__(self) -> None:
        self.wanted: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def __call__(self, exchange: Exchange) -> None:
        await exchange.send(STREAM)
        while (piece := await self.wanted.get()) is not None:
            await exchange.chunk(piece)
        await exchange.finish()


async def test_bytes_are_taken_as_they_arrive_until_no_more_are_wanted() -> None:
    """What is refused for the next time is not taken from whoever reads after that; and the end is told by reading."""
    pieces, taken = Pieces(), list[bytes]()
    async with asked(pieces) as (content, connection):
        pouring = asyncio.create_task(pour(content, connection, lambda piece: taken.append(piece) is None))
        for piece in (b"one", b"two"):
            pieces.wanted.put_nowait(piece)
            await until(lambda piece=piece: piece in taken)
        pouring.cancel()
        await asyncio.wait([pouring])
        pieces.wanted.put_nowait(b"three")
        assert await content.readany() == b"three"
        pieces.wanted.put_nowait(b"four")
        assert await pour(content, connection, lambda piece: taken.append(piece) is not None) is True
        pieces.wanted.put_nowait(b"five")
        pieces.wanted.put_nowait(None)
        await until(content.is_eof)
        assert await pour(content, connection, lambda piece: taken.append(piece) is None) is False
        assert await content.readany() == b"five"
    assert taken == [b"one", b"two", b"four"]


async def test_what_has_come_is_there_without_waiting() -> None:
    """All of it, once; while nothing has come, and behind the end, there is nothing, and reading goes on from there."""
    pieces = Pieces()
    async with asked(pieces) as (content, connection):
        assert come(content, connection) == b""
        pieces.wanted.put_nowait(b"one")
        pieces.wanted.put_nowait(b"two")
        await until(lambda: content.total_bytes == 6)
        assert come(content, connection) == b"onetwo"
        assert come(content, connection) == b""
        pieces.wanted.put_nowait(b"three")
        assert await content.readany() == b"three"
        pieces.wanted.put_nowait(b"four")
        pieces.wanted.put_nowait(None)
        await until(content.is_eof)
        assert (come(content, connection), content.at_eof()) == (b"four", True)
        assert come(content, connection) == b""


async def test_a_broken_connection_is_told_by_reading() -> None:
    """A body that is cut off ends the waiting, and the reading that follows says how it ended."""

    async def cut(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        await exchange.chunk(b"one")
        exchange.reset()

    async with asked(cut) as (content, connection):
        assert await pour(content, connection, lambda _: True) is False
        with pytest.raises((aiohttp.ClientError, OSError)):
            while await content.readany():
                pass


async def test_what_has_piled_up_is_taken_in_its_order() -> None:
    """Of an answer that came while nobody read it, and was stopped for it, nothing is lost or comes too early."""
    body = b"".join(b"%07d\n" % number for number in range(100_000))

    async def much(exchange: Exchange) -> None:
        await exchange.send(answer(200, body))
        await exchange.until_gone()

    async with asked(much) as (content, connection):
        assert isinstance(connection, Arriving)
        await until(lambda: connection._reading_paused)
        taken = bytearray()
        while await pour(content, connection, lambda piece: taken.extend(piece) is not None):
            pass
        while piece := await content.readany():
            taken += piece
    assert bytes(taken) == body


async def test_what_fails_in_the_taking_is_raised_where_it_was_waited_for() -> None:
    """An error of whoever takes ends the waiting, not the connection."""

    def failing(piece: bytes) -> bool:
        raise ValueError(piece)

    pieces = Pieces()
    async with asked(pieces) as (content, connection):
        pieces.wanted.put_nowait(b"one")
        with pytest.raises(ValueError, match="one"):
            await pour(content, connection, failing)
        pieces.wanted.put_nowait(b"two")
        pieces.wanted.put_nowait(None)
        assert await content.readany() == b"two"

"""The connections to a local server: kept and shared, no answer taken for another, nothing sent twice."""

import asyncio

import pytest

from gateway.core.errors import AduanaError
from gateway.core.secret import Secret
from gateway.local.http.session import LocalReply, LocalSession
from gateway.local.http.settings import HttpSettings
from tests.faults.fault_server import GOOD, Exchange, FaultServer, answer


async def whole(reply: LocalReply) -> bytes:
    """Read an answer to its end, and close it."""
    body = b""
    while part := await reply.read():
        body += part
    await reply.close()
    return body


async def test_what_comes_unasked_answers_nobody() -> None:
    """Bytes that a server sends behind its answer are not taken for the answer to the next request."""
    read, sent = asyncio.Event(), asyncio.Event()

    async def talkative(exchange: Exchange) -> None:
        await exchange.send(answer(200, b"the answer"))
        if exchange.number == 0:
            await read.wait()
            await exchange.send(answer(200, b"of somebody else"))
            sent.set()

    async with FaultServer(talkative) as server:
        session = LocalSession("den", HttpSettings(base_url=server.base_url))
        try:
            assert await whole(await session.post("/chat/completions", b"{}", most_bytes=100)) == b"the answer"
            read.set()
            await sent.wait()
            for _ in range(5):  # what was sent is there; the loop has yet to look
                await asyncio.sleep(0)
            assert await whole(await session.post("/chat/completions", b"{}", most_bytes=100)) == b"the answer"
        finally:
            await session.close()
        assert server.connections == 2


async def test_connections_are_kept() -> None:
    """One request after the other takes one connection to the server, documents and pages alike."""
    async with FaultServer(GOOD) as server:
        session = LocalSession("den", HttpSettings(base_url=server.base_url))
        try:
            for _ in range(2):
                assert await whole(await session.post("/chat/completions", b"{}", most_bytes=100))
                assert await whole(await session.get("/models", most_bytes=100))
        finally:
            await session.close()
        assert (server.connections, len(server.requests)) == (1, 4)


async def test_an_answer_that_is_left_takes_its_connection_along() -> None:
    """What was not read to its end is read by nobody else."""
    async with FaultServer(GOOD) as server:
        session = LocalSession("den", HttpSettings(base_url=server.base_url))
        try:
            await (await session.post("/chat/completions", b"{}", most_bytes=100)).close()
            assert await whole(await session.post("/chat/completions", b"{}", most_bytes=100))
        finally:
            await session.close()
        assert server.connections == 2


@pytest.mark.parametrize("what", ["document", "page"])
async def test_a_page_is_asked_for_again_and_a_document_is_not(what: str) -> None:
    """Of a request on a connection that ends just then nobody knows whether it was worked on."""

    async def ends(exchange: Exchange) -> None:
        exchange.close()

    async with FaultServer(ends, listing=ends) as server:
        session = LocalSession("den", HttpSettings(base_url=server.base_url))
        try:
            with pytest.raises(AduanaError) as raised:
                if what == "page":
                    await session.get("/models", most_bytes=100)
                else:
                    await session.post("/chat/completions", b"{}", most_bytes=100)
        finally:
            await session.close()
        assert raised.value.code == "target_disconnected"
        assert len(server.requests) == (2 if what == "page" else 1)


@pytest.mark.parametrize("key", ["sk-1\r\nX-More: y", "sk-1\n"])
async def test_a_key_adds_no_header(key: str) -> None:
    """A key that can't stand in a header sends nothing, and is not shown."""
    async with FaultServer(GOOD) as server:
        session = LocalSession("den", HttpSettings(base_url=server.base_url, api_key=Secret(key)))
        try:
            with pytest.raises(AduanaError) as raised:
                await session.post("/chat/completions", b"{}", most_bytes=100)
        finally:
            await session.close()
        assert "sk-1" not in str(raised.value)
        assert not server.requests

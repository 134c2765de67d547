"""The provider's client has one way out, and takes no answer for another."""

import asyncio
import socket
from pathlib import Path

import openai
import pytest

from gateway.cloud import CloudSettings
from gateway.cloud.client import CloudReply, ProviderClient
from gateway.core.errors import AduanaError, TargetError
from gateway.core.secret import Secret
from tests.faults.certificates import Authority
from tests.faults.fault_server import GOOD, Exchange, FaultServer, answer


async def whole(reply: CloudReply) -> bytes:
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
        client = ProviderClient("big", CloudSettings(base_url=server.base_url))
        try:
            assert await whole(await client.send("/chat/completions", b"{}", most_bytes=100)) == b"the answer"
            read.set()
            await sent.wait()
            for _ in range(5):  # what was sent is there; the loop has yet to look
                await asyncio.sleep(0)
            assert await whole(await client.send("/chat/completions", b"{}", most_bytes=100)) == b"the answer"
        finally:
            await client.close()
        assert server.connections == 2


async def test_connections_are_kept() -> None:
    """One request after the other takes one connection to the provider."""
    async with FaultServer(GOOD) as server:
        client = ProviderClient("big", CloudSettings(base_url=server.base_url))
        try:
            for _ in range(3):
                assert await whole(await client.send("/chat/completions", b"{}", most_bytes=100))
        finally:
            await client.close()
        assert (server.connections, len(server.posts)) == (1, 3)


async def test_the_package_has_no_way_of_its_own() -> None:
    """Whatever else the package offers sends nothing."""
    async with FaultServer(GOOD) as server:
        client = ProviderClient("big", CloudSettings(base_url=server.base_url))
        try:
            with pytest.raises(openai.OpenAIError):
                await client.models.list()
        finally:
            await client.close()
        assert not server.connections


@pytest.mark.parametrize("key", ["sk-1\r\nX-More: y", "sk-\N{EM DASH}", "sk-1\n"])
async def test_a_key_adds_no_header(key: str) -> None:
    """A key that can't stand in a header sends nothing, and is not shown."""
    async with FaultServer(GOOD) as server:
        client = ProviderClient("big", CloudSettings(base_url=server.base_url, api_key=Secret(key)))
        try:
            with pytest.raises(TargetError) as caught:
                await client.send("/chat/completions", b"{}", most_bytes=100)
        finally:
            await client.close()
        assert not server.requests
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("end", ["cancelled", "refused"])
async def test_a_body_that_nobody_wants_any_more_stops(scheme: str, end: str, tmp_path: Path) -> None:
    """What has not left of a long body stays here once the client is gone, or the provider has answered."""
    size, authority = 64 * 2**20, Authority(tmp_path)
    asked, over = asyncio.Event(), asyncio.Event()
    came = asyncio.get_running_loop().create_future()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got = len(await reader.read(1000))
        asked.set()
        if end == "refused":
            writer.write(answer(413, b"{}"))
        await over.wait()
        try:
            while part := await reader.read(2**16):
                got += len(part)
        except OSError:
            pass
        writer.close()
        came.set_result(got)

    tls = authority.server() if scheme == "https" else None
    async with await asyncio.start_server(slow, "127.0.0.1", 0, family=socket.AF_INET, ssl=tls) as server:
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        client = ProviderClient("big", CloudSettings(base_url=url, ca_file=str(authority.file)))
        sending = asyncio.create_task(client.send("/chat/completions", b"x" * size, most_bytes=100))
        await asked.wait()
        if end == "cancelled":
            sending.cancel()
        with pytest.raises(asyncio.CancelledError if end == "cancelled" else AduanaError):
            await sending
        over.set()
        async with asyncio.timeout(30):
            assert await came < size / 2
        await client.close()

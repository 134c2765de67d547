"""Embeddings come whole: the same faults as for streams, and vectors that are missing or impossible."""

import asyncio
import gzip
import json

import pytest

from gateway.core.delta import Embeddings
from gateway.core.errors import AduanaError
from tests.faults.fault_server import Exchange, FaultServer, Script, plain
from tests.faults.targets import KINDS, Probe

pytestmark = pytest.mark.parametrize("kind", KINDS)

VECTORS = {
    "data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2]}],
    "usage": {"prompt_tokens": 4},
}
GOOD = json.dumps(VECTORS).encode()


async def cut(exchange: Exchange) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(GOOD)}\r\n\r\n"
    await exchange.send(head.encode(), GOOD[:-20])
    exchange.reset()


async def stall(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    await exchange.until_gone()


async def drip(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await exchange.chunk(b" ")
        await asyncio.sleep(0.02)


BROKEN: dict[str, tuple[Script, str]] = {
    "html": (plain(200, b"<html>Sign in</html>", "text/html"), "target_protocol_error"),
    "empty": (plain(200, b""), "target_protocol_error"),
    "an error with status 200": (plain(200, b'{"error":{"message":"no"}}'), "target_error"),
    "one vector too few": (plain(200, b'{"data":[{"index":0,"embedding":[1]}]}'), "target_protocol_error"),
    "different lengths": (
        plain(200, b'{"data":[{"embedding":[1]},{"embedding":[1,2]}]}'),
        "target_protocol_error",
    ),
    "too large a number": (plain(200, b'{"data":[{"embedding":[1e99]},{"embedding":[1]}]}'), "target_protocol_error"),
    "cut": (cut, "incomplete_answer"),
    "stall": (stall, "target_timeout"),
    "drip": (drip, "target_timeout"),
    "bad gzip": (plain(200, b"nope", Content_Encoding="gzip"), "target_protocol_error"),
    "bomb": (plain(200, gzip.compress(b" " * 2**24), Content_Encoding="gzip"), "target_protocol_error"),
    "large": (plain(200, b" " * 2**21), "target_protocol_error"),
    "401": (plain(401), "target_misconfigured"),
    "429": (plain(429), "target_busy"),
}


@pytest.mark.parametrize("row", BROKEN)
async def test_broken_embeddings_are_an_error(kind: str, row: str) -> None:
    """Broken embeddings are an error of ours, never half a list, and nothing is asked twice."""
    script, code = BROKEN[row]
    async with (
        FaultServer(script) as server,
        Probe(kind, server.base_url, idle_seconds=0.3, most_vector_bytes=2**20) as probe,
        asyncio.timeout(60),
    ):
        with pytest.raises(AduanaError) as caught:
            await probe.embed(seconds=1.0)
        assert caught.value.code == code
        assert len(server.posts) == 1
        if kind == "local":
            assert probe.state.slots_busy == 0


async def test_good_embeddings_after_a_passing_fault(kind: str) -> None:
    """After a passing fault one more try gives the vectors, in the order of the inputs."""
    async with FaultServer([plain(503), plain(200, GOOD)]) as server, Probe(kind, server.base_url) as probe:
        found = await probe.embed()
    assert isinstance(found, Embeddings)
    assert found.vectors == ((1.0, 2.0), (3.0, 4.0))
    assert (found.usage.input, found.usage.estimated) == (4, False)


async def test_large_good_embeddings(kind: str) -> None:
    """An answer too large to be parsed on the event loop gives its vectors all the same."""
    vector = [0.125] * 50_000
    body = json.dumps({"data": [{"embedding": vector}, {"embedding": vector}]}).encode()
    script = plain(200, gzip.compress(body), Content_Encoding="gzip")
    async with FaultServer(script) as server, Probe(kind, server.base_url) as probe:
        found = await probe.embed()
    assert isinstance(found, Embeddings)
    assert [len(one) for one in found.vectors] == [50_000, 50_000]
    assert found.usage.estimated

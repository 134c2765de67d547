"""A server at home that runs its model in a cloud: closed by the model's name, by its listings, and said clearly."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.core.errors import TargetMisconfigured
from gateway.local.http.relay import described_as_remote, is_ollama, listed_as_remote, read_object
from gateway.local.http.target import HttpTarget
from gateway.settings.targets import OpenAITargetConfig
from tests.faults.fault_server import GOOD, Exchange, FaultServer, answer
from tests.local.http.test_target import CHAT, ask, target, until

REMOTE = {"remote_host": "https://ollama.com:443", "remote_model": "qwen"}


@pytest.mark.parametrize(
    "model", ["gpt-oss:120b-cloud", "glm-4.6:cloud", "GPT-OSS:120B-CLOUD", "qwen-cloud", "x:cloud "]
)
def test_a_model_of_ollamas_cloud_is_refused_by_its_name(model):
    """`zone: local` with a model whose name says that Ollama runs it in its cloud does not load."""
    made = {"kind": "openai", "base_url": "http://127.0.0.1:11434/v1", "model": model}
    with pytest.raises(ValidationError, match="Ollama's cloud"):
        OpenAITargetConfig(zone="local", **made)
    assert OpenAITargetConfig(zone="cloud", **made).model == model


@pytest.mark.parametrize("model", ["qwen3:8b", "cloud", "cloudy:8b", "my-cloud-model", "cloud-coder:7b"])
def test_other_names_load(model):
    """A name that only has the word in it is no model of Ollama's cloud."""
    made = {"kind": "openai", "base_url": "http://127.0.0.1:11434/v1", "model": model}
    assert OpenAITargetConfig(zone="local", **made).model == model


@pytest.mark.parametrize(
    ("listing", "remote"),
    [
        ({"models": [{"name": "qwen:latest", **REMOTE}]}, True),
        ({"models": [{"model": "Qwen", "remote_host": "https://ollama.com"}]}, True),
        ({"models": [{"name": "qwen", "details": {"remote_model": "qwen"}}]}, True),
        ({"data": [{"id": "qwen", "remote_model": "qwen"}]}, True),
        ({"data": [{"id": "qwen", "deviceIdentifier": "desk"}]}, True),
        ({"models": [{"name": "qwen", "remote_host": "", "remote_model": None}]}, False),
        ({"models": [{"name": "other", **REMOTE}, {"name": "qwen"}]}, False),
        ({"data": [{"id": "qwen", "deviceIdentifier": None}]}, False),
        ({"models": "qwen", "data": [3, None, {"id": 7}]}, False),
        ({}, False),
    ],
)
def test_listings(listing, remote):
    """A listing closes the model that it describes as running elsewhere, and no other one."""
    assert listed_as_remote(listing, "qwen") is remote


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"\xff", b"[" * 100_000])
def test_a_page_that_is_no_listing_says_nothing(body):
    """A page that is no JSON object is an empty one."""
    assert read_object(body) == {}
    assert not is_ollama(read_object(body))
    assert not described_as_remote(read_object(body))


class Ollama(FaultServer):
    """A server that has Ollama's pages beside the API."""

    def __init__(self, *, tags: dict[str, Any], shown: dict[str, Any]) -> None:
        super().__init__(self.answered)
        self.tags = tags
        self.shown = shown

    async def answered(self, exchange: Exchange) -> None:
        """Answer `/api/show` and chats."""
        if exchange.head.startswith(b"POST /api/show"):
            await exchange.send(answer(200, json.dumps(self.shown).encode()))
        else:
            await GOOD(exchange)

    def page(self, head: bytes) -> bytes:
        """Return the page for a GET."""
        return json.dumps(self.tags).encode() if head.startswith(b"GET /api/tags") else super().page(head)

    @property
    def chats(self) -> list[Exchange]:
        """Chats that arrived."""
        return [one for one in self.posts if one.head.startswith(b"POST /v1/")]


@pytest.mark.parametrize(
    ("tags", "shown"),
    [
        ({"models": [{"name": "qwen", **REMOTE}]}, {}),
        ({"models": [{"name": "qwen"}]}, REMOTE),
        ({"models": []}, REMOTE),
    ],
)
async def test_a_relayed_model_gets_nothing(tags, shown):
    """A request to a model that Ollama runs elsewhere is never sent, not even before the first look at the server."""
    async with Ollama(tags=tags, shown=shown) as server:
        one = target(server.base_url)
        await one.start()
        try:
            assert await ask(one) == "target_not_local"
            state = one.state()
            assert not state.healthy
            assert "elsewhere" in state.problem
            assert "zone: cloud" in state.problem
            assert not server.chats
            server.tags, server.shown = {"models": [{"name": "qwen"}]}, {}  # it was pulled to this machine
            await until(one, True)
            assert await ask(one) is None
            assert one.state().problem == ""
        finally:
            await one.close()


async def test_a_model_that_moves_away_is_closed():
    """A model that was at home is closed once the server's pages say that it runs elsewhere."""
    async with Ollama(tags={"models": [{"name": "qwen"}]}, shown={}) as server:
        one: HttpTarget = target(server.base_url)
        await one.start()
        try:
            await until(one, True)
            assert await ask(one) is None
            server.shown = REMOTE
            await until(one, False)
            with pytest.raises(TargetMisconfigured):
                async for _ in one.generate(CHAT, deadline=asyncio.get_running_loop().time() + 60, isolation="x"):
                    pass
            assert len(server.chats) == 1
        finally:
            await one.close()

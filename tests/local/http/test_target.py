"""The local HTTP target: it stays in the user's own network, and knows whether its server is there."""

import asyncio
import socket
from typing import Any

import pytest

from gateway.core.errors import AduanaError, ConfigurationError, TargetProtocolError
from gateway.core.labels import Label, Zone
from gateway.core.secret import Secret
from gateway.core.target import TargetInfo
from gateway.local.http import address, connections
from gateway.local.http.settings import HttpSettings
from gateway.local.http.target import HttpTarget
from gateway.wire import openai
from gateway.wire.openai.decisions import parse_decisions, parse_systemone
from gateway.wire.openai.rerank import parse_rerank
from tests.faults.fault_server import GOOD, FaultServer, plain

INFO = TargetInfo(name="den", kind="openai", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="qwen")
CHAT = openai.parse_chat(
    b'{"model":"auto","user":"ana","messages":[{"role":"user","content":"hi"}],"stream":false,"min_p":0.1}'
)


def target(base_url: str, **settings: Any) -> HttpTarget:
    return HttpTarget(INFO, HttpSettings(base_url=base_url, poll_seconds=0.02, poll_seconds_down=0.02, **settings))


async def ask(one: HttpTarget) -> str | None:
    """The code of the error; None for a complete answer."""
    deadline = asyncio.get_running_loop().time() + 60
    try:
        async for _ in one.generate(CHAT, deadline=deadline, isolation="x"):
            pass
    except AduanaError as error:
        return error.code
    return None


async def until(one: HttpTarget, healthy: bool) -> None:
    """Waits until the target's state says so."""
    async with asyncio.timeout(60):
        while one.state().healthy is not healthy:  # noqa: ASYNC110 - the state has no event to wait for
            await asyncio.sleep(0.005)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """The name service gives these answers one after the other, then the last again and again."""
    remaining = list(answers)

    def getaddrinfo(host: str, port: int | None, *_: Any, **__: Any) -> list[Any]:
        found = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("url", ["https://8.8.8.8/v1", "http://[2001:4860:4860::8888]/v1", "http://100.64.0.1/v1"])
async def test_a_public_address_is_not_local(url: str) -> None:
    """A public address does not become local by `zone: local` in a file: the gateway does not start."""
    with pytest.raises(ConfigurationError, match="trusted_host"):
        await target(url).start()


async def test_a_name_with_any_public_address_is_not_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is not local if one of its several addresses is public."""
    resolving(monkeypatch, ["192.168.1.5", "8.8.8.8"])
    with pytest.raises(ConfigurationError, match="trusted_host"):
        await target("http://workstation/v1").start()


async def test_a_name_that_moves_to_a_public_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against DNS rebinding, the address that is really dialled is checked each time before anything is sent."""
    resolving(monkeypatch, ["192.168.1.5"], ["8.8.8.8"])
    one = target("http://workstation:9/v1")
    await one.start()
    try:
        assert await ask(one) == "target_not_local"
        assert not one.state().healthy
    finally:
        await one.close()


@pytest.mark.parametrize("trusted", [False, True])
async def test_a_trusted_host_may_be_anywhere(monkeypatch: pytest.MonkeyPatch, trusted: bool) -> None:
    """A trusted host may have any address: there the configuration says that it is the user's own."""
    monkeypatch.setattr(address, "is_own_address", lambda _: False)
    monkeypatch.setattr(connections, "is_own_address", lambda _: False)
    async with FaultServer(GOOD) as server:
        one = target(server.base_url, trusted_host=trusted)
        try:
            if trusted:
                await one.start()
                assert await ask(one) is None
            else:
                with pytest.raises(ConfigurationError):
                    await one.start()
        finally:
            await one.close()
        assert bool(server.connections) is trusted


async def test_a_name_that_does_not_resolve_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the workstation is switched off, the gateway starts all the same and the target is not healthy."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    one = target("http://workstation:9/v1")
    await one.start()
    assert not one.state().healthy
    await one.close()


async def test_health_follows_the_server() -> None:
    """The server is asked again and again, with a question that carries nothing, whether it is there."""
    async with FaultServer(GOOD) as server:
        one = target(server.base_url)
        await one.start()
        await until(one, True)
        assert {exchange.head.split(b" ")[1] for exchange in server.requests} == {b"/v1/models", b"/api/tags"}
        assert not any(exchange.body for exchange in server.requests)
        port = server.port
    await until(one, False)
    assert port
    await one.close()


@pytest.mark.parametrize(
    ("status", "there"), [(200, True), (401, True), (403, True), (404, True), (405, True), (429, True), (503, False)]
)
async def test_a_server_without_a_list_of_models_is_there(status: int, there: bool) -> None:
    """A server that answers without showing its models counts as there; one that fails or is still loading does not."""
    async with FaultServer(GOOD, listing=plain(status, b"{}")) as server:
        one = target(server.base_url)
        await one.start()
        async with asyncio.timeout(60):
            while len(server.requests) < 4:  # noqa: ASYNC110 - the watch has no event to wait for
                await asyncio.sleep(0.005)
        await until(one, there)
        await one.close()


async def test_a_request_that_finds_nobody_tells_the_others() -> None:
    """A request that finds no server makes the target unhealthy at once, before the next regular question."""
    async with FaultServer(GOOD) as server:
        one = HttpTarget(INFO, HttpSettings(base_url=server.base_url, poll_seconds=999, poll_seconds_down=999))
        await one.start()
        await until(one, True)
    assert await ask(one) in ("target_unreachable", "target_disconnected")
    if one.state().healthy:  # the first request may still have found the old connection
        assert await ask(one) == "target_unreachable"
    assert not one.state().healthy
    await one.close()


async def test_close_ends_the_watch() -> None:
    """Closing leaves no task behind, and closing twice is harmless."""
    async with FaultServer(GOOD) as server:
        one = target(server.base_url)
        await one.start()
        await until(one, True)
        before = len(asyncio.all_tasks())
        await one.close()
        await one.close()
        assert len(asyncio.all_tasks()) < before
        assert await ask(one) == "target_unavailable"


async def test_what_is_sent() -> None:
    """The server gets the client's document under its own model name, streamed, with usage, and the key as bearer."""
    async with FaultServer(GOOD) as server:
        one = target(server.base_url, api_key=Secret("local-key"))
        await one.start()
        try:
            assert await ask(one) is None
        finally:
            await one.close()
        [sent] = server.posts
        body = openai.parse_chat(sent.body)
        assert (body.model, body.stream, body.include_usage) == ("qwen", True, True)
        assert body.document["user"] == "ana"
        assert body.document["min_p"] == 0.1
        assert b"authorization: bearer local-key" in sent.head.lower()
        assert sent.head.startswith(b"POST /v1/chat/completions ")


async def test_speed_and_latency_are_measured() -> None:
    """Speed and latency are measured from real answers only."""
    async with FaultServer(GOOD) as server:
        one = target(server.base_url)
        await one.start()
        try:
            assert one.state().latency_seconds is None
            assert await ask(one) is None
            state = one.state()
        finally:
            await one.close()
        assert state.latency_seconds is not None
        assert state.tokens_per_second is not None
        assert state.slots_busy == 0


async def test_embeddings() -> None:
    """A local server's embeddings come back whole."""
    body = b'{"data":[{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":3}}'
    async with FaultServer(plain(200, body)) as server:
        one = target(server.base_url)
        await one.start()
        try:
            request = openai.parse_embeddings(b'{"model":"auto","input":"hello"}')
            found = await one.embed(request, deadline=asyncio.get_running_loop().time() + 60)
        finally:
            await one.close()
        assert found.vectors == ((1.0, 2.0),)
        assert server.posts[0].head.startswith(b"POST /v1/embeddings ")


async def test_ranking() -> None:
    """The server is asked for all scores, whatever the client wants to see; one for each text, or it is an error."""
    results = b'{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}%s]}'
    asked = b'{"model":"auto","query":"q","documents":["a",{"text":"b"}],"top_n":1,"return_documents":true}'
    for body, complete in ((results % b"", True), (results % b',{"index":2,"relevance_score":1}', False)):
        async with FaultServer(plain(200, body)) as server:
            one = target(server.base_url)
            await one.start()
            try:
                ranking = one.rerank(parse_rerank(asked), deadline=asyncio.get_running_loop().time() + 60)
                if complete:
                    assert (await ranking).scores == (0.1, 0.9)
                else:
                    with pytest.raises(TargetProtocolError, match="one score for each"):
                        await ranking
            finally:
                await one.close()
            post = server.posts[0]
            assert post.head.startswith(b"POST /v1/rerank ")
            assert "top_n" not in post.body.decode()


@pytest.mark.parametrize(
    ("parse", "about", "questions", "answers"),
    [(parse_systemone, "state", b'{"a":{"type":"noul"}}', b'{"a":{"type":"noul","noul":0.9}}'),
     (parse_decisions, "input", b'[{"type":"predicate"}]', b'[{"type":"predicate","probability":0.9}]')],
)  # fmt: skip
async def test_decisions(parse: Any, about: str, questions: bytes, answers: bytes) -> None:
    """A decision model is asked at the address of the client's form, with its questions as they came."""
    asked = b'{"model":"auto","%s":"hi","questions":%s}' % (about.encode(), questions)
    async with FaultServer(plain(200, b'{"answers":%s,"usage":{"input_tokens":4}}' % answers)) as server:
        one = target(server.base_url)
        await one.start()
        try:
            found = await one.decide(parse(asked), deadline=asyncio.get_running_loop().time() + 60)
        finally:
            await one.close()
        assert found.usage.input == 4
        path = "systemone" if about == "state" else "decisions"
        assert server.posts[0].head.startswith(f"POST /v1/{path} ".encode())
        assert questions in server.posts[0].body


def test_the_key_does_not_show() -> None:
    """The key does not show in a log line, a traceback's locals or a pickle."""
    settings = HttpSettings(base_url="http://x", api_key=Secret("very-secret"))
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in f"{settings.api_key}{settings.api_key!r}"

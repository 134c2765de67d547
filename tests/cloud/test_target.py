"""The cloud target sends what was cleared for it, under its ceiling, or nothing."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest

from gateway.cloud import CloudSettings, CloudTarget
from gateway.cloud.client import ProviderClient
from gateway.core.attachment import data_url
from gateway.core.delta import Delta, Picture
from gateway.core.document import encode, freeze_object
from gateway.core.errors import AduanaError, ConfigurationError, PolicyRefused, TargetError
from gateway.core.events import ViolationStopped
from gateway.core.labels import Label, Zone
from gateway.core.request import Endpoint, MediaWork
from gateway.core.secret import Secret
from gateway.core.target import Api, Capability, TargetInfo
from gateway.policy import Clearance
from gateway.wire import openai
from gateway.wire.openai.images import parse_images
from tests.faults.clearing import clearance_for
from tests.faults.fault_server import GOOD, FaultServer, plain
from tests.faults.targets import CHAT, EMBED
from tests.standins.pictures import encoded, form_of, png

INFO = TargetInfo(name="big", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="provider-model")
HIGHER = msgspec.structs.replace(INFO, ceiling=Label.INTERNAL)
OTHER = msgspec.structs.replace(INFO, name="other")


class Lookalike(msgspec.Struct, frozen=True, kw_only=True):
    """Object that has everything a clearance has, and is none."""

    request_id: str = "req_x"
    target: str = "big"
    label: Label = Label.PUBLIC
    endpoint: Endpoint = Endpoint.CHAT
    document: Any = openai.parse_chat(CHAT).document


def soon() -> float:
    return asyncio.get_running_loop().time() + 60


async def everything(stream: AsyncGenerator[Delta, None]) -> list[Delta]:
    return [delta async for delta in stream]


def above_the_ceiling() -> Clearance:
    return clearance_for(openai.parse_chat(CHAT), HIGHER, Label.INTERNAL)


def for_another_target() -> Clearance:
    return clearance_for(openai.parse_chat(CHAT), OTHER)


def not_minted() -> Any:
    return object.__new__(Clearance)


@pytest.mark.parametrize("make", [above_the_ceiling, for_another_target, not_minted, Lookalike, dict])
@pytest.mark.parametrize("way", ["generate", "embed", "exchange"])
async def test_the_last_check_before_the_wire(make: Any, way: str) -> None:
    """A clearance that is forged, above the ceiling or for another target sends nothing, and the observer is told."""
    told: list[ViolationStopped] = []
    async with FaultServer(GOOD) as server:
        target = CloudTarget(INFO, CloudSettings(base_url=server.base_url), on_violation=told.append)
        await target.start()
        try:
            asking = (
                target.embed(make(), deadline=soon())
                if way == "embed"
                else everything(getattr(target, way)(make(), deadline=soon()))
            )
            with pytest.raises(PolicyRefused):
                await asking
        finally:
            await target.close()
        assert not server.connections
    assert [one.target for one in told] == ["big"]


PICTURE = freeze_object({"model": "auto", "prompt": "By night", "image": data_url("image/png", png())})


async def test_a_cleared_picture_leaves_as_a_form() -> None:
    """What leaves is the cleared document with our own headers; its boundary is ours, and its file's name too."""
    async with FaultServer(plain(200, b'{"data": [{"b64_json": "%s"}]}' % encoded().encode())) as server:
        target = CloudTarget(INFO, CloudSettings(base_url=server.base_url), on_violation=print)
        await target.start()
        try:
            able = msgspec.structs.replace(INFO, capabilities=frozenset({Capability.IMAGES}))
            asked = clearance_for(parse_images(MediaWork.EDITS, PICTURE), able)
            made = [one async for one in target.exchange(asked, deadline=soon()) if isinstance(one, Picture)]
        finally:
            await target.close()
        [request] = server.requests
    assert [one.base64 for one in made] == [encoded()]
    heads = dict(line.split(b": ", 1) for line in request.head.split(b"\r\n")[1:] if line)
    assert {name.lower() for name in heads} == {
        b"host", b"content-type", b"content-length", b"accept", b"accept-encoding", b"user-agent",
    }  # fmt: skip
    form = form_of(heads[b"Content-Type"].decode(), request.body)
    assert form == {
        "model": ["provider-model"], "prompt": ["By night"], "image": [("image.png", png())],
        "response_format": ["b64_json"],
    }  # fmt: skip


@pytest.mark.parametrize("content_type", ["text/html", "multipart/form-data; boundary=x", "application/json\r\nX: y"])
async def test_no_other_type_leaves(content_type: str) -> None:
    """The door knows two types of bodies, whatever it is asked to send."""
    async with FaultServer(GOOD) as server:
        client = ProviderClient("big", CloudSettings(base_url=server.base_url))
        try:
            with pytest.raises(TargetError, match="type"):
                await client.send("/images/edits", b"x", most_bytes=100, content_type=content_type)
        finally:
            await client.close()
        assert not server.requests


@pytest.mark.parametrize("prompt", ["[1,2,3]", "[[1],[2]]", '["text",[5]]'])
async def test_token_numbers_do_not_leave(prompt: str) -> None:
    """Token numbers are text that no inspection can read: another target may answer, the cloud does not get them."""
    completion = openai.parse_completion(f'{{"model":"auto","prompt":{prompt}}}'.encode())
    embeddings = openai.parse_embeddings(f'{{"model":"auto","input":{prompt}}}'.encode())
    async with FaultServer(GOOD) as server:
        target = CloudTarget(INFO, CloudSettings(base_url=server.base_url), on_violation=print)
        await target.start()
        try:
            with pytest.raises(TargetError, match="token numbers"):
                await everything(target.generate(clearance_for(completion, INFO), deadline=soon()))
            with pytest.raises(TargetError, match="token numbers"):
                await target.embed(clearance_for(embeddings, INFO), deadline=soon())
        finally:
            await target.close()
        assert not server.connections
        assert target.state().open_until is None


async def test_what_leaves_is_what_was_cleared() -> None:
    """The provider gets the cleared document byte for byte: its own model name, streamed, and no user's name in it."""
    request = openai.parse_chat(
        b'{"model":"auto","user":"ana","metadata":{"who":"ana"},"store":true,"safety_identifier":"s","n":1,'
        b'"prompt_cache_key":"k","messages":[{"role":"user","content":"hi"}],"new_field":{"kept":true}}'
    )
    clearance = clearance_for(request, INFO)
    async with FaultServer(GOOD) as server:
        target = CloudTarget(INFO, CloudSettings(base_url=server.base_url), on_violation=print)
        await target.start()
        await everything(target.generate(clearance, deadline=soon()))
        await target.close()
        [sent] = server.posts
    assert sent.body == encode(clearance.document)
    assert json.loads(sent.body) == {
        "model": "provider-model",
        "n": 1,
        "prompt_cache_key": clearance.document["prompt_cache_key"],
        "messages": [{"role": "user", "content": "hi"}],
        "new_field": {"kept": True},
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert clearance.document["prompt_cache_key"] != "k"
    assert sent.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/openai/deployments/x"])
async def test_paths_are_put_behind_the_base_url(path: str) -> None:
    """The endpoint's path comes behind the base URL, whether that ends with a slash or not."""
    async with FaultServer(GOOD) as server:
        base = server.base_url.removesuffix("/v1") + path
        target = CloudTarget(INFO, CloudSettings(base_url=base), on_violation=print)
        await target.start()
        await everything(target.generate(clearance_for(openai.parse_chat(CHAT), INFO), deadline=soon()))
        await target.close()
        assert server.posts[0].head.split()[1].decode() == path.rstrip("/") + "/chat/completions"


BASE = {"host", "content-type", "content-length", "accept", "accept-encoding", "user-agent"}


@pytest.mark.parametrize(
    ("settings", "path", "own"),
    [
        ({}, "/v1/chat/completions", {"authorization": "Bearer sk-secret"}),
        ({"api_version": "2025-04-01-preview"}, "/v1/chat/completions?api-version=2025-04-01-preview",
         {"api-key": "sk-secret"}),
        ({"api": Api.MESSAGES}, "/v1/messages", {"x-api-key": "sk-secret", "anthropic-version": "2023-06-01"}),
        ({"api": Api.MESSAGES, "anthropic_version": "2026-10-21", "anthropic_betas": ("a-1", "b-2")}, "/v1/messages",
         {"x-api-key": "sk-secret", "anthropic-version": "2026-10-21", "anthropic-beta": "a-1,b-2"}),
    ],
)  # fmt: skip
async def test_every_kind_is_asked_with_a_closed_set_of_headers(
    settings: dict[str, Any], path: str, own: dict[str, str]
) -> None:
    """Each kind of provider gets its address, its key where it wants it, and no header that is not its own."""
    async with FaultServer(GOOD) as server:
        given = CloudSettings(base_url=server.base_url, api_key=Secret("sk-secret"), retries=0, **settings)
        target = CloudTarget(INFO, given, on_violation=print)
        await target.start()
        with contextlib.suppress(TargetError):
            await everything(target.generate(clearance_for(openai.parse_chat(CHAT), INFO), deadline=soon()))
        await target.close()
        [sent] = server.posts
    first, *lines = sent.head.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert first == f"POST {path} HTTP/1.1"
    assert {name: headers[name] for name in headers if name not in BASE} == own


@pytest.mark.parametrize("base", ["{}", "{}/v1", "{}/v1/"])
async def test_anthropic_is_found_with_and_without_its_version(base: str) -> None:
    """The address of Anthropic's API may be written with its `/v1` or without."""
    async with FaultServer(GOOD) as server:
        address = base.format(server.base_url.removesuffix("/v1"))
        target = CloudTarget(INFO, CloudSettings(base_url=address, api=Api.MESSAGES), on_violation=print)
        await target.start()
        with contextlib.suppress(TargetError):
            await everything(target.generate(clearance_for(openai.parse_chat(CHAT), INFO), deadline=soon()))
        await target.close()
        assert server.posts[0].head.split()[1] == b"/v1/messages"


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (529, "overloaded_error", "Overloaded", ("target_overloaded", 503)),
        (429, "rate_limit_error", "Too many", ("target_busy", 429)),
        (400, "invalid_request_error", "prompt is too long: 9 > 8", ("context_length_exceeded", 400)),
        (400, "invalid_request_error", "max_tokens: must be lower", ("target_rejected", 400)),
        (401, "authentication_error", "invalid x-api-key", ("target_misconfigured", 502)),
        (404, "not_found_error", "model: m", ("target_misconfigured", 502)),
    ],
)
async def test_errors_of_anthropic_are_told_apart(
    status: int, kind: str, message: str, expected: tuple[str, int]
) -> None:
    """Each error of Anthropic's API becomes the error of its kind; what it says of our key reaches nobody."""
    body = json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    async with FaultServer(plain(status, body)) as server:
        given = CloudSettings(base_url=server.base_url, api=Api.MESSAGES, retries=0)
        target = CloudTarget(INFO, given, on_violation=print)
        await target.start()
        with pytest.raises(AduanaError) as caught:
            await everything(target.generate(clearance_for(openai.parse_chat(CHAT), INFO), deadline=soon()))
        await target.close()
    assert (caught.value.code, caught.value.status) == expected
    assert "x-api-key" not in caught.value.message


async def test_starting_asks_nobody() -> None:
    """Starting a cloud target opens no connection: without a clearance nothing goes out, not even a probe."""
    async with FaultServer(GOOD) as server:
        target = CloudTarget(INFO, CloudSettings(base_url=server.base_url), on_violation=print)
        assert not target.state().healthy
        await target.start()
        assert target.state().healthy
        await target.close()
        await target.close()
        assert not server.connections


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://api.example.com/v1", True),
        ("http://api.example.com/v1", False),
        ("http://8.8.8.8/v1", False),
        ("http://localhost.example.com/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
        ("http://localhost:9000/v1", True),
        ("http://127.0.0.1:9000/v1", True),
        ("http://[::1]:9000/v1", True),
        ("http://192.168.1.9/v1", True),
    ],
)
async def test_nothing_crosses_the_internet_readable(url: str, fine: bool) -> None:
    """A target without TLS starts only if its address is in the user's own network."""
    target = CloudTarget(INFO, CloudSettings(base_url=url), on_violation=print)
    if fine:
        await target.start()
        await target.close()
    else:
        with pytest.raises(ConfigurationError, match="https"):
            await target.start()


async def test_embeddings() -> None:
    """A cleared embeddings request gets one vector for each input."""
    body = b'{"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":3}}'
    async with FaultServer(plain(200, body)) as server:
        target = CloudTarget(INFO, CloudSettings(base_url=server.base_url), on_violation=print)
        await target.start()
        found = await target.embed(clearance_for(openai.parse_embeddings(EMBED), INFO), deadline=soon())
        await target.close()
        assert found.vectors == ((1.0, 2.0), (3.0, 4.0))
        assert server.posts[0].head.startswith(b"POST /v1/embeddings ")


async def test_a_configured_proxy_is_used() -> None:
    """A target uses the proxy of its own configuration, and no other."""
    async with FaultServer(GOOD) as proxy:
        settings = CloudSettings(base_url="http://10.1.2.3/v1", proxy=f"http://127.0.0.1:{proxy.port}")
        target = CloudTarget(INFO, settings, on_violation=print)
        await target.start()
        await everything(target.generate(clearance_for(openai.parse_chat(CHAT), INFO), deadline=soon()))
        await target.close()
        assert proxy.posts[0].head.startswith(b"POST http://10.1.2.3/v1/chat/completions ")


def test_the_key_does_not_show() -> None:
    """The provider's key does not show in its settings, nor wherever they are printed."""
    settings = CloudSettings(base_url="https://api.example.com/v1", api_key=Secret("sk-very-secret"))
    assert "very-secret" not in f"{settings}{settings!r}{settings.api_key}"

"""Servers of models are found by asking them, on real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web

from gateway.setup.servers import USUAL_PORTS, RunningServer, ServedModel, ports_to_ask, running_servers

Answers = Mapping[str, Any]
OLLAMA: Answers = {
    "/v1/models": {"data": [{"id": "qwen3:14b", "owned_by": "library"}]},
    "/api/tags": {
        "models": [
            {"model": "qwen3:14b", "details": {"family": "qwen3"}},
            {"model": "nomic-embed-text:latest", "details": {"family": "nomic-bert"}},
            {"model": "glm-4.6:cloud", "remote_host": "https://ollama.com:443"},
        ]
    },
}
LLAMA: Answers = {
    "/v1/models": {"data": [{"id": "/srv/models/qwen3-14b.gguf", "owned_by": "llamacpp"}]},
    "/api/tags": {"models": [{"model": "/srv/models/qwen3-14b.gguf"}]},
    "/props": {"default_generation_settings": {"n_ctx": 16384}, "total_slots": 4},
}
STUDIO: Answers = {
    "/v1/models": {"data": [{"id": "qwen3-14b", "owned_by": "organization_owner"}]},
    "/api/v0/models": {
        "data": [
            {"id": "qwen3-14b", "type": "llm", "state": "loaded", "loaded_context_length": 8192},
            {"id": "nomic", "type": "embeddings", "state": "not-loaded"},
            {"id": "large", "type": "llm", "deviceIdentifier": "somebody-elses-machine"},
        ]
    },
}
VLLM: Answers = {"/v1/models": {"data": [{"id": "Qwen/Qwen3-14B", "owned_by": "vllm", "max_model_len": 40960}]}}


@contextlib.asynccontextmanager
async def serving(answers: Answers, headers: Mapping[str, str] | None = None) -> AsyncIterator[int]:
    """Run a server that gives these answers by path, and yield its port."""

    async def answer(request: web.Request) -> web.StreamResponse:
        found = answers.get(request.path)
        if isinstance(found, web.Response):
            return found
        if callable(found):
            return await found(request)
        return web.json_response(found, headers=headers) if found is not None else web.Response(status=404)

    application = web.Application()
    application.router.add_route("GET", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("answers", "name", "models", "slots"),
    [
        (
            OLLAMA,
            "Ollama",
            [
                ServedModel(name="qwen3:14b"),
                ServedModel(name="nomic-embed-text:latest", embeds=True),
                ServedModel(name="glm-4.6:cloud", elsewhere=True),
            ],
            None,
        ),
        ({"/api/tags": {"models": []}}, "Ollama", [], None),
        (LLAMA, "llama-server", [ServedModel(name="qwen3-14b.gguf", context=16384)], 4),
        (
            STUDIO,
            "LM Studio",
            [
                ServedModel(name="qwen3-14b", context=8192),
                ServedModel(name="nomic", embeds=True),
                ServedModel(name="large", elsewhere=True),
            ],
            None,
        ),
        (VLLM, "vLLM", [ServedModel(name="Qwen/Qwen3-14B", context=40960)], None),
        ({"/v1/models": {"data": [{"id": "other"}]}}, "OpenAI API", [ServedModel(name="other")], None),
    ],
    ids=["ollama", "ollama without models", "llama-server", "lm studio", "vllm", "another"],
)
async def test_a_server_is_known_by_what_it_says(answers, name, models, slots):
    """Whatever port it has: its kind, its models and what it says of their windows."""
    async with serving(answers) as port:
        found = await running_servers([port])
    assert found == [
        RunningServer(name=name, base_url=f"http://127.0.0.1:{port}/v1", models=tuple(models), slots=slots)
    ]


async def test_a_server_that_wants_a_key_is_named_all_the_same():
    """Its models can't be listed, and that is said."""
    async with serving({"/v1/models": web.Response(status=401)}) as port:
        (found,) = await running_servers([port])
    assert found.wants_key
    assert found.models == ()


async def test_the_gateway_does_not_find_itself():
    """What answers as Aduana is no server behind it: it would ask itself in a circle."""
    async with serving(OLLAMA, {"Server": "aduana"}) as port:
        assert await running_servers([port]) == []


async def test_what_is_no_server_of_models_stops_nothing():
    """Closed ports, web pages, servers that hang, redirects elsewhere and endless answers are passed over."""
    asked: list[str] = []

    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b" " * 65_536)
        return response

    async def note(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({"data": [{"id": "elsewhere"}]})

    page = {"/v1/models": web.Response(text="<html>", content_type="text/html")}
    odd = {"/v1/models": {"data": [{"id": "line\nbreak"}, {"id": 7}, "text"], "models": "none"}}
    async with (
        serving({"/elsewhere": note}) as other,
        serving({"/v1/models": hang}) as slow,
        serving({"/v1/models": endless}) as long,
        serving(page) as html,
        serving(odd) as strange,
        serving(VLLM) as good,
    ):
        away = web.Response(status=302, headers={"Location": f"http://127.0.0.1:{other}/elsewhere"})
        async with serving({"/v1/models": away}) as leading:
            found = await running_servers([1, slow, long, html, strange, leading, good])
    assert [server.name for server in found if server.models] == ["vLLM"]
    assert asked == []


@pytest.mark.parametrize(
    ("host", "more"),
    [("", ()), ("0.0.0.0:11500", (11500,)), ("http://127.0.0.1:11434", ()), ("127.0.0.1", ()), ("nonsense:port", ())],
)
def test_ollamas_own_variable_names_its_port(host, more):
    """Whoever moved Ollama with OLLAMA_HOST is found too."""
    assert ports_to_ask({"OLLAMA_HOST": host}) == (*USUAL_PORTS, *more)

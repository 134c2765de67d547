"""Servers of models that run on this machine: llama-server, Ollama, LM Studio and vLLM, asked on their usual ports.

Asks loopback alone, follows no redirect and waits briefly. What a server says is read as untrusted text.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

USUAL_PORTS = (8080, 11434, 1234, 8000)  # llama-server, Ollama, LM Studio, vLLM
_REMOTE = ("remote_host", "remote_model", "remote_url", "deviceIdentifier", "device_identifier")  # run elsewhere
_SECONDS = 1.5  # for all that one server is asked
_MOST_BYTES = 2**20
_MOST_MODELS = 200


class ServedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a server offers. `context`: its window in tokens, None where the server does not say.

    `elsewhere`: the server has it run on other people's machines. `embeds`: it makes vectors and no text.
    """

    name: str
    context: int | None = None
    elsewhere: bool = False
    embeds: bool = False


class RunningServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answered. `base_url` is that of its OpenAI API, with `/v1`; `slots`: requests it computes at once.

    `wants_key`: it lists its models only for who has its key.
    """

    name: str  # llama-server, Ollama, LM Studio, vLLM, or OpenAI API for another that speaks it
    base_url: str
    models: tuple[ServedModel, ...] = ()
    slots: int | None = None
    wants_key: bool = False


def ports_to_ask(environ: Mapping[str, str]) -> tuple[int, ...]:
    """Return the usual ports, and Ollama's where its variable names another."""
    host = environ.get("OLLAMA_HOST", "")
    try:
        port = urlsplit(host if "//" in host else f"//{host}").port
    except ValueError:
        port = None
    return USUAL_PORTS if port is None or port in USUAL_PORTS else (*USUAL_PORTS, port)


async def running_servers(ports: Iterable[int] = USUAL_PORTS) -> list[RunningServer]:
    """Ask these ports of this machine, all at once, and return the servers that answered, in the order of the ports."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS), trust_env=False) as http:
        found = await asyncio.gather(*(_server_at(http, f"http://127.0.0.1:{port}") for port in ports))
    return [server for server in found if server is not None]


async def _server_at(http: aiohttp.ClientSession, root: str) -> RunningServer | None:
    try:
        async with asyncio.timeout(_SECONDS):
            status, kind, listed = await _get(http, f"{root}/v1/models")
            if kind.startswith("aduana"):
                return None
            if status in (401, 403):
                return RunningServer(name="OpenAI API", base_url=f"{root}/v1", wants_key=True)
            return await _told(http, root, kind, _entries(listed, "data"))
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


async def _told(
    http: aiohttp.ClientSession, root: str, kind: str, listed: list[dict[str, Any]]
) -> RunningServer | None:
    """Find out which server it is, by what only that one says, and return what it offers."""
    if kind.startswith("llama.cpp") or any(entry.get("owned_by") == "llamacpp" for entry in listed):
        _, _, props = await _get(http, f"{root}/props")
        return _of_llama(root, listed, props if isinstance(props, dict) else {})
    _, _, tags = await _get(http, f"{root}/api/tags")
    if local := _entries(tags, "models"):
        return _server("Ollama", root, [_of_ollama(entry) for entry in local])
    if isinstance(tags, dict) and tags.get("models") == []:
        return _server("Ollama", root, [])
    if any(entry.get("owned_by") == "vllm" for entry in listed):
        return _server("vLLM", root, [_model(entry, entry.get("max_model_len")) for entry in listed])
    _, _, studio = await _get(http, f"{root}/api/v0/models")
    if entries := _entries(studio, "data"):
        return _server("LM Studio", root, [_of_studio(entry) for entry in entries])
    return _server("OpenAI API", root, [_model(entry) for entry in listed]) if listed else None


def _server(name: str, root: str, models: Iterable[ServedModel | None], slots: int | None = None) -> RunningServer:
    known = tuple(model for model in models if model is not None)[:_MOST_MODELS]
    return RunningServer(name=name, base_url=f"{root}/v1", models=known, slots=slots)


def _of_ollama(entry: dict[str, Any]) -> ServedModel | None:
    details = entry.get("details")
    family = str(details.get("family", "")) if isinstance(details, dict) else ""
    model = _model({**entry, "id": entry.get("model") or entry.get("name")})
    if model is None:
        return None
    remote = model.elsewhere or model.name.endswith(("-cloud", ":cloud"))
    return msgspec.structs.replace(model, elsewhere=remote, embeds="bert" in family)


def _of_llama(root: str, listed: list[dict[str, Any]], props: dict[str, Any]) -> RunningServer:
    defaults = props.get("default_generation_settings")
    window = defaults.get("n_ctx") if isinstance(defaults, dict) else None
    models = [_model(_without_path(entry), window) for entry in listed]
    return _server("llama-server", root, models, _count(props.get("total_slots")))


def _without_path(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a model of llama-server under its file's name alone: it answers to any, and clients see the name."""
    name = entry.get("id")
    return {**entry, "id": Path(name).name} if isinstance(name, str) and name.startswith("/") else entry


def _of_studio(entry: dict[str, Any]) -> ServedModel | None:
    model = _model(entry, entry.get("loaded_context_length"))
    return None if model is None else msgspec.structs.replace(model, embeds=entry.get("type") == "embeddings")


def _model(entry: Mapping[str, Any], context: object = None) -> ServedModel | None:
    """Return a model by its `id`; None where that is no name that a configuration could hold."""
    name = entry.get("id")
    if not isinstance(name, str) or not name or len(name) > 500 or not name.isprintable():
        return None
    return ServedModel(name=name, context=_count(context), elsewhere=any(entry.get(field) for field in _REMOTE))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _entries(document: object, name: str) -> list[dict[str, Any]]:
    found = document.get(name) if isinstance(document, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


async def _get(http: aiohttp.ClientSession, url: str) -> tuple[int, str, object]:
    """Return status, kind of server in its own words (lower case) and its JSON; None: it sent none, or too much."""
    async with http.get(url, allow_redirects=False) as answer:
        kind = answer.headers.get("Server", "").lower()
        body = b""
        async for block in answer.content.iter_chunked(65_536):
            body += block
            if len(body) > _MOST_BYTES:
                return answer.status, kind, None
    try:
        return answer.status, kind, json.loads(body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        return answer.status, kind, None

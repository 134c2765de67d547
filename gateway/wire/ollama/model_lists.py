"""What Ollama's API says about models: lists, details, what is loaded, and pulls of models that are there. Pure.

`ollama list` and `ollama ps` cut a model's digest to twelve letters, so each model has one: a hash of its name.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.core.document import JsonObject
from gateway.core.request import MEDIA_ENDPOINTS, Endpoint
from gateway.core.target import Capability, ModelTraits
from gateway.wire.body_fields import Fields
from gateway.wire.encoding import encode_json
from gateway.wire.ollama.keep_alive import FOR_EVER, timestamp

VERSION = "0.13.5"  # clients ask for at least 0.13.4 before they use tools and thinking
_ARCHITECTURE = "aduana"
_UNKNOWN_WINDOW = 8192  # for show, where the configuration does not say
# Source: Ollama's types/model/capability.go.
_WORDS = {Capability.TOOLS: "tools", Capability.IMAGES: "vision", Capability.THINKING: "thinking"}
_PULLED = ("pulling manifest", "verifying sha256 digest", "writing manifest", "success")


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """Loaded model; memory in bytes, `context` in tokens, `unloads_in` in seconds, None: never."""

    name: str
    memory: int
    gpu_memory: int
    context: int | None
    unloads_in: float | None


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """Wish for a model to be there; `stream`: told in steps."""

    model: str
    stream: bool


def pull_of(document: JsonObject) -> Pull:
    """Return what `/api/pull` asks for.

    Raises:
        BadRequest: no model is named, or a field has the wrong type.
    """
    stream = document.get("stream") is None or Fields(document).boolean("stream")
    return Pull(model=model_of(document), stream=stream)


def model_of(document: JsonObject) -> str:
    """Return the model that a body names, under either name of the field.

    Raises:
        BadRequest: neither field names a model.
    """
    body = Fields(document)
    name = body.string("model", longest=256) or body.required_string("name", longest=256)
    return name.removesuffix(":latest")


def pulled_body(*, stream: bool) -> bytes:
    """Encode the answer of `/api/pull` for a model that is there: all steps at once, or the last one."""
    if not stream:
        return encode_json({"status": _PULLED[-1]})
    return b"".join(encode_json({"status": step}) + b"\n" for step in _PULLED)


def version_body() -> bytes:
    """Encode the answer of `/api/version`."""
    return encode_json({"version": VERSION})


def tags_body(models: Mapping[str, ModelTraits], *, created: float) -> bytes:
    """Encode the answer of `/api/tags`."""
    rows = [
        {
            "name": name,
            "model": name,
            "modified_at": timestamp(created),
            "expires_at": timestamp(created),
            "size": 0,
            "size_vram": 0,
            "digest": _digest(name),
            "details": _details(),
            "capabilities": _capabilities(traits),
        }
        for name, traits in models.items()
    ]
    return encode_json({"models": rows})


def ps_body(models: Iterable[Resident], *, now: float) -> bytes:
    """Encode the answer of `/api/ps`. `now` is in Unix seconds."""
    rows: list[dict[str, Any]] = [
        {
            "name": model.name,
            "model": model.name,
            "size": model.memory,
            "size_vram": model.gpu_memory,
            "context_length": model.context or _UNKNOWN_WINDOW,
            "digest": _digest(model.name),
            "details": _details(),
            "expires_at": timestamp(now + (FOR_EVER if model.unloads_in is None else model.unloads_in)),
        }
        for model in models
    ]
    return encode_json({"models": rows})


def show_body(traits: ModelTraits, *, created: float) -> bytes:
    """Encode the answer of `/api/show`."""
    window = traits.context or _UNKNOWN_WINDOW
    return encode_json(
        {
            "modelfile": "",
            "parameters": "",
            "template": "",
            "license": "",
            "modified_at": timestamp(created),
            "details": _details(),
            "model_info": {"general.architecture": _ARCHITECTURE, f"{_ARCHITECTURE}.context_length": window},
            "capabilities": _capabilities(traits),
        }
    )


def _capabilities(traits: ModelTraits) -> list[str]:
    if not traits.endpoints & {Endpoint.CHAT, Endpoint.COMPLETIONS}:
        if traits.endpoints & MEDIA_ENDPOINTS:
            return ["image"] if Endpoint.IMAGES in traits.endpoints else []
        return ["embedding"]
    return ["completion", *(word for capability, word in _WORDS.items() if capability in traits.capabilities)]


def _details() -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": _ARCHITECTURE,
        "families": [_ARCHITECTURE],
        "parameter_size": "",
        "quantization_level": "",
    }


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()

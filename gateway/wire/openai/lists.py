"""Encode answers that are lists: embeddings, and models for OpenAI's and Anthropic's clients alike. Pure."""

import base64
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.core.delta import Embeddings
from gateway.core.request import Endpoint
from gateway.core.target import Capability, ModelTraits
from gateway.wire.encoding import encode_json

_MEDIA = {Capability.IMAGES: "image", Capability.AUDIO: "audio", Capability.FILES: "file"}
_ALWAYS = ("max_tokens", "temperature", "top_p", "seed", "stop", "frequency_penalty", "presence_penalty")
_PARAMETERS = {
    Capability.TOOLS: ("tools", "tool_choice"),
    Capability.JSON_SCHEMA: ("response_format", "structured_outputs"),
    Capability.GRAMMAR: ("grammar",),
    Capability.LOGPROBS: ("logprobs", "top_logprobs"),
    Capability.THINKING: ("reasoning", "include_reasoning", "reasoning_effort"),
}
_TEXTS = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS})
_MADE = {
    "text": _TEXTS | {Endpoint.TRANSCRIPTIONS},
    "image": frozenset({Endpoint.IMAGES}),
    "audio": frozenset({Endpoint.SPEECH}),
}
_OF_MEDIA = {
    Endpoint.IMAGES: ("n", "size", "quality", "background", "output_format", "partial_images", "stream"),
    Endpoint.TRANSCRIPTIONS: ("language", "prompt", "response_format", "timestamp_granularities", "temperature"),
    Endpoint.SPEECH: ("voice", "response_format", "speed"),
}


def embeddings_body(embeddings: Embeddings, *, model: str, as_base64: bool) -> bytes:
    """Encode the answer of `/v1/embeddings`; base64 is little-endian float32, as OpenAI's SDKs ask for by default."""
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if as_base64 else vector}
        for index, vector in enumerate(embeddings.vectors)
    ]
    tokens = embeddings.usage.prompt_tokens
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return encode_json({"object": "list", "data": data, "model": model, "usage": usage})


def _packed(vector: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def model_body(name: str, traits: ModelTraits, *, created: int) -> bytes:
    """Encode the answer of `/v1/models/{id}`. `created` is in Unix seconds."""
    return encode_json(_model(name, traits, created))


def models_body(models: Mapping[str, ModelTraits], *, created: int) -> bytes:
    """Encode the answer of `/v1/models`. `created` is in Unix seconds."""
    data = [_model(name, traits, created) for name, traits in models.items()]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return encode_json({"object": "list", "data": data, "has_more": False, **ends})


def _model(name: str, traits: ModelTraits, created: int) -> dict[str, Any]:
    """Return one model with OpenAI's fields and Anthropic's: clients of both ask at the same address.

    OpenAI itself says nothing of what a model can; its clients read the fields of vLLM (`max_model_len`), llama-server
    (`meta`) and OpenRouter (`context_length`, `architecture`, `supported_parameters`). Source: those servers' API
    references.
    """
    can = traits.capabilities
    media = [word for one, word in _MEDIA.items() if one in can]
    heard = Endpoint.TRANSCRIPTIONS in traits.endpoints and "audio" not in media
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "aduana",
        "type": "model",
        "display_name": name,
        "created_at": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "context_length": traits.context,
        "max_model_len": traits.context,
        "meta": {"n_ctx": traits.context},
        "max_input_tokens": traits.context,
        "max_tokens": traits.context,
        "architecture": {
            "input_modalities": ["text", *media, *(("audio",) if heard else ())],
            "output_modalities": _makes(traits),
        },
        "supported_parameters": _parameters(traits),
        "capabilities": _anthropic_capabilities(can),
    }


def _makes(traits: ModelTraits) -> list[str]:
    made = [word for word, endpoints in _MADE.items() if traits.endpoints & endpoints]
    return made or ["embeddings"]


def _parameters(traits: ModelTraits) -> list[str]:
    found: list[str] = []
    if traits.endpoints & _TEXTS or not traits.endpoints & _OF_MEDIA.keys():
        found += _ALWAYS
        found += [word for one, words in _PARAMETERS.items() if one in traits.capabilities for word in words]
    found += [word for endpoint, words in _OF_MEDIA.items() if endpoint in traits.endpoints for word in words]
    return list(dict.fromkeys(found))


def _anthropic_capabilities(can: frozenset[Capability]) -> dict[str, Any]:
    """Return the object in which Anthropic's API says what a model can do: every key, each with `supported`."""

    def said(value: bool) -> dict[str, bool]:
        return {"supported": value}

    thinks = Capability.THINKING in can
    types = {"adaptive": thinks, "between_tools": True, "disabled": True, "enabled": thinks}
    return {
        "batch": said(False),
        "citations": said(False),
        "code_execution": said(False),
        "context_management": said(False),
        "effort": {**said(thinks), **{level: said(thinks) for level in ("low", "medium", "high", "max")}},
        "image_input": said(Capability.IMAGES in can),
        "pdf_input": said(Capability.FILES in can),
        "server_tools": {**said(False), "code_execution": said(False), "web_search": said(False)},
        "structured_outputs": said(Capability.JSON_SCHEMA in can),
        "thinking": {**said(thinks), "types": {name: said(value) for name, value in types.items()}},
    }

"""Encode answers that are lists: embeddings, and models for OpenAI's and Anthropic's clients alike. Pure."""

import base64
import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gateway.core.delta import Embeddings
from gateway.wire.encoding import encode_json


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


def model_body(name: str, *, created: int) -> bytes:
    """Encode the answer of `/v1/models/{id}`. `created` is in Unix seconds."""
    return encode_json(_model(name, created))


def models_body(names: Iterable[str], *, created: int) -> bytes:
    """Encode the answer of `/v1/models`. `created` is in Unix seconds."""
    data = [_model(name, created) for name in names]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return encode_json({"object": "list", "data": data, "has_more": False, **ends})


def _model(name: str, created: int) -> dict[str, Any]:
    """Return one model with OpenAI's fields and Anthropic's: clients of both ask at the same address."""
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "aduana",
        "type": "model",
        "display_name": name,
        "created_at": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
    }

"""The Ollama dialect, as the server uses it: request bytes in, answer bytes out. Pure."""

from collections.abc import Callable

from gateway.core.request import ChatRequest, CompletionRequest, EmbeddingsRequest, GenerateRequest
from gateway.wire.dialect import AnswerAssembly, AnswerStream
from gateway.wire.json_body import parse_object
from gateway.wire.ollama import requests
from gateway.wire.ollama.answers import (
    LineStream,
    WholeAnswer,
    embed_body,
    embedding_body,
    error_body,
    ready_body,
    show_body,
    tags_body,
    version_body,
)
from gateway.wire.ollama.models import Resident, Wish, ps_body, wish_of

CONTENT_TYPE = "application/json; charset=utf-8"
STREAM_CONTENT_TYPE = "application/x-ndjson"

__all__ = [
    "CONTENT_TYPE",
    "STREAM_CONTENT_TYPE",
    "Resident",
    "Wish",
    "assembly",
    "embed_body",
    "embedding_body",
    "error_body",
    "parse_chat",
    "parse_embed",
    "parse_generate",
    "parse_show",
    "ps_body",
    "ready_body",
    "show_body",
    "stream",
    "tags_body",
    "version_body",
]


def parse_chat(body: bytes) -> tuple[ChatRequest | None, Wish]:
    """The body of `/api/chat`; None asks only for the model to be ready, or to go. Raises BadRequest."""
    document = parse_object(body)
    return requests.parse_chat(document), wish_of(document)


def parse_generate(body: bytes) -> tuple[ChatRequest | CompletionRequest | None, Wish]:
    """The body of `/api/generate`; None asks only for the model to be ready, or to go. Raises BadRequest."""
    document = parse_object(body)
    return requests.parse_generate(document), wish_of(document)


def parse_embed(body: bytes) -> EmbeddingsRequest:
    """The body of `/api/embed` or `/api/embeddings`. Raises BadRequest."""
    return requests.parse_embed(parse_object(body))


def parse_show(body: bytes) -> str:
    """The model that `/api/show` asks about. Raises BadRequest."""
    return requests.model_of(parse_object(body))


def stream(
    request: GenerateRequest, *, generate: bool, wall: Callable[[], float], clock: Callable[[], float]
) -> AnswerStream:
    """The encoder for a streamed answer. `generate`: for `/api/generate`, else for `/api/chat`."""
    return LineStream(model=request.model, generate=generate, wall=wall, clock=clock)


def assembly(
    request: GenerateRequest, *, generate: bool, wall: Callable[[], float], clock: Callable[[], float]
) -> AnswerAssembly:
    """The collector for a whole answer. `generate`: for `/api/generate`, else for `/api/chat`."""
    return WholeAnswer(model=request.model, generate=generate, wall=wall, clock=clock)

"""The Ollama dialect, as the server uses it: request bytes in, answer bytes out. Pure.

Owns the translation into an OpenAI document, Ollama's lines of JSON, and what it says about models. Must not
load or unload a model: it only reads what the client asks for. Clocks are passed in.
"""

from collections.abc import Callable

from gateway.core.request import ChatRequest, CompletionRequest, EmbeddingsRequest, GenerateRequest
from gateway.wire.dialect import AnswerAssembly, AnswerStream
from gateway.wire.json_body import parse_object, parse_request
from gateway.wire.ollama import requests
from gateway.wire.ollama.answers import (
    LineStream,
    WholeAnswer,
    embed_body,
    embedding_body,
    error_body,
    no_vectors_body,
    ready_body,
)
from gateway.wire.ollama.keep_alive import Wish, wish_of
from gateway.wire.ollama.model_lists import (
    Pull,
    Resident,
    model_of,
    ps_body,
    pull_of,
    pulled_body,
    show_body,
    tags_body,
    version_body,
)

CONTENT_TYPE = "application/json; charset=utf-8"
STREAM_CONTENT_TYPE = "application/x-ndjson"

__all__ = [
    "CONTENT_TYPE",
    "STREAM_CONTENT_TYPE",
    "Pull",
    "Resident",
    "Wish",
    "assembly",
    "embed_body",
    "embedding_body",
    "error_body",
    "no_vectors_body",
    "parse_chat",
    "parse_embed",
    "parse_generate",
    "parse_pull",
    "parse_show",
    "ps_body",
    "pulled_body",
    "ready_body",
    "show_body",
    "stream",
    "tags_body",
    "version_body",
]


def parse_chat(body: bytes, unnamed: str = "") -> tuple[ChatRequest | None, Wish]:
    """Parse the body of `/api/chat`. None in place of a request: only load the model, or unload it.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    document = parse_request(body, unnamed)
    return requests.parse_chat(document), wish_of(document)


def parse_generate(body: bytes, unnamed: str = "") -> tuple[ChatRequest | CompletionRequest | None, Wish]:
    """Parse the body of `/api/generate`. None in place of a request: only load the model, or unload it.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    document = parse_request(body, unnamed)
    return requests.parse_generate(document), wish_of(document)


def parse_embed(body: bytes, unnamed: str = "") -> tuple[EmbeddingsRequest | None, Wish]:
    """Parse the body of `/api/embed` or `/api/embeddings`. None in place of a request: only load the model.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    document = parse_request(body, unnamed)
    return requests.parse_embed(document), wish_of(document)


def parse_show(body: bytes, unnamed: str = "") -> str:
    """Return the model that `/api/show` asks about.

    Raises:
        BadRequest: the body is no JSON object, or names no model.
    """
    return model_of(parse_request(body, unnamed))


def parse_pull(body: bytes, unnamed: str = "") -> Pull:
    """Return what `/api/pull` asks for.

    Raises:
        BadRequest: the body is no JSON object, or names no model.
    """
    return pull_of(parse_object(body))


def stream(
    request: GenerateRequest, *, generate: bool, wall: Callable[[], float], clock: Callable[[], float]
) -> AnswerStream:
    """Return the encoder for a streamed answer of `/api/generate` if `generate` is true, else of `/api/chat`.

    `wall` gives Unix seconds, `clock` monotonic seconds.
    """
    return LineStream(model=request.model, generate=generate, wall=wall, clock=clock)


def assembly(
    request: GenerateRequest, *, generate: bool, wall: Callable[[], float], clock: Callable[[], float]
) -> AnswerAssembly:
    """Return the collector for a whole answer of `/api/generate` if `generate` is true, else of `/api/chat`.

    `wall` gives Unix seconds, `clock` monotonic seconds.
    """
    return WholeAnswer(model=request.model, generate=generate, wall=wall, clock=clock)

"""The OpenAI dialect, as the server uses it: request bytes in, answer bytes out. Pure.

Owns the document that all other dialects are translated into, which is what is inspected and sent. Must not import
another dialect.
"""

from gateway.core.delta import Embeddings
from gateway.core.request import ChatRequest, CompletionRequest, EmbeddingsRequest, GenerateRequest
from gateway.wire.dialect import AnswerAssembly, AnswerStream
from gateway.wire.json_body import parse_request
from gateway.wire.openai import lists, requests
from gateway.wire.openai.answer_fields import error_body
from gateway.wire.openai.chat_answer import ChatAssembly, ChatStream
from gateway.wire.openai.completion_answer import TextAssembly, TextStream
from gateway.wire.openai.lists import model_body, models_body

CONTENT_TYPE = "application/json"
STREAM_CONTENT_TYPE = "text/event-stream"

__all__ = [
    "CONTENT_TYPE",
    "STREAM_CONTENT_TYPE",
    "ChatAssembly",
    "ChatStream",
    "TextAssembly",
    "TextStream",
    "answer_id",
    "assembly",
    "embeddings_body",
    "error_body",
    "model_body",
    "models_body",
    "parse_chat",
    "parse_completion",
    "parse_embeddings",
    "stream",
]


def parse_chat(body: bytes, unnamed: str = "") -> ChatRequest:
    """Parse the body of `/v1/chat/completions`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return requests.parse_chat(parse_request(body, unnamed))


def parse_completion(body: bytes, unnamed: str = "") -> CompletionRequest:
    """Parse the body of `/v1/completions`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return requests.parse_completion(parse_request(body, unnamed))


def parse_embeddings(body: bytes, unnamed: str = "") -> EmbeddingsRequest:
    """Parse the body of `/v1/embeddings`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return requests.parse_embeddings(parse_request(body, unnamed))


def answer_id(request: GenerateRequest, unique: str) -> str:
    """Return the answer's `id`, with the prefix that clients expect."""
    return f"chatcmpl-{unique}" if isinstance(request, ChatRequest) else f"cmpl-{unique}"


def stream(request: GenerateRequest, *, id: str, created: int) -> AnswerStream:  # noqa: A002 - OpenAI's name
    """Return the encoder for a streamed answer to `request`. `created` is in Unix seconds."""
    if isinstance(request, ChatRequest):
        return ChatStream(
            id=id,
            created=created,
            model=request.model,
            choices=request.sampling.n,
            include_usage=request.include_usage,
            older_functions=request.older_functions,
        )
    return TextStream(id=id, created=created, model=request.model, include_usage=request.include_usage)


def assembly(request: GenerateRequest, *, id: str, created: int) -> AnswerAssembly:  # noqa: A002 - OpenAI's name
    """Return the collector for a whole answer to `request`. `created` is in Unix seconds."""
    if isinstance(request, ChatRequest):
        return ChatAssembly(id=id, created=created, model=request.model, older_functions=request.older_functions)
    return TextAssembly(id=id, created=created, model=request.model)


def embeddings_body(request: EmbeddingsRequest, embeddings: Embeddings) -> bytes:
    """Encode the answer to `request`."""
    return lists.embeddings_body(embeddings, model=request.model, as_base64=request.base64)

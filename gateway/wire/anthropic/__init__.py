"""The Anthropic dialect, as the server uses it: request bytes in, answer bytes out. Pure."""

from gateway.core.request import ChatRequest
from gateway.wire.anthropic import requests
from gateway.wire.anthropic.answers import MessageAssembly, MessageStream, error_body
from gateway.wire.dialect import AnswerAssembly, AnswerStream
from gateway.wire.encoding import encode_json
from gateway.wire.json_body import parse_object

CONTENT_TYPE = "application/json"
STREAM_CONTENT_TYPE = "text/event-stream"

__all__ = [
    "CONTENT_TYPE",
    "STREAM_CONTENT_TYPE",
    "MessageAssembly",
    "MessageStream",
    "answer_id",
    "assembly",
    "count_body",
    "error_body",
    "parse_count",
    "parse_messages",
    "stream",
]


def parse_messages(body: bytes, *, version: str = "") -> ChatRequest:
    """The body of `/v1/messages`; `version` is the `anthropic-version` header. Raises BadRequest."""
    return requests.parse_messages(parse_object(body), version)


def parse_count(body: bytes, *, version: str = "") -> ChatRequest:
    """The body of `/v1/messages/count_tokens`. Raises BadRequest."""
    return requests.parse_count(parse_object(body), version)


def answer_id(unique: str) -> str:
    """The answer's `id`, with the prefix that clients expect."""
    return f"msg_{unique}"


def stream(request: ChatRequest, *, id: str, request_id: str, input_tokens: int = 0) -> AnswerStream:  # noqa: A002 - Anthropic's name
    """The encoder for a streamed answer. `input_tokens`: as known before the answer begins; the end has the truth."""
    return MessageStream(id=id, model=request.model, request_id=request_id, input_tokens=input_tokens)


def assembly(request: ChatRequest, *, id: str) -> AnswerAssembly:  # noqa: A002 - Anthropic's name
    """The collector for a whole answer."""
    return MessageAssembly(id=id, model=request.model)


def count_body(tokens: int) -> bytes:
    """The answer of `/v1/messages/count_tokens`."""
    return encode_json({"input_tokens": tokens})

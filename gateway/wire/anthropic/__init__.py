"""The Anthropic dialect, as the server uses it: request bytes in, answer bytes out. Pure.

Owns the translation of messages and blocks into an OpenAI document and of deltas into Anthropic's events. Must not
pass on anything that is not in that document.
"""

from gateway.core.request import ChatRequest
from gateway.wire.anthropic import requests
from gateway.wire.anthropic.answers import PING, MessageAssembly, MessageStream, error_body
from gateway.wire.anthropic.native import Wanted, betas_of
from gateway.wire.dialect import AnswerAssembly, AnswerStream
from gateway.wire.encoding import encode_json
from gateway.wire.json_body import parse_request

CONTENT_TYPE = "application/json"
STREAM_CONTENT_TYPE = "text/event-stream"

__all__ = [
    "CONTENT_TYPE",
    "PING",
    "STREAM_CONTENT_TYPE",
    "MessageAssembly",
    "MessageStream",
    "Wanted",
    "answer_id",
    "assembly",
    "betas_of",
    "count_body",
    "error_body",
    "parse_count",
    "parse_messages",
    "stream",
]


def parse_messages(body: bytes, unnamed: str = "", *, version: str = "", wanted: Wanted | None = None) -> ChatRequest:
    """Parse the body of `/v1/messages`; `version` is the `anthropic-version` header, `wanted` what targets take.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return requests.parse_messages(parse_request(body, unnamed), version, wanted)


def parse_count(body: bytes, unnamed: str = "", *, version: str = "", wanted: Wanted | None = None) -> ChatRequest:
    """Parse the body of `/v1/messages/count_tokens`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return requests.parse_count(parse_request(body, unnamed), version, wanted)


def answer_id(unique: str) -> str:
    """Return the answer's `id`, with the prefix that clients expect."""
    return f"msg_{unique}"


def stream(request: ChatRequest, *, id: str, request_id: str, input_tokens: int = 0) -> AnswerStream:  # noqa: A002 - Anthropic's name
    """Return the encoder for a streamed answer. `input_tokens` is an early estimate; the end has the true count."""
    stops = request.sampling.stop
    return MessageStream(id=id, model=request.model, request_id=request_id, stops=stops, input_tokens=input_tokens)


def assembly(request: ChatRequest, *, id: str) -> AnswerAssembly:  # noqa: A002 - Anthropic's name
    """Return the collector for a whole answer."""
    return MessageAssembly(id=id, model=request.model, stops=request.sampling.stop)


def count_body(tokens: int) -> bytes:
    """Encode the answer of `/v1/messages/count_tokens`."""
    return encode_json({"input_tokens": tokens})

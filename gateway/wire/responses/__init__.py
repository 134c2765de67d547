"""The Responses API of the OpenAI dialect, as the server uses it: request bytes in, answer bytes out. Pure.

Owns the translation of items and tools into an OpenAI chat document, and of deltas into numbered events. Must not
store anything: what needs an earlier answer by its id is refused.
"""

from gateway.core.document import thaw
from gateway.wire.dialect import AnswerAssembly, AnswerStream
from gateway.wire.encoding import encode_json
from gateway.wire.json_body import parse_request
from gateway.wire.responses import requests
from gateway.wire.responses.answers import ResponsesAssembly, ResponsesStream
from gateway.wire.responses.requests import ResponsesRequest

__all__ = ["ResponsesRequest", "answer_id", "assembly", "input_tokens_body", "parse_response", "stream"]


def parse_response(body: bytes, unnamed: str = "") -> ResponsesRequest:
    """Parse the body of `/v1/responses`.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
    """
    return requests.parse_response(parse_request(body, unnamed))


def answer_id(unique: str) -> str:
    """Return the answer's `id`, with the prefix that clients expect."""
    return f"resp_{unique}"


def stream(request: ResponsesRequest, *, id: str, created: int) -> AnswerStream:  # noqa: A002 - OpenAI's name
    """Return the encoder for a streamed answer. `created` is in Unix seconds."""
    shown = {name: thaw(value) for name, value in request.shown.items()}
    return ResponsesStream(id=id, created=created, model=request.chat.model, shown=shown, tools=request.tools)


def assembly(request: ResponsesRequest, *, id: str, created: int) -> AnswerAssembly:  # noqa: A002 - OpenAI's name
    """Return the collector for a whole answer. `created` is in Unix seconds."""
    shown = {name: thaw(value) for name, value in request.shown.items()}
    return ResponsesAssembly(id=id, created=created, model=request.chat.model, shown=shown, tools=request.tools)


def input_tokens_body(tokens: int) -> bytes:
    """Encode the answer of `/v1/responses/input_tokens`."""
    return encode_json({"object": "response.input_tokens", "input_tokens": tokens})

"""The Responses API of the OpenAI dialect, as the server uses it: request bytes in, answer bytes out. Pure.

Owns the translation of items and tools into an OpenAI chat document, and of deltas into numbered events. Must not
store anything itself: what a body continues is handed in.
"""

from collections.abc import Mapping, Sequence

import msgspec

from gateway.core.document import JsonObject, thaw
from gateway.wire.dialect import AnswerAssembly
from gateway.wire.encoding import encode_json
from gateway.wire.json_body import parse_request
from gateway.wire.responses import compaction, requests
from gateway.wire.responses.answers import ResponsesAssembly, ResponsesStream
from gateway.wire.responses.requests import ResponsesRequest
from gateway.wire.responses.stored_items import (
    Refers,
    continued,
    conversation_not_found,
    is_sealed,
    previous_not_found,
    refers,
    unreferenced,
)

__all__ = [
    "Asked",
    "ResponsesRequest",
    "answer_id",
    "assembly",
    "input_tokens_body",
    "parse_asked",
    "parse_compact",
    "parse_continued",
    "parse_response",
    "stream",
    "whole",
]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `/v1/responses`. `request`: what it asks for; None: that needs what it refers to."""

    document: JsonObject
    refers: Refers
    request: ResponsesRequest | None = None


def parse_response(body: bytes, unnamed: str = "") -> ResponsesRequest:
    """Parse the body of `/v1/responses`, where nothing is stored.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
        NotFound: it continues something that would have to be stored.
    """
    request = parse_asked(body, unnamed).request
    assert request is not None
    return request


def parse_asked(body: bytes, unnamed: str = "", *, storing: bool = False) -> Asked:
    """Parse the body of `/v1/responses` as far as it goes without what it refers to.

    Args:
        body: The request's body.
        unnamed: The model of a body that names none.
        storing: Answers are stored here, so that a body may refer to them.

    Raises:
        BadRequest: the body is no JSON object, or a field is missing, has the wrong type or is not served here.
        NotFound: it continues something, and nothing is stored here.
    """
    document = parse_request(body, unnamed)
    named = refers(document)
    if not storing:
        if named.previous is not None:
            raise previous_not_found(named.previous)
        if named.conversation is not None:
            raise conversation_not_found(named.conversation)
    if (storing and named) or any(map(is_sealed, named.items)):
        return Asked(document=document, refers=named)
    return Asked(document=document, refers=Refers(), request=requests.parse_response(document, storing=storing))


def parse_compact(body: bytes, unnamed: str = "", *, storing: bool = False) -> tuple[Asked, tuple[str, ...]]:
    """Parse the body of `/v1/responses/compact` into a request for a summary, and the paths of what it leaves out.

    Raises:
        BadRequest: the body is not as it must be.
        NotFound: it continues something, and nothing is stored here.
    """
    document, lost = compaction.parse_compact(body, unnamed)
    named = refers(document)
    if named.previous is not None and not storing:
        raise previous_not_found(named.previous)
    return Asked(document=document, refers=named), lost


def parse_continued(
    asked: Asked, earlier: Sequence[bytes], referenced: Mapping[str, bytes], *, storing: bool = True
) -> ResponsesRequest:
    """Parse a body together with what it refers to.

    Args:
        asked: The body.
        earlier: The items that it continues, as JSON.
        referenced: Further items by the ids under which it names them.
        storing: Answers are stored here.

    Raises:
        BadRequest: together they are not as they must be.
    """
    document = continued(asked.document, earlier, referenced)
    return requests.parse_response(document, given=unreferenced(asked.document, referenced), storing=storing)


def answer_id(unique: str) -> str:
    """Return the answer's `id`, with the prefix that clients expect."""
    return f"resp_{unique}"


def stream(request: ResponsesRequest, *, id: str, created: int) -> ResponsesStream:  # noqa: A002 - OpenAI's name
    """Return the encoder for a streamed answer. `created` is in Unix seconds."""
    shown = {name: thaw(value) for name, value in request.shown.items()}
    return ResponsesStream(id=id, created=created, model=request.chat.model, shown=shown, tools=request.tools)


def assembly(request: ResponsesRequest, *, id: str, created: int) -> AnswerAssembly:  # noqa: A002 - OpenAI's name
    """Return the collector for a whole answer. `created` is in Unix seconds."""
    return ResponsesAssembly(stream(request, id=id, created=created))


def whole(encoder: ResponsesStream) -> AnswerAssembly:
    """Return the collector for a whole answer that this encoder says."""
    return ResponsesAssembly(encoder)


def input_tokens_body(tokens: int) -> bytes:
    """Encode the answer of `/v1/responses/input_tokens`."""
    return encode_json({"object": "response.input_tokens", "input_tokens": tokens})

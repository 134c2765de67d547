"""Bodies of `/v1/messages/batches`: what clients write, and the results that they read back. Pure.

Source: Anthropic's API reference of message batches. A batch is kept as a file of lines, as OpenAI's batches have them.
"""

from typing import Any

import msgspec

from gateway.core.errors import BadRequest
from gateway.wire.encoding import encode_json

ENDPOINT = "/v1/messages"
MOST_REQUESTS = 50_000
_LONGEST_NAME = 64


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    custom_id: str
    params: msgspec.Raw


class _NewBatch(msgspec.Struct, frozen=True, kw_only=True):
    requests: list[_Request]


class _Response(msgspec.Struct, frozen=True, kw_only=True):
    status_code: int
    body: msgspec.Raw


class _Error(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    custom_id: str
    response: _Response | None
    error: _Error | None


_ENDS = {"batch_expired": "expired", "batch_cancelled": "canceled"}


def parse_message_batch(body: bytes) -> tuple[bytes, ...]:
    """Parse the body of POST `/v1/messages/batches` into the lines of a batch's file.

    Raises:
        BadRequest: It is not as it must be. What is wrong in a request's own `params` is told in its result.
    """
    try:
        requests = msgspec.json.decode(body, type=_NewBatch).requests
    except (ValueError, RecursionError) as error:
        raise BadRequest(
            "The body must be a JSON object whose 'requests' is an array of objects with 'custom_id' and 'params'.",
            param="requests",
            code="invalid_value",
        ) from error
    if not 1 <= len(requests) <= MOST_REQUESTS:
        raise BadRequest(f"'requests': must have 1 to {MOST_REQUESTS} items.", param="requests", code="invalid_value")
    names = [one.custom_id for one in requests]
    if len(set(names)) < len(names):
        raise BadRequest("'requests': two of them have the same 'custom_id'.", param="requests", code="invalid_value")
    return tuple([_line(place, one) for place, one in enumerate(requests)])


def _line(place: int, request: _Request) -> bytes:
    name = request.custom_id
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise BadRequest(
            f"'requests[{place}].custom_id': must have 1 to {_LONGEST_NAME} characters.",
            param=f"requests[{place}].custom_id",
            code="invalid_value",
        )
    params = msgspec.Raw(msgspec.json.format(bytes(request.params), indent=-1))  # one line, however it was written
    return encode_json({"custom_id": name, "method": "POST", "url": ENDPOINT, "body": params})


def result_line(text: bytes) -> bytes:
    """Return a line of a batch's results in Anthropic's form."""
    line = msgspec.json.decode(text, type=_Line)
    result: dict[str, Any]
    match line.response, line.error:
        case _Response(status_code=200, body=message), _:
            result = {"type": "succeeded", "message": message}
        case _Response(body=told), _:
            result = {"type": "errored", "error": told}
        case None, _Error(code=code) if code in _ENDS:
            result = {"type": _ENDS[code]}
        case _, error:
            why = error.message if error is not None else "The request was not asked."
            fault = {"type": "api_error", "message": why}
            result = {"type": "errored", "error": {"type": "error", "error": fault, "request_id": None}}
    return encode_json({"custom_id": line.custom_id, "result": result})

"""Bodies of `/v1/batches` and the lines of a batch's file: what clients write, and what they read back. Pure.

Source: OpenAI's API reference of batches: up to 50,000 requests in a file, one endpoint for all of them.
"""

from typing import Any

import msgspec

from gateway.core.errors import AduanaError, BadRequest
from gateway.wire.body_fields import Fields
from gateway.wire.encoding import encode_json
from gateway.wire.json_body import parse_object
from gateway.wire.responses.conversations import parse_metadata

ENDPOINTS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")
WINDOW_SECONDS = 24 * 60 * 60
LIFETIMES = (3600, 2_592_000)
"""The shortest and the longest time in seconds for which a file may be asked to be kept."""
_LONGEST_NAME = 512


class NewBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Batch that a client asks for."""

    input_file: str
    endpoint: str
    metadata: dict[str, str] | None
    output_seconds: int | None  # for which its results are kept; None: as long as anything
    total: int = 0  # requests, where they were counted already


class BatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a batch. `body` is its JSON as the client wrote it."""

    custom_id: str
    body: bytes


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    custom_id: str
    method: str
    url: str
    body: msgspec.Raw


def parse_new_batch(body: bytes) -> NewBatch:
    """Parse the body of POST `/v1/batches`.

    Raises:
        BadRequest: It is not as it must be.
    """
    document = parse_object(body)
    fields = Fields(document)
    input_file = fields.required_string("input_file_id", longest=128)
    fields.required_string("endpoint")
    endpoint = fields.choice("endpoint", ENDPOINTS)
    fields.required_string("completion_window")
    fields.choice("completion_window", ("24h",))
    after = fields.mapping("output_expires_after")
    return NewBatch(
        input_file=input_file,
        endpoint=endpoint or "",
        metadata=parse_metadata(body) if document.get("metadata") is not None else None,
        output_seconds=after.integer("seconds", *LIFETIMES) if after is not None else None,
    )


def parse_line(text: bytes, endpoint: str) -> BatchLine:
    """Parse one line of a batch's file.

    Raises:
        BadRequest: It is no request to this endpoint.
    """
    try:
        line = msgspec.json.decode(text, type=_Line)
    except (ValueError, RecursionError) as error:
        raise BadRequest(
            "This line is no JSON object with 'custom_id', 'method', 'url' and 'body'.", code="invalid_json_line"
        ) from error
    if line.method != "POST":
        raise BadRequest("'method' must be POST.", param="method", code="invalid_method")
    if line.url != endpoint:
        raise BadRequest(f"'url' must be the batch's endpoint, {endpoint}.", param="url", code="mismatched_url")
    if not line.custom_id or len(line.custom_id) > _LONGEST_NAME:
        raise BadRequest(
            f"'custom_id' must have 1 to {_LONGEST_NAME} characters.", param="custom_id", code="invalid_custom_id"
        )
    return BatchLine(custom_id=line.custom_id, body=bytes(line.body))


def answered_line(name: str, custom_id: str, request_id: str, status: int, body: bytes) -> bytes:
    """Encode the result of a line that was answered, or refused with an error body."""
    response = {"status_code": status, "request_id": request_id, "body": msgspec.Raw(body)}
    return encode_json({"id": name, "custom_id": custom_id, "response": response, "error": None})


def unanswered_line(name: str, custom_id: str, error: AduanaError) -> bytes:
    """Encode the result of a line that was never asked."""
    told: dict[str, Any] = {"code": error.code, "message": error.message}
    return encode_json({"id": name, "custom_id": custom_id, "response": None, "error": told})

"""Bodies of `/v1/conversations`: what a client gives a conversation, and how it is shown. Pure.

Source: the conversations of OpenAI's API reference: 16 pairs of metadata, 20 items in one request.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.document import JsonObject
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.encoding import encode_json
from gateway.wire.json_body import parse_object
from gateway.wire.responses.stored_items import parse_items

_MOST_ITEMS = 20
_MOST_PAIRS = 16
_NAMING = ("item_reference", "compaction")
_LONGEST_KEY = 64
_LONGEST_VALUE = 512


def parse_new(body: bytes) -> tuple[dict[str, str], list[Any]]:
    """Return the metadata and the items of a new conversation; an empty body has neither.

    Raises:
        BadRequest: The body is not as it must be.
    """
    document: JsonObject = parse_object(body) if body.strip() else {}
    return _metadata(document), _items(document)


def parse_metadata(body: bytes) -> dict[str, str]:
    """Return the metadata that a conversation gets.

    Raises:
        BadRequest: The body is not as it must be.
    """
    return _metadata(parse_object(body))


def parse_added(body: bytes) -> list[Any]:
    """Return the items that are added to a conversation.

    Raises:
        BadRequest: The body is not as it must be.
    """
    document = parse_object(body)
    if not document.get("items"):
        raise bad_field("items", "is missing.")
    return _items(document)


def conversation_body(id: str, created: int, metadata: Mapping[str, str]) -> bytes:  # noqa: A002 - OpenAI's name
    """Encode a conversation, without its items."""
    return encode_json({"id": id, "object": "conversation", "created_at": created, "metadata": dict(metadata)})


def deleted_body(id: str, kind: str) -> bytes:  # noqa: A002 - OpenAI's name
    """Encode that something was deleted; `kind` is its `object`."""
    return encode_json({"id": id, "object": kind, "deleted": True})


def _metadata(document: JsonObject) -> dict[str, str]:
    given = Fields(document).mapping("metadata")
    if given is None:
        return {}
    if len(given.document) > _MOST_PAIRS:
        raise bad_field("metadata", f"must have at most {_MOST_PAIRS} pairs.")
    for name in given.document:
        if len(name) > _LONGEST_KEY:
            raise bad_field("metadata", f"its names must have at most {_LONGEST_KEY} characters.")
    return {name: given.string(name, longest=_LONGEST_VALUE) or "" for name in given.document}


def _items(document: JsonObject) -> list[Any]:
    items = parse_items(document, "items")
    for number, item in enumerate(items):
        if item.get("type") in _NAMING or (item.get("type") is None and "role" not in item):
            raise bad_field(f"items[{number}].type", "names something else. Send what it stands for.")
    if len(items) > _MOST_ITEMS:
        raise bad_field("items", f"must have at most {_MOST_ITEMS} items in one request.")
    return items

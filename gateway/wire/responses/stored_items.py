"""Items that are stored: their ids, their form in lists, and how a body continues them. Pure.

INVARIANT: a stored item says to a model what it said when it came: listing and continuing read the same bytes. What is
continued is parsed anew, as strictly as what a client sends.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject, thaw
from gateway.core.errors import NotFound
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.json_body import parse_object
from gateway.wire.responses.input import check_items

_MADE = re.compile(r"[a-z]{2,4}_([0-9a-f]{24})_(?:in)?\d{1,6}")  # ids of items that were answered here
_MOST_ITEMS = 100_000
_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}
_WITH_STATUS = frozenset(_PREFIXES) - {"custom_tool_call", "custom_tool_call_output"}
_REFERRING = ("previous_response_id", "conversation")
_LONGEST = 200
_SEALED = "aduana1."  # how summaries begin that were sealed here (gateway/stored/compaction.py)


class Refers(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of what a body continues or names."""

    previous: str | None = None
    conversation: str | None = None
    items: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.previous is not None or self.conversation is not None or bool(self.items)


def is_sealed(name: str) -> bool:
    """Return whether what an item names is a summary that this gateway has sealed, and no id."""
    return name.startswith(_SEALED)


def refers(document: JsonObject) -> Refers:
    """Return what a body of `/v1/responses` refers to.

    Raises:
        BadRequest: A reference is broken, or there are two that exclude each other.
    """
    body = Fields(document)
    previous = body.string("previous_response_id", longest=_LONGEST) or None
    given = document.get("conversation")
    if isinstance(given, Mapping):
        conversation: str | None = Fields(given, "conversation").required_string("id", longest=_LONGEST)
    else:
        conversation = body.string("conversation", longest=_LONGEST) or None
    if previous is not None and conversation is not None:
        raise bad_field("conversation", "can't be used together with 'previous_response_id'.")
    listed = document.get("input")
    named = [_reference(item) for item in listed] if isinstance(listed, tuple) else []
    return Refers(previous=previous, conversation=conversation, items=tuple([item for item in named if item]))


def not_found(what: str, id: str, *, param: str | None = None, code: str = "not_found") -> NotFound:  # noqa: A002
    """Return the error for an id that this caller has nothing under."""
    return NotFound(missing(what, id), param=param, code=code)


def missing(what: str, id: str) -> str:  # noqa: A002 - OpenAI's name
    """Say that this caller has nothing under an id."""
    return f"{what} with id {id[:_LONGEST]!r} not found."


def previous_not_found(id: str) -> NotFound:  # noqa: A002 - OpenAI's name
    """Return the error for an earlier response that is not there, with the code that OpenAI gives it."""
    return not_found("Previous response", id, param="previous_response_id", code="previous_response_not_found")


def conversation_not_found(id: str) -> NotFound:  # noqa: A002 - OpenAI's name
    """Return the error for a conversation that is not there."""
    return not_found("Conversation", id, param="conversation", code="conversation_not_found")


def response_of(item: str) -> str | None:
    """Return the id of the response that an item was answered in; None: the id does not tell."""
    found = _MADE.fullmatch(item)
    return f"resp_{found[1]}" if found else None


def new_items(document: JsonObject, referenced: Mapping[str, bytes]) -> list[Any]:
    """Return the items of a body's own `input`; references are replaced by what they name.

    Raises:
        BadRequest: It is neither a text nor an array.
    """
    given = document.get("input")
    if not isinstance(given, str | tuple | None):
        raise bad_field("input", "must be a string or an array of items.")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    return [
        msgspec.Raw(referenced[named]) if (named := _reference(item)) and named in referenced else thaw(item)
        for item in (given if isinstance(given, tuple) else ())
    ]


def continued(document: JsonObject, earlier: Iterable[bytes], referenced: Mapping[str, bytes]) -> JsonObject:
    """Return a body whose `input` has the whole conversation, so that it refers to nothing.

    Raises:
        BadRequest: Together they are no body that is accepted.
        TooLarge: They have too many values.
    """
    items = [*(msgspec.Raw(item) for item in _answered(earlier)), *new_items(document, referenced)]
    rest = {name: thaw(value) for name, value in document.items() if name not in _REFERRING}
    return parse_object(msgspec.json.encode(rest | {"input": items}))


def unreferenced(document: JsonObject, referenced: Mapping[str, bytes]) -> JsonObject:
    """Return a body without the items that name something which was found: nothing of them is left out."""
    given = document.get("input")
    if not referenced or not isinstance(given, tuple):
        return document
    return MappingProxyType(
        {**document, "input": tuple([item for item in given if _reference(item) not in referenced])}
    )


def _answered(earlier: Iterable[bytes]) -> list[bytes]:
    """Return the items without thoughts that belong to no answer: one that was cut off may end with them."""
    kept: list[bytes] = []
    thoughts: list[bytes] = []
    for item in earlier:
        head = msgspec.json.decode(item, type=_Head)
        if head.type == "reasoning":
            thoughts.append(item)
            continue
        if head.role not in ("user", "system", "developer"):
            kept += thoughts
        thoughts = []
        kept.append(item)
    return kept


class _Head(msgspec.Struct, frozen=True):
    type: str = "message"
    role: str = ""


def listed_items(items: Sequence[Any], new_id: Callable[[str, int], str]) -> tuple[bytes, ...]:
    """Return items as they are stored and listed: each with an id, messages with parts.

    Args:
        items: What a client sent, thawed.
        new_id: Makes an id of a prefix and the item's number.
    """
    return tuple([_listed(item, number, new_id) for number, item in enumerate(items)])


def _listed(item: Any, number: int, new_id: Callable[[str, int], str]) -> bytes:
    if isinstance(item, msgspec.Raw):
        return bytes(item)
    fields: dict[str, Any] = dict(item)
    if fields.get("type") is None:
        fields["type"] = "message" if "role" in fields else "item_reference"
    kind = fields["type"]
    if kind == "message" and isinstance(fields.get("content"), str):
        fields["content"] = [_text_part(fields.get("role"), fields["content"])]
    if not isinstance(fields.get("id"), str) or not fields["id"]:
        fields["id"] = new_id(_PREFIXES.get(str(kind), "item"), number)
    if kind in _WITH_STATUS and fields.get("status") is None:
        fields["status"] = "completed"
    return msgspec.json.encode(fields)


def _text_part(role: Any, text: str) -> dict[str, Any]:
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "input_text", "text": text}


def parse_items(document: JsonObject, name: str) -> list[Any]:
    """Return the items of a body's field, thawed.

    Raises:
        BadRequest: It is no array of items that could be continued.
    """
    items = Fields(document).objects(name, _MOST_ITEMS)
    check_items(items)
    return [thaw(item.document) for item in items]


def page(items: Sequence[bytes], *, after: str | None, order: str, limit: int) -> bytes:
    """Return one page of a list of items, which stand oldest first.

    Raises:
        NotFound: There is no item `after` which the page would begin.
    """
    ids = [id_of(item) for item in items]
    numbers = list(range(len(items)))
    if order == "desc":
        numbers.reverse()
    if after is not None:
        if after not in ids:
            raise not_found("Item", after, param="after", code="item_not_found")
        numbers = numbers[numbers.index(ids.index(after)) + 1 :]
    shown = numbers[:limit]
    return msgspec.json.encode(
        {
            "object": "list",
            "data": [msgspec.Raw(items[number]) for number in shown],
            "first_id": ids[shown[0]] if shown else "",
            "last_id": ids[shown[-1]] if shown else "",
            "has_more": len(numbers) > limit,
        }
    )


def id_of(item: bytes) -> str:
    """Return the id of a stored item."""
    return msgspec.json.decode(item, type=_Id).id


class _Id(msgspec.Struct, frozen=True):
    id: str = ""


def _reference(item: Json) -> str | None:
    """Return what an item names, where it is nothing but a reference: an id, or a summary that was sealed here."""
    if not isinstance(item, Mapping):
        return None
    if item.get("type") == "compaction":
        sealed = item.get("encrypted_content")
        return sealed if isinstance(sealed, str) and is_sealed(sealed) else None
    plain = item.get("type") is None and "role" not in item
    named = item.get("id")
    return named if (plain or item.get("type") == "item_reference") and isinstance(named, str) and named else None

"""`/v1/responses/compact`: a conversation becomes a question for its summary, and the summary an item. Pure.

The answer has all messages of the user and behind them one `compaction` item. Source: OpenAI's API reference.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject
from gateway.core.usage import Usage
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.encoding import encode_json
from gateway.wire.json_body import parse_request
from gateway.wire.left_out import left_out, part
from gateway.wire.responses import shape
from gateway.wire.responses.answers import usage_fields

_CARRIED = ("model", "instructions", "previous_response_id", "prompt_cache_key")
_SHAPE = part(*_CARRIED, input=shape.BODY["input"])
_MOST_TOKENS = 1024
_MOST_ITEMS = 100_000
WANTED = (
    "Summarise the conversation so far, for an assistant that will go on with nothing but this summary "
    "and the user's own messages. Keep facts, decisions, names, numbers, paths, what was tried with its result "
    "and what is still to be done. Write the summary alone."
)
_WANTED: Json = MappingProxyType({"role": "user", "content": WANTED})
_SAID = "Summary of the conversation so far:\n"


def parse_compact(body: bytes, unnamed: str = "") -> tuple[JsonObject, tuple[str, ...]]:
    """Return the body of a request for a summary, and the paths of what it leaves out.

    Raises:
        BadRequest: the body is no JSON object, or there is nothing to summarise.
    """
    document = parse_request(body, unnamed)
    given = document.get("input")
    if given is None and not document.get("previous_response_id"):
        raise bad_field("input", "is missing.")
    items: tuple[Json, ...] = ({"role": "user", "content": given},) if isinstance(given, str) else ()
    items = items or Fields(document).items("input", _MOST_ITEMS)
    carried = {name: document[name] for name in _CARRIED if name in document}
    asked = {**carried, "input": (*items, _WANTED), "max_output_tokens": _MOST_TOKENS, "store": False}
    return MappingProxyType(asked), left_out(document, _SHAPE)


def user_messages(items: Iterable[bytes]) -> list[bytes]:
    """Return the messages of the user among stored items, without the one that asks for the summary."""
    listed = list(items)[:-1]
    return [item for item in listed if msgspec.json.decode(item, type=_Head) == _Head("message", "user")]


class _Head(msgspec.Struct, frozen=True):
    type: str = "message"
    role: str = ""


def summary_message(text: str) -> bytes:
    """Return the item that a summary stands for when a conversation goes on: the model said it."""
    content = [{"type": "output_text", "text": _SAID + text, "annotations": [], "logprobs": []}]
    return encode_json({"type": "message", "role": "assistant", "status": "completed", "content": content})


def compacted_body(items: list[bytes], content: str, usage: Usage, *, unique: str, created: int) -> bytes:
    """Encode the answer: the user's messages, the sealed summary, and what it took. `created` is in Unix seconds."""
    item: Mapping[str, Any] = {"type": "compaction", "id": f"cmp_{unique}", "encrypted_content": content}
    return encode_json(
        {
            "id": f"resp_{unique}",
            "object": "response.compaction",
            "created_at": created,
            "output": [*map(msgspec.Raw, items), item],
            "usage": usage_fields(usage),
        }
    )

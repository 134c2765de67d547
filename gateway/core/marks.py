"""Marks: what a translated chat document has for targets alone that know it, in the places where OpenRouter has it.

`cache_control` says up to where a prompt is to be cached, `reasoning_details` are signed and sealed thoughts;
`thinking` and `output_config` say how much to think in Anthropic's words. Other servers refuse such fields.
`anthropic_native` holds what only Anthropic's own API has: citations, documents, fields that are not known here, and
what the provider's own tools need. It is inspected like all of the document, and leaves for such targets alone.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from gateway.core.document import Json, JsonObject, is_object
from gateway.core.provider_fields import FIELD as REASONING_DETAILS
from gateway.core.provider_fields import NATIVE

OF_ANTHROPIC = frozenset({"cache_control", "thinking", "output_config", NATIVE})
"""Fields of a whole request in Anthropic's words, for its own API alone."""
SETTLED = frozenset({"citations"})
"""Fields of blocks that Anthropic's API takes without being asked for a feature under test."""
_INSIDE = frozenset({"cache_control", "is_error", REASONING_DETAILS, NATIVE})
Change: TypeAlias = Callable[[JsonObject], JsonObject]


def unmarked(document: JsonObject) -> JsonObject:
    """Return a chat document without its marks. Texts that stood apart for their sake are joined line by line."""
    fields = {name: value for name, value in document.items() if name not in OF_ANTHROPIC}
    return _changed(MappingProxyType(fields), unmarked_part, join=True)


def without_native(document: JsonObject) -> JsonObject:
    """Return a chat document without what only Anthropic's own API takes of its marks."""
    return _changed(_bare(document), _bare, join=False)


def native_for(document: JsonObject, *, provider_tools: bool, unknown: bool) -> JsonObject:
    """Return a chat document with what a target of Anthropic's API is sent of the words of that API.

    Args:
        document: The chat document, with all that its client said.
        provider_tools: Whether the provider may run tools itself, which ask other people's servers.
        unknown: Whether fields that are not known here are sent. The API refuses those of features under test that it
            was not asked for, so they are only where the client asks for no more of them than the target.
    """
    left = {"span", *(("tools", "note", "block") if provider_tools else ())}

    def change(holder: JsonObject) -> JsonObject:
        native = holder.get(NATIVE)
        if not isinstance(native, Mapping):
            return _bare(holder)
        kept: dict[str, Json] = {name: value for name, value in native.items() if name in left}
        fields = native.get("fields")
        if isinstance(fields, Mapping):
            kept["fields"] = MappingProxyType({name: one for name, one in fields.items() if unknown or name in SETTLED})
        return MappingProxyType({**_bare(holder), **({NATIVE: MappingProxyType(kept)} if kept else {})})

    return _changed(change(document), change, join=False)


def _changed(document: JsonObject, change: Change, *, join: bool) -> JsonObject:
    """Return a document with every message, part, call and tool changed."""
    fields = dict(document)
    messages, tools = fields.get("messages"), fields.get("tools")
    if isinstance(messages, tuple):
        fields["messages"] = tuple([_message(message, change, join=join) for message in messages])
    if isinstance(tools, tuple):
        fields["tools"] = tuple([_holder(tool, change) for tool in tools])
    return MappingProxyType(fields)


def _message(message: Json, change: Change, *, join: bool) -> Json:
    if not is_object(message):
        return message
    fields = dict(change(message))
    content, calls = fields.get("content"), fields.get("tool_calls")
    if isinstance(content, tuple):
        parts = tuple([_holder(part, change) for part in content])
        fields["content"] = _joined(parts) if join else parts
    if isinstance(calls, tuple):
        fields["tool_calls"] = tuple([_holder(call, change) for call in calls])
    return MappingProxyType(fields)


def _holder(holder: Json, change: Change) -> Json:
    return change(holder) if is_object(holder) else holder


def _bare(holder: JsonObject) -> JsonObject:
    if NATIVE not in holder:
        return holder
    return MappingProxyType({name: value for name, value in holder.items() if name != NATIVE})


def unmarked_part(holder: JsonObject) -> JsonObject:
    """Return a part of a message, a call or a tool without its marks."""
    if not _INSIDE & holder.keys():
        return holder
    return MappingProxyType({name: value for name, value in holder.items() if name not in _INSIDE})


def _joined(parts: tuple[Json, ...]) -> Json:
    """Return the parts as one text if there is nothing else: more servers understand it."""
    texts = [text for part in parts if isinstance(part, Mapping) and isinstance(text := part.get("text"), str)]
    return "\n".join(texts) if len(texts) == len(parts) else parts

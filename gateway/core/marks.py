"""Marks: what a translated chat document has for targets alone that know it, in the places where OpenRouter has it.

`cache_control` says up to where a prompt is to be cached, `reasoning_details` are signed and sealed thoughts;
`thinking` and `output_config` say how much to think in Anthropic's words. Other servers refuse such fields.
"""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.document import Json, JsonObject
from gateway.core.provider_fields import FIELD as REASONING_DETAILS

OF_ANTHROPIC = frozenset({"cache_control", "thinking", "output_config"})
"""Fields of a whole request in Anthropic's words, for its own API alone."""
_INSIDE = frozenset({"cache_control", "is_error", REASONING_DETAILS})


def unmarked(document: JsonObject) -> JsonObject:
    """Return a chat document without its marks. Texts that stood apart for their sake are joined line by line."""
    fields = {name: value for name, value in document.items() if name not in OF_ANTHROPIC}
    messages, tools = fields.get("messages"), fields.get("tools")
    if isinstance(messages, tuple):
        fields["messages"] = tuple([_message(message) for message in messages])
    if isinstance(tools, tuple):
        fields["tools"] = tuple([unmarked_part(tool) for tool in tools])
    return MappingProxyType(fields)


def _message(message: Json) -> Json:
    if not isinstance(message, Mapping):
        return message
    fields: dict[str, Json] = {name: value for name, value in message.items() if name not in _INSIDE}
    content, calls = fields.get("content"), fields.get("tool_calls")
    if isinstance(content, tuple):
        fields["content"] = _joined(tuple([unmarked_part(part) for part in content]))
    if isinstance(calls, tuple):
        fields["tool_calls"] = tuple([unmarked_part(call) for call in calls])
    return MappingProxyType(fields)


def unmarked_part(holder: Json) -> Json:
    """Return a part of a message, a call or a tool without its marks."""
    if not isinstance(holder, Mapping) or not _INSIDE & holder.keys():
        return holder
    return MappingProxyType({name: value for name, value in holder.items() if name not in _INSIDE})


def _joined(parts: tuple[Json, ...]) -> Json:
    """Return the parts as one text if there is nothing else: more servers understand it."""
    texts = [text for part in parts if isinstance(part, Mapping) and isinstance(text := part.get("text"), str)]
    return "\n".join(texts) if len(texts) == len(parts) else parts

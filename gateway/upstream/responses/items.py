"""Translate the messages of a chat document into the items of OpenAI's Responses API. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.core.document import Json, JsonObject
from gateway.core.provider_fields import RESPONSES, details_of
from gateway.upstream.unsupported import unsupported

Item = dict[str, Any]


def items_of(target: str, document: JsonObject) -> list[Item]:
    """Return the items of a conversation.

    Raises:
        TargetError: A message has a part that this API has no words for.
    """
    messages = document.get("messages")
    custom: set[Json] = set()
    items: list[Item] = []
    for message in messages if isinstance(messages, tuple) else ():
        if isinstance(message, Mapping):
            items += _items(target, message, custom)
    return items


def _items(target: str, message: JsonObject, custom: set[Json]) -> Iterator[Item]:
    """Yield the items of a message. `custom`: ids of calls of tools that take text, so far."""
    role, content = message.get("role"), message.get("content")
    match role:
        case "tool":
            call_id = message.get("tool_call_id")
            kind = "custom_tool_call_output" if call_id in custom else "function_call_output"
            yield {"type": kind, "call_id": call_id, "output": _content(target, content)}
        case "assistant":
            yield from _thoughts(message)
            if said := _said(target, message):
                yield {"role": "assistant", "content": said}
            calls = message.get("tool_calls")
            for call in calls if isinstance(calls, tuple) else ():
                if isinstance(call, Mapping):
                    yield _call(call, custom)
        case _:
            yield {"role": role, "content": _content(target, content)}


def _thoughts(message: JsonObject) -> Iterator[Item]:
    """Yield the thoughts that this API sealed; in plain words it takes none back."""
    for detail in details_of(message, RESPONSES):
        data = detail.get("data")
        if isinstance(data, str) and data:
            item: Item = {"type": "reasoning", "summary": [], "encrypted_content": data}
            yield item | ({"id": detail["id"]} if detail.get("id") else {})


def _said(target: str, message: JsonObject) -> str:
    """Return the text of an answer."""
    content = message.get("content")
    parts = content if isinstance(content, tuple) else (content,)
    texts = [part.get("text") or part.get("refusal") if isinstance(part, Mapping) else part for part in parts]
    return "\n".join([text for text in (*texts, message.get("refusal")) if isinstance(text, str) and text])


def _call(call: JsonObject, custom: set[Json]) -> Item:
    function, own = call.get("function"), call.get("custom")
    if isinstance(function, Mapping):
        inner = {"name": function.get("name"), "arguments": function.get("arguments") or "{}"}
        return {"type": "function_call", "call_id": call.get("id"), **inner}
    custom.add(call.get("id"))
    given = own if isinstance(own, Mapping) else {}
    inner = {"name": given.get("name"), "input": given.get("input") or ""}
    return {"type": "custom_tool_call", "call_id": call.get("id"), **inner}


def _content(target: str, content: Json) -> object:
    if not isinstance(content, tuple):
        return content or ""
    return [_part(target, part) for part in content]


def _part(target: str, part: Json) -> Item:
    kind = part.get("type") if isinstance(part, Mapping) else None
    inner = part.get(str(kind)) if isinstance(part, Mapping) else None
    match kind:
        case "text" | "input_text" | "output_text" if isinstance(part, Mapping):
            return {"type": "input_text", "text": part.get("text")}
        case "image_url" if isinstance(inner, Mapping):
            detail = inner.get("detail")
            return {"type": "input_image", "image_url": inner.get("url")} | ({"detail": detail} if detail else {})
        case "file" if isinstance(inner, Mapping) and inner.get("file_data"):
            return {"type": "input_file", "filename": inner.get("filename"), "file_data": inner.get("file_data")}
        case "input_audio" if isinstance(inner, Mapping):
            return {"type": "input_audio", "input_audio": inner}
        case _:
            raise unsupported(target, f"messages (a part of the kind {str(kind)[:40]})")

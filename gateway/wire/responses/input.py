"""Translate the items of a Responses conversation into OpenAI chat messages. Pure.

Items that only the provider's own machinery can continue (searches, containers, references to stored items) have no
counterpart and are refused by name. Pictures and files in a tool's output go to the user's turn behind the outputs, for
chat messages of tools are text alone.
"""

from typing import Any

from gateway.core.document import Json
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.responses.tools import flat_name, wrapped_input

_MOST_ITEMS = 100_000
_MOST_PARTS = 10_000
_ROLES = ("user", "assistant", "system", "developer")


def translate_input(body: Fields) -> list[dict[str, Any]]:
    """Translate `instructions` and `input` into chat messages.

    Raises:
        BadRequest: there is no input, or an item is broken or not served here.
    """
    instructions = body.string("instructions")
    messages: list[dict[str, Any]] = [{"role": "system", "content": instructions}] if instructions else []
    given = body.document.get("input")
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    items = body.objects("input", _MOST_ITEMS)
    if not items:
        raise bad_field("input", "is missing or empty.")
    thoughts: list[str] = []
    shown: list[dict[str, Any]] = []  # parts of tools' outputs that are not text
    for item in items:
        if item.document.get("type") == "reasoning":
            thoughts += _thoughts(item)
            continue
        message = _message(item)
        if message["role"] == "tool":
            content = _as_parts(message["content"])
            shown += [part for part in content if part["type"] != "text"]
            message["content"] = "\n".join([part["text"] for part in content if part["type"] == "text"])
        elif shown:
            messages.append({"role": "user", "content": shown})
            shown = []
        if thoughts and message["role"] == "assistant":
            message["reasoning_content"] = "\n".join(thoughts)
            thoughts = []
        _append(message, messages)
    if any(thoughts):
        raise bad_field("input", "ends with reasoning that belongs to no answer. Leave it out.")
    return [*messages, {"role": "user", "content": shown}] if shown else messages


def _append(message: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    """Add a message. Calls that follow an assistant's text, or one another, belong to the same turn."""
    last = messages[-1] if messages else None
    if last is not None and last["role"] == "assistant" and "tool_calls" in message and message["content"] is None:
        last.setdefault("tool_calls", []).extend(message["tool_calls"])
        thoughts = [part["reasoning_content"] for part in (last, message) if "reasoning_content" in part]
        if thoughts:
            last["reasoning_content"] = "\n".join(thoughts)
        return
    messages.append(message)


def _message(item: Fields) -> dict[str, Any]:
    match item.document.get("type"):
        case None | "message":
            role = item.choice("role", _ROLES)
            if role is None:
                raise bad_field(item.param("role"), "is missing.")
            content = _content(item.document.get("content"), item.param("content"))
            if role == "assistant" and not isinstance(content, str):
                raise bad_field(item.param("content"), "must be text in an answer of the model.")
            return {"role": role, "content": content}
        case "function_call":
            return _call(item, item.string("arguments") or "{}")
        case "custom_tool_call":
            return _call(item, wrapped_input(item.string("input") or ""))
        case "function_call_output" | "custom_tool_call_output":
            output = _content(item.document.get("output"), item.param("output"))
            tool = item.required_string("call_id", longest=256)
            return {"role": "tool", "tool_call_id": tool, "content": output}
        case _:
            raise bad_field(item.param("type"), "this kind of item is not served here.")


def _call(item: Fields, arguments: str) -> dict[str, Any]:
    name = flat_name(item.string("namespace", longest=256), item.required_string("name", longest=256))
    call = {
        "id": item.required_string("call_id", longest=256),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _thoughts(item: Fields) -> list[str]:
    """Return thinking that is in plain words; what is sealed (`encrypted_content`) is for the model that wrote it."""
    parts = [*item.objects("summary", _MOST_PARTS), *item.objects("content", _MOST_PARTS)]
    return [part.string("text") or "" for part in parts]


def _content(content: Json, path: str) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    if not isinstance(content, tuple):
        raise bad_field(path, "must be a string or an array of parts.")
    if len(content) > _MOST_PARTS:
        raise bad_field(path, f"must have at most {_MOST_PARTS} parts.")
    parts = [_part(Fields.inside(item, f"{path}[{number}]")) for number, item in enumerate(content)]
    if all(part["type"] == "text" for part in parts):
        return "\n".join([part["text"] for part in parts])
    return parts


def _part(part: Fields) -> dict[str, Any]:
    match part.required_string("type", longest=100):
        case "input_text" | "output_text" | "text":
            return {"type": "text", "text": part.string("text") or ""}
        case "refusal":
            return {"type": "text", "text": part.string("refusal") or ""}
        case "input_image":
            image = {"url": part.required_string("image_url")}
            if detail := part.string("detail", longest=40):
                image["detail"] = detail
            return {"type": "image_url", "image_url": image}
        case "input_file":
            name = part.string("filename", longest=1000) or "file"
            return {"type": "file", "file": {"filename": name, "file_data": part.required_string("file_data")}}
        case "input_audio":
            sound = part.mapping("input_audio")
            if sound is None:
                raise bad_field(part.param("input_audio"), "is missing.")
            fields = {"data": sound.required_string("data"), "format": sound.string("format") or "wav"}
            return {"type": "input_audio", "input_audio": fields}
        case _:
            raise bad_field(part.param("type"), "this kind of part is not served here.")


def _as_parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content

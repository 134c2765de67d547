"""Translate the items of a Responses conversation into OpenAI chat messages. Pure.

Items that only the provider's own machinery can read (sealed summaries, references to stored items) have no
counterpart: they are left out, and the answer names them. Pictures and files in a tool's output go to the user's turn
behind the outputs, for chat messages of tools are text alone.
"""

from collections.abc import Sequence
from typing import Any

from gateway.core.document import Json
from gateway.core.provider_fields import FIELD, RESPONSES, sealed
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.responses.built_in_items import built_in_messages, is_built_in
from gateway.wire.responses.sealed_thoughts import ENCRYPTED, opened
from gateway.wire.responses.tools import flat_name, wrapped_input

_MOST_ITEMS = 100_000
_MOST_PARTS = 10_000
_ROLES = ("user", "assistant", "system", "developer")


def translate_input(body: Fields, note: str) -> list[dict[str, Any]]:
    """Translate `instructions`, with `note` behind them, and `input` into chat messages.

    Raises:
        BadRequest: an item is broken, or the body is one for chat completions.
    """
    head = "\n\n".join(filter(None, (body.string("instructions"), note)))
    messages: list[dict[str, Any]] = [{"role": "system", "content": head}] if head else []
    given = body.document.get("input")
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    if given is None and "messages" in body.document:
        raise bad_field("messages", "belongs to /v1/chat/completions. Send 'input', or ask there.")
    conversation = _Conversation(messages)
    for place, item in enumerate(body.objects("input", _MOST_ITEMS)):
        conversation.add(item, place)
    conversation.end()
    said = any(message["role"] != "system" for message in messages)
    # Nothing at all is how clients try whether somebody answers.
    return messages if said else [*messages, {"role": "user", "content": ""}]


def check_items(items: Sequence[Fields]) -> None:
    """Check that items can be continued one day: each by itself is as it must be.

    Raises:
        BadRequest: One is not.
    """
    conversation = _Conversation([])
    for place, item in enumerate(items):
        conversation.add(item, place)


class _Conversation:
    """Messages that items are added to, one after the other."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self._messages = messages
        self._thoughts: list[str] = []  # of the answer that follows
        self._sealed: list[dict[str, Any]] = []  # the same, for their provider's eyes alone
        self._shown: list[dict[str, Any]] = []  # parts of tools' outputs that are not text
        self._waiting: dict[str, None] = {}  # calls without a result

    def add(self, item: Fields, place: int) -> None:
        """Add an item; one of a kind that no model can read adds nothing, and the answer names it.

        Raises:
            BadRequest: It is not as it must be.
        """
        kind = item.string("type", longest=100)
        if kind == "reasoning":
            self._thoughts += _thoughts(item)
            self._sealed += _sealed(item, len(self._sealed))
        elif is_built_in(kind):
            for made in built_in_messages(item, place, self._waiting):
                self._take(made)
        elif (message := _message(item)) is not None:
            self._take(message)

    def end(self) -> None:
        """Add what waits for a turn of its own.

        Raises:
            BadRequest: Reasoning is left that belongs to no answer.
        """
        if any(self._thoughts):
            raise bad_field("input", "ends with reasoning that belongs to no answer. Leave it out.")
        self._show()

    def _take(self, message: dict[str, Any]) -> None:
        if message["role"] == "tool":
            content = _as_parts(message["content"])
            self._shown += [part for part in content if part["type"] != "text"]
            message["content"] = "\n".join([part["text"] for part in content if part["type"] == "text"])
            self._waiting.pop(message["tool_call_id"], None)
        else:
            self._show()
        if self._thoughts and message["role"] == "assistant":
            message["reasoning_content"] = "\n".join(self._thoughts)
            self._thoughts = []
        if self._sealed and message["role"] == "assistant":
            message[FIELD] = self._sealed
            self._sealed = []
        for call in message.get("tool_calls", ()):
            self._waiting[call["id"]] = None
        _append(message, self._messages)

    def _show(self) -> None:
        if self._shown:
            self._messages.append({"role": "user", "content": self._shown})
            self._shown = []


def _append(message: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    """Add a message. Calls that follow an assistant's text, or one another, belong to the same turn."""
    last = messages[-1] if messages else None
    apart = FIELD in message  # their provider wants what it sealed right before what it thought of
    if last is not None and last["role"] == "assistant" and _only_calls(message) and not apart:
        last.setdefault("tool_calls", []).extend(message["tool_calls"])
        thoughts = [part["reasoning_content"] for part in (last, message) if "reasoning_content" in part]
        if thoughts:
            last["reasoning_content"] = "\n".join(thoughts)
        return
    messages.append(message)


def _only_calls(message: dict[str, Any]) -> bool:
    return "tool_calls" in message and message["content"] is None


def _message(item: Fields) -> dict[str, Any] | None:
    """Return the message that an item stands for; None where no model can read it."""
    match item.document.get("type"):
        case None if "role" not in item.document and "id" in item.document:
            return None  # a reference
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
        case "computer_call_output":
            screen = item.mapping("output")
            url = screen.string("image_url") if screen is not None else None
            shown = [{"type": "image_url", "image_url": {"url": url}}] if url else []
            return {"role": "tool", "tool_call_id": item.required_string("call_id", longest=256), "content": shown}
        case _:
            return None


def _call(item: Fields, arguments: str) -> dict[str, Any]:
    name = flat_name(item.string("namespace", longest=256), item.required_string("name", longest=256))
    call = {
        "id": item.required_string("call_id", longest=256),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _thoughts(item: Fields) -> list[str]:
    """Return thinking that is in plain words."""
    parts = [*item.objects("summary", _MOST_PARTS), *item.objects("content", _MOST_PARTS)]
    return [part.string("text") or "" for part in parts]


def _sealed(item: Fields, index: int) -> list[dict[str, Any]]:
    """Return thinking that only its provider can read, with the id that it has there."""
    data = item.string(ENCRYPTED)
    if not data:
        return []
    item_id, data = opened(data, item.string("id", longest=256) or "")
    return [sealed(data, RESPONSES, index, **({"id": item_id} if item_id else {}))]


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
            if name := part.string("file_id", longest=256):
                return {"type": "file", "file": {"file_id": name}}
            image = {"url": part.required_string("image_url")}
            if detail := part.string("detail", longest=40):
                image["detail"] = detail
            return {"type": "image_url", "image_url": image}
        case "input_file":
            return {"type": "file", "file": _file(part)}
        case "input_audio":
            sound = part.mapping("input_audio")
            if sound is None:
                raise bad_field(part.param("input_audio"), "is missing.")
            fields = {"data": sound.required_string("data"), "format": sound.string("format") or "wav"}
            return {"type": "input_audio", "input_audio": fields}
        case _:
            raise bad_field(part.param("type"), "this kind of part is not served here.")


def _file(part: Fields) -> dict[str, str]:
    """Return a file: itself, or the id or address by which it is put in later."""
    if name := part.string("file_id", longest=256):
        return {"file_id": name}
    named = {"filename": part.string("filename", longest=1000) or "file"}
    if url := part.string("file_url", longest=8192):
        return (named if "filename" in part.document else {}) | {"file_url": url}
    return named | {"file_data": part.required_string("file_data")}


def _as_parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content

"""Translate the messages of a chat document into the turns and blocks of Anthropic's Messages API. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject
from gateway.core.provider_fields import ANTHROPIC, details_of
from gateway.upstream.anthropic.native import fields_of, grouped, provider_block, words_of
from gateway.upstream.unsupported import unsupported

_NOTHING = "…"  # this API takes no empty text
_FAILED = "The tool failed:"  # how a chat says it, where this API has a field
_NO_ID = re.compile(r"[^a-zA-Z0-9_-]")
_DATA_URL = re.compile(r"data:(?P<kind>[\w.+-]+/[\w.+-]+)(?:;[^,;]*)*;base64,(?P<data>.*)", re.DOTALL)
_PDF = "application/pdf"

Block = dict[str, Any]


def cached(holder: JsonObject) -> Block:
    """Return the mark with which a client says that a prefix of the prompt is to be cached up to here."""
    mark = holder.get("cache_control")
    return {"cache_control": mark} if isinstance(mark, Mapping) else {}


class Conversation:
    """Turns of a chat document: `system` is what stands above them, `called` the names of tools that were called."""

    def __init__(self, target: str, document: JsonObject) -> None:
        """Translate all messages.

        Raises:
            TargetError: One has a part that this API has no block for.
        """
        self.system: list[Block] = []
        self.messages: list[dict[str, Any]] = []
        self.called: dict[str, None] = {}
        self._target = target
        messages = document.get("messages")
        for message in messages if isinstance(messages, tuple) else ():
            if isinstance(message, Mapping):
                self._add(message)
        if self.messages and self.messages[0]["role"] == "assistant":
            self.messages.insert(0, {"role": "user", "content": [_text(_NOTHING)]})
        if not self.messages:
            self.messages.append({"role": "user", "content": [_text(_NOTHING)]})
        if self.messages[-1]["role"] == "assistant":
            _close(self.messages[-1]["content"])

    def _add(self, message: JsonObject) -> None:
        match message.get("role"):
            case "system" | "developer":
                self.system += [block for block in self._blocks(message.get("content")) if block["type"] == "text"]
            case "assistant":
                self._turn("assistant", self._answer(message))
            case "tool":
                own, block = provider_block(message)
                if not own:
                    self._turn("user", [self._result(message)])
                elif isinstance(block, Mapping):
                    self._turn("assistant", [dict(block)])
            case _:
                self._turn("user", list(self._blocks(message.get("content"))))

    def _turn(self, role: str, blocks: list[Block]) -> None:
        """Add a turn, or to the last one if it is the same one's: turns alternate here."""
        last = self.messages[-1] if self.messages else None
        if last is not None and last["role"] == role:
            if last["content"] != [_text(_NOTHING)]:
                blocks = [*last["content"], *blocks]
            last["content"] = blocks
        else:
            self.messages.append({"role": role, "content": blocks})
        if not self.messages[-1]["content"]:
            self.messages[-1]["content"] = [_text(_NOTHING)]

    def _answer(self, message: JsonObject) -> list[Block]:
        blocks = [*_thoughts(message), *self._blocks(message.get("content"))]
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal:
            blocks.append(_text(refusal))
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, tuple) else ():
            if isinstance(call, Mapping):
                blocks.append(self._call(call))
        return blocks

    def _call(self, call: JsonObject) -> Block:
        own, block = provider_block(call)
        if own and isinstance(block, Mapping):
            return dict(block)
        function, custom = call.get("function"), call.get("custom")
        inner = function if isinstance(function, Mapping) else custom if isinstance(custom, Mapping) else {}
        name = str(inner.get("name"))
        self.called[name] = None
        given = _object(inner.get("arguments")) if inner is function else {"input": inner.get("input")}
        return (
            {"type": "tool_use", "id": _id(call.get("id")), "name": name, "input": given}
            | cached(call)
            | fields_of(call)
        )

    def _result(self, message: JsonObject) -> Block:
        blocks = list(self._blocks(message.get("content")))
        block: Block = {"type": "tool_result", "tool_use_id": _id(message.get("tool_call_id"))}
        if message.get("is_error") is True:
            block["is_error"] = True
            if blocks and blocks[0].get("text") == _FAILED:
                blocks = blocks[1:]
        if blocks:
            block["content"] = blocks
        return fields_of(message) | block | cached(message)

    def _blocks(self, content: Json) -> Iterator[Block]:
        if isinstance(content, str):
            content = ({"type": "text", "text": content},)
        blocks: list[Block] = []
        for part in content if isinstance(content, tuple) else ():
            if isinstance(part, Mapping):
                own = {} if "span" in words_of(part) else fields_of(part)
                blocks = grouped(part, [*blocks, own | self._block(part) | cached(part)])
        yield from (block for block in blocks if block.get("text") != "")

    def _block(self, part: JsonObject) -> Block:
        kind = part.get("type")
        match kind:
            case "text" | "input_text" | "output_text" | "refusal":
                return _text(part.get("refusal" if kind == "refusal" else "text") or "")
            case "image_url":
                inner = part.get("image_url")
                return self._image(inner.get("url") if isinstance(inner, Mapping) else inner)
            case "file" if isinstance(inner := part.get("file"), Mapping):
                return self._file(inner)
            case _:
                raise unsupported(self._target, f"messages (a part of the kind {str(kind)[:40]})")

    def _image(self, url: Json) -> Block:
        if not isinstance(url, str):
            raise unsupported(self._target, "messages (an image without an address)")
        if found := _DATA_URL.fullmatch(url):
            return {"type": "image", "source": {"type": "base64", "media_type": found["kind"], "data": found["data"]}}
        return {"type": "image", "source": {"type": "url", "url": url}}

    def _file(self, file: JsonObject) -> Block:
        data = file.get("file_data")
        found = _DATA_URL.fullmatch(data) if isinstance(data, str) else None
        if found is None or found["kind"] != _PDF:
            raise unsupported(self._target, "messages (a file that is no PDF)")
        block: Block = {"type": "document", "source": {"type": "base64", "media_type": _PDF, "data": found["data"]}}
        name = file.get("filename")
        return block | ({"title": name} if isinstance(name, str) and name else {})


def _text(text: object) -> Block:
    return {"type": "text", "text": text}


def _close(blocks: list[Block]) -> None:
    """Cut blanks from the end of a turn that the model is to go on with: this API refuses them."""
    if blocks[-1]["type"] == "text":
        blocks[-1] = blocks[-1] | {"text": blocks[-1]["text"].rstrip() or _NOTHING}


def _thoughts(message: JsonObject) -> Iterator[Block]:
    """Yield the thoughts that this API signed or sealed; it takes no others back."""
    plain = message.get("reasoning_content")
    details = details_of(message, ANTHROPIC)
    for detail in details:
        signature, data = detail.get("signature"), detail.get("data")
        if isinstance(data, str) and data:
            yield {"type": "redacted_thinking", "data": data}
        elif isinstance(signature, str) and signature:
            text = detail.get("text")
            if not isinstance(text, str):
                text = plain if isinstance(plain, str) and len(details) == 1 else ""
            yield {"type": "thinking", "thinking": text, "signature": signature}


def _id(given: Json) -> str:
    return _NO_ID.sub("_", given) if isinstance(given, str) and given else "call"


def _object(arguments: Json) -> JsonObject:
    """Return the arguments of a call as the object that they are; a text that is none stands in one."""
    try:
        found = msgspec.json.decode(arguments or "{}") if isinstance(arguments, str) else {}
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"input": arguments}

"""Translate Anthropic's messages and content blocks into OpenAI's messages. Pure.

Everything that is passed on is in the translated document, which is what is inspected and sent. What has no
counterpart is refused by name; marks that only steer Anthropic's own service (`cache_control`, signatures of thoughts)
are kept for targets that take them (`core/marks.py`), and for others the answer names them.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.document import Json, JsonObject, encode, thaw
from gateway.wire.anthropic.assistant_turn import AssistantTurn
from gateway.wire.anthropic.native import fields_of, span
from gateway.wire.anthropic.provider_tools import (
    BROWSER_STATE,
    PROVIDER_CALLS,
    PROVIDER_RESULTS,
    provider_call,
    provider_result,
)
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.left_out import kept

_ROLES = ("user", "assistant", "system")
_MOST_MESSAGES = 100_000
_MOST_BLOCKS = 10_000
_TOOL_CHANGES = ("tool_addition", "tool_removal")  # `tools.py` reads them
_WITH_FIELDS = ("text", "image", "document", "search_result")  # blocks whose own fields are kept
_HOLDERS = ("content", "source", "tool", "definition")  # fields of blocks that have blocks or tools inside
_TOOL_FAILED = "The tool failed:"  # a chat message has no field for it

Part = dict[str, Any]


def translate_messages(body: Fields, *, assistant_documents: bool, apart: bool = False) -> list[dict[str, Any]]:
    """Translate `messages`. User turns that follow each other become one, as in Anthropic's API.

    Args:
        body: The client's body.
        assistant_documents: Whether its version of the API has documents in the model's turns.
        apart: Whether texts stay parts of their own, so that a provider's cache finds each block again.

    Raises:
        BadRequest: there are no messages, or one has a block that is broken or not served here.
    """
    given = body.objects("messages", _MOST_MESSAGES)
    if not given:
        raise bad_field("messages", "is missing or empty. Send at least one message.")
    messages: list[dict[str, Any]] = []
    for message in given:
        role = message.choice("role", _ROLES)
        content = message.document.get("content")
        if role is None:
            raise bad_field(message.param("role"), "is missing.")
        if content is None:
            raise bad_field(message.param("content"), "is missing.")
        path = message.param("content")
        if role == "system":
            if parts := text_parts(content, path):  # a change of tools alone says nothing
                messages.append({"role": "system", "content": plain(parts, apart=apart)})
        elif role == "assistant":
            messages += _assistant(content, path, documents=assistant_documents, apart=apart)
        else:
            _user(content, path, messages, apart=apart)
    return messages


def _user(content: Json, path: str, messages: list[dict[str, Any]], *, apart: bool) -> None:
    """Add a user's turn. Tool results become messages of their own, before the rest; their images go to the user."""
    results: list[dict[str, Any]] = []
    parts: list[Part] = []
    for block in _blocks(content, path):
        if block.document.get("type") == "tool_result":
            found = _parts(block.document.get("content") or "", block.param("content"))
            failed = block.boolean("is_error")
            texts = [_text(_TOOL_FAILED)] if failed else []
            texts += [part for part in found if part["type"] == "text"]
            tool = block.required_string("tool_use_id", longest=256)
            result = {"role": "tool", "tool_call_id": tool, "content": plain(texts, apart=apart), **marks(block)}
            result |= fields_of(block.document, "tool_result")
            results.append(result | ({"is_error": True} if failed and apart else {}))
            parts += [part for part in found if part["type"] != "text"]
        else:
            parts += _part(block)
    messages += results
    if not parts:
        return
    last = messages[-1] if messages else None
    if last is not None and last["role"] == "user":
        parts = [*_as_parts(last["content"]), *parts]
        messages.pop()
    messages.append({"role": "user", "content": plain(parts, apart=apart)})


def _assistant(content: Json, path: str, *, documents: bool, apart: bool) -> list[dict[str, Any]]:
    turn = AssistantTurn(apart=apart)
    for block in _blocks(content, path):
        kind = block.document.get("type")
        match kind:
            case "text":
                turn.said(_text(block.string("text") or "") | marks(block) | fields_of(block.document, "text"))
            case "compaction":
                turn.said(_text(block.string("content") or ""))
            case "thinking":
                turn.thought(block.string("thinking") or "", block.string("signature") or "")
            case "redacted_thinking" if data := block.string("data"):
                turn.sealed(data)
            case "tool_use":
                turn.called(_call(block) | marks(block) | fields_of(block.document, "tool_use"))
            case "document" if documents:
                for said in _texts(block):
                    turn.said(said)
            case "document" | "image" | "search_result" | "tool_result":
                raise _not_served(block)
            case str() if kind in PROVIDER_CALLS:
                turn.provider_called(provider_call(block))
            case str() if kind in PROVIDER_RESULTS:
                turn.provider_answered(provider_result(block), kind.removesuffix("_tool_result"))
            case _:
                pass  # sealed for the model that wrote it, or known to its provider alone: named in the answer
    return turn.messages()


def _texts(block: Fields) -> list[Part]:
    """Return what a document of the assistant's says; one that is no text is refused, for the turn can't carry it."""
    parts = _part(block)
    if any(part["type"] != "text" for part in parts):
        raise _not_served(block)
    return parts


def _call(block: Fields) -> dict[str, Any]:
    given = block.mapping("input")
    arguments = encode(given.document).decode() if given is not None else "{}"
    name = block.required_string("name", longest=256)
    call_id = block.required_string("id", longest=256)
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _blocks(content: Json, path: str) -> list[Fields]:
    if isinstance(content, str):
        return [Fields({"type": "text", "text": content}, f"{path}[0]")]
    if not isinstance(content, tuple):
        raise bad_field(path, "must be a string or an array of blocks.")
    if len(content) > _MOST_BLOCKS:
        raise bad_field(path, f"must have at most {_MOST_BLOCKS} blocks.")
    blocks = [Fields.inside(item, f"{path}[{number}]") for number, item in enumerate(content)]
    for block in blocks:
        block.required_string("type", longest=100)
    return blocks


def _parts(content: Json, path: str) -> list[Part]:
    return [part for block in _blocks(content, path) for part in _part(block)]


def _part(block: Fields) -> list[Part]:
    """Translate one block of a user's turn into OpenAI's content parts; the last of them has its marks."""
    parts = _unmarked(block)
    if not parts:
        return parts
    kind = str(block.document.get("type"))
    own = span(block, len(parts)) if kind in ("document", "search_result") else fields_of(block.document, kind)
    return [*parts[:-1], parts[-1] | marks(block) | (own if kind in _WITH_FIELDS else {})]


def _unmarked(block: Fields) -> list[Part]:
    match block.document.get("type"):
        case "text":
            return [_text(block.string("text") or "")]
        case "image":
            return [_image(block)]
        case "document":
            return _document(block)
        case "tool_reference":
            return [_text(f"The tool {block.string('tool_name') or ''} is available.")]
        case "container_upload" | "tool_addition" | "tool_removal":
            return []
        case "browser_state":
            return [_text(encode(kept(block.document, BROWSER_STATE)).decode())]
        case "search_result":
            head = [block.string(name) for name in ("title", "source")]
            return [
                _text("\n".join(filter(None, head))),
                *_parts(block.document.get("content"), block.param("content")),
            ]
        case _:
            raise _not_served(block)


def _image(block: Fields) -> Part:
    source = _source(block)
    match source.document.get("type"):
        case "base64":
            kind = source.required_string("media_type", longest=100)
            url = f"data:{kind};base64,{source.required_string('data')}"
        case "url":
            url = source.required_string("url", longest=8192)
        case "file":
            return {"type": "file", "file": {"file_id": source.required_string("file_id", longest=256)}}
        case _:
            raise bad_field(source.param("type"), "images are taken as base64, url or file.")
    return {"type": "image_url", "image_url": {"url": url}}


def _document(block: Fields) -> list[Part]:
    source = _source(block)
    title = block.string("title", longest=1000)
    head = [_text(text) for text in (title, block.string("context")) if text]
    match source.document.get("type"):
        case "text":
            return [*head, _text(source.string("data") or "")]
        case "content":
            return [*head, *_parts(source.document.get("content"), source.param("content"))]
        case "base64":
            kind = source.required_string("media_type", longest=100)
            data = f"data:{kind};base64,{source.required_string('data')}"
            return [*head, {"type": "file", "file": {"filename": title or "document.pdf", "file_data": data}}]
        case "file":
            return [*head, {"type": "file", "file": {"file_id": source.required_string("file_id", longest=256)}}]
        case "url":
            return [*head, {"type": "file", "file": {"file_url": source.required_string("url", longest=8192)}}]
        case _:
            raise bad_field(source.param("type"), "documents are taken as text, content, base64, url or file.")


def _source(block: Fields) -> Fields:
    source = block.mapping("source")
    if source is None:
        raise bad_field(block.param("source"), "is missing.")
    return source


def _text(text: str) -> Part:
    return {"type": "text", "text": text}


def is_marked(document: JsonObject) -> bool:
    """Say whether a body has a block or a tool that is marked for a cache."""
    stack: list[Json] = [document, *(document.get(name) for name in ("system", "messages", "tools"))]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, Mapping):
            if isinstance(item.get("cache_control"), Mapping):
                return True
            stack += [item.get(name) for name in _HOLDERS]
    return False


def marks(block: Fields) -> dict[str, Any]:
    """Return the mark with which a client asks that the prompt is cached up to a block."""
    given = block.document.get("cache_control")
    return {"cache_control": thaw(given)} if isinstance(given, Mapping) else {}


def plain(parts: list[Part], *, apart: bool) -> str | list[Part]:
    """Join the parts to one text if there is nothing else, and they need not stay apart: more servers understand it."""
    if not (apart and parts) and all(part["type"] == "text" for part in parts):
        return "\n".join([part["text"] for part in parts])
    return parts


def _as_parts(content: str | list[Part]) -> list[Part]:
    return [_text(content)] if isinstance(content, str) else content


def text_parts(content: Json, path: str) -> list[Part]:
    """Return the parts of text blocks.

    Raises:
        BadRequest: there are other blocks.
    """
    texts: list[Part] = []
    for block in _blocks(content, path):
        if block.document.get("type") in _TOOL_CHANGES:
            continue
        if block.document.get("type") != "text":
            raise _not_served(block)
        texts.append(_text(block.string("text") or "") | marks(block) | fields_of(block.document, "text"))
    return texts


def _not_served(block: Fields) -> Exception:
    return bad_field(block.param("type"), "this kind of block is not served here.")

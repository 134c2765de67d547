"""Keep what a body of Anthropic's dialect says in words of its own, for targets that speak that API. Pure.

It stands beside the translation, in the field `anthropic_native` of the document, of its parts, calls and tools
(`core/marks.py` says which target is sent what). Nothing that the translation has stands there once more, but for what
the provider's own tools did, which is kept only where some target lets the provider run tools.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject, thaw
from gateway.core.marks import native_for, without_native
from gateway.core.outbound import WITHHELD
from gateway.core.provider_fields import NATIVE
from gateway.wire.body_fields import Fields

CONNECTED: Mapping[str, str] = {"mcp_servers": "mcp", "container": "code_execution"}
"""What Anthropic's service would connect, and the kind of tool that each is for. INVARIANT: no target is told of it."""
_BODY = CONNECTED.keys() | {
    "model", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream", "service_tier", "thinking",
    "system", "messages", "tools", "tool_choice", "metadata", "output_config", "output_format",
}  # fmt: skip
_KNOWN: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text"}),
    "image": frozenset({"source"}),
    "document": frozenset({"title", "context", "source"}),
    "search_result": frozenset({"title", "source", "content"}),
    "tool_use": frozenset({"id", "name", "input"}),
    "tool_result": frozenset({"tool_use_id", "is_error", "content"}),
    "custom": frozenset({"name", "description", "input_schema", "input_examples", "strict", "defer_loading"}),
}
_EVERYWHERE = frozenset({"type", "cache_control"})
_SPANS = ("document", "search_result")
_HOLDERS = ("content", "source")
_EMPTY: tuple[Json, ...] = (None, "", (), {})


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What of a body is kept beside its translation."""

    words: bool = False  # some target speaks Anthropic's API
    provider_tools: bool = False  # one of them lets the provider run tools
    betas: tuple[str, ...] = ()  # features under test that the client asks for in its header


def betas_of(header: str) -> tuple[str, ...]:
    """Return the features under test that an `anthropic-beta` header names."""
    return tuple(dict.fromkeys([name for one in header.split(",") if (name := one.strip())]))


def fields_of(holder: JsonObject, kind: str) -> dict[str, Any]:
    """Return the mark of those fields of a block or tool that its translation has no place for."""
    known = _KNOWN.get(kind, frozenset())
    more = {
        name: thaw(value)
        for name, value in holder.items()
        if name not in known and name not in _EVERYWHERE and value not in _EMPTY
    }
    return {NATIVE: {"fields": more}} if more else {}


def whole(block: JsonObject) -> dict[str, Any]:
    """Return the mark of a block that stands for something that the provider did itself."""
    return {NATIVE: {"block": thaw(block)}}


def span(block: Fields, parts: int) -> dict[str, Any]:
    """Return the mark on the last of the parts that a document or a search result became: how to make it one again."""
    mark: dict[str, Any] = {"type": block.document["type"], "parts": parts}
    for name in ("title", "context", "source"):
        if isinstance(given := block.document.get(name), str) and given:
            mark[name] = True
    if isinstance(source := block.document.get("source"), Mapping):
        mark["form"] = {name: source[name] for name in ("type", "media_type") if isinstance(source.get(name), str)}
    fields = fields_of(block.document, str(block.document["type"]))
    return {NATIVE: fields.get(NATIVE, {}) | {"span": mark}}


def of_the_body(document: JsonObject, tools: tuple[JsonObject, ...], note: str) -> dict[str, Any]:
    """Return the mark of a whole body.

    Args:
        document: The body.
        tools: Those that the provider would run itself, and those that they would find.
        note: What other models are told of these tools, at the end of the system texts.
    """
    more = {
        name: thaw(value)
        for name, value in document.items()
        if name not in _BODY and name not in _EVERYWHERE and name not in WITHHELD and value not in _EMPTY
    }
    mark: dict[str, Any] = {"fields": more} if more else {}
    if tools:
        mark |= {"tools": [thaw(tool) for tool in tools], "note": len(note)}
    return {NATIVE: mark} if mark else {}


def kept(document: JsonObject, wanted: Wanted) -> JsonObject:
    """Return the translated document with those marks alone that are wanted."""
    if not wanted.words:
        return without_native(document)
    return native_for(document, provider_tools=wanted.provider_tools, unknown=True)


def stands_apart(document: JsonObject) -> bool:
    """Say whether a body has a text or document with fields of its own, so that texts must stay parts of their own."""
    stack: list[Json] = [document.get("system"), document.get("messages")]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, Mapping):
            kind = item.get("type")
            if kind in _SPANS or (kind == "text" and fields_of(item, "text")):
                return True
            stack += [item.get(name) for name in _HOLDERS]
    return False

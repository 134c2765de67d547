"""Translate Anthropic's tools into functions. Pure.

Tools that only Anthropic's own service can run are left out, as are servers that it would connect, and the model is
told so; those that the client runs get their descriptions. Tools that wait to be found (`defer_loading`) are offered
once the conversation refers to them, or at once where nobody here can search for them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject, encode, thaw
from gateway.wire.anthropic.blocks import marks
from gateway.wire.anthropic.client_tools import described
from gateway.wire.anthropic.native import CONNECTED, fields_of
from gateway.wire.body_fields import Fields, bad_field

_MOST_TOOLS = 1024
_MOST_EXAMPLES = 1024
_SEARCH = "tool_search_tool"
_PLAIN_NAME = 256


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Tools that a body offers: as functions, and those that only Anthropic's service can run, with their names."""

    functions: tuple[dict[str, Any], ...] = ()
    built_in: tuple[str, ...] = ()
    native: tuple[JsonObject, ...] = ()  # those, and the ones that they would find


def translate_tools(body: Fields) -> Offer:
    """Return the functions that the model is offered.

    Raises:
        BadRequest: a tool is not as it must be.
    """
    offered = body.objects("tools", _MOST_TOOLS)
    changes = list(_changes(body.document.get("messages")))
    for change, tool in changes:
        if change == "tool_addition" and isinstance(tool.document.get("definition"), Mapping):
            offered.append(Fields.inside(tool.document["definition"], tool.param("definition")))
    built_in = [tool for tool in offered if not is_run_by_client(tool.document)]
    searches = any(str(tool.document.get("type")).startswith(_SEARCH) for tool in built_in)
    known = _referred(body.document.get("messages"))
    functions: dict[str, dict[str, Any]] = {}
    for tool in offered:
        if not is_run_by_client(tool.document):
            continue
        name = tool.required_string("name", longest=_PLAIN_NAME)
        if searches or not tool.boolean("defer_loading") or name in known:
            functions[name] = _function(tool, name)
    unserved = [tool.document for tool in offered if tool.document.get("name") not in functions]
    native = [tool for tool in unserved if not _is_connected(tool)] if built_in else []
    for change, tool in changes:
        if change == "tool_removal":
            functions.pop(str(tool.document.get("name")), None)
    names = [_built_in_name(tool) for tool in built_in]
    names += [kind for field, kind in CONNECTED.items() if body.document.get(field)]
    return Offer(functions=tuple(functions.values()), built_in=tuple(dict.fromkeys(names)), native=tuple(native))


def _built_in_name(tool: Fields) -> str:
    """Return what the model is told that it does not have; a server's own name is the client's word, so its kind."""
    kind = str(tool.document.get("type"))
    return "mcp" if _is_connected(tool.document) else tool.string("name", longest=_PLAIN_NAME) or kind


def _is_connected(tool: Mapping[str, Json]) -> bool:
    """Say whether a tool stands for a server of `mcp_servers`, which no target is told of."""
    return str(tool.get("type")).startswith("mcp")


def is_run_by_client(tool: Mapping[str, Json]) -> bool:
    """Say whether the client runs the tool; others are run by Anthropic's own service alone."""
    kind = tool.get("type")
    return kind in (None, "custom") or (isinstance(kind, str) and described(kind) is not None)


def translate_choice(body: Fields, offer: Offer, fields: dict[str, Any]) -> None:
    """Add `tool_choice` and `parallel_tool_calls` to the fields of the chat document.

    Raises:
        BadRequest: the choice is not as it must be, or wants a tool that can't be run here.
    """
    choice = body.mapping("tool_choice")
    if choice is None:
        return
    match choice.choice("type", ("auto", "any", "tool", "none")):
        case None:
            raise bad_field("tool_choice.type", "is missing.")
        case "any":
            if offer.built_in and not offer.functions:
                raise not_run_here("tool_choice", offer.built_in)
            fields["tool_choice"] = "required"
        case "tool":
            name = choice.required_string("name", longest=_PLAIN_NAME)
            if name in offer.built_in:
                raise not_run_here("tool_choice.name", (name,))
            fields["tool_choice"] = {"type": "function", "function": {"name": name}}
        case kind if offer.functions:
            fields["tool_choice"] = kind
    if choice.boolean("disable_parallel_tool_use"):
        fields["parallel_tool_calls"] = False


def not_run_here(param: str, names: tuple[str, ...]) -> Exception:
    """Return the error for a choice of tools that only their provider can run."""
    return bad_field(
        param, f"{', '.join(names)[:200]}: only the provider's own service runs this. Offer a tool of your own."
    )


def _function(tool: Fields, name: str) -> dict[str, Any]:
    schema = tool.mapping("input_schema")
    known = described(tool.string("type") or "")
    function: dict[str, Any] = {
        "name": name,
        "parameters": thaw(schema.document) if schema is not None else {"type": "object"},
    }
    if known is not None:
        function["description"], function["parameters"] = known
    elif description := _description(tool):
        function["description"] = description
    if tool.boolean("strict"):
        function["strict"] = True
    own = fields_of(tool.document, "custom") if known is None else {}
    return {"type": "function", "function": function} | marks(tool) | own


def _description(tool: Fields) -> str:
    """Return a tool's description with its examples behind it, for which a function has no other place."""
    examples = [encode(example.document).decode() for example in tool.objects("input_examples", _MOST_EXAMPLES)]
    given = tool.string("description") or ""
    return "\n".join(filter(None, (given, *(["Examples of its input:", *examples] if examples else ()))))


def _changes(messages: Json) -> "list[tuple[str, Fields]]":
    """Return the additions and removals of tools within the conversation, in their order."""
    found: list[tuple[str, Fields]] = []
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        content = message.get("content") if isinstance(message, Mapping) else None
        for place, block in enumerate(content if isinstance(content, tuple) else ()):
            kind = block.get("type") if isinstance(block, Mapping) else None
            if isinstance(block, Mapping) and isinstance(kind, str) and kind in ("tool_addition", "tool_removal"):
                tool = Fields(block, f"messages[{number}].content[{place}]").mapping("tool")
                if tool is not None:
                    found.append((kind, tool))
    return found


def _referred(messages: Json) -> frozenset[str]:
    """Return the names of tools that the conversation refers to: found by a search, added, or called."""
    names: list[Json] = []
    stack: list[Json] = [messages]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, Mapping):
            match item.get("type"):
                case "tool_reference":
                    names += [item.get("tool_name"), item.get("name")]
                case "tool_use":
                    names.append(item.get("name"))
                case _:
                    stack += [item[field] for field in ("content", "tool", "tool_references") if field in item]
    return frozenset([name for name in names if isinstance(name, str)])

"""Translate tools of the Responses API into function tools, and a model's calls of them back. Pure.

Functions inside a namespace get the namespace into their name; custom tools, whose input is plain text, become
functions with one text argument. Tools that only the provider knows are offers that are not taken up;
the model is told so.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.document import thaw
from gateway.core.errors import TargetProtocolError
from gateway.wire.body_fields import Fields, bad_field

CUSTOM_INPUT = "input"
_BETWEEN = "__"
_MOST_TOOLS = 1024
_ADDING = ("additional_tools", "tool_search_output")  # items of the conversation that bring tools


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """Tool under the names that the client gave it; the model knows it under its flat name."""

    name: str
    namespace: str | None = None
    custom: bool = False


def flat_name(namespace: str | None, name: str) -> str:
    """Return the name under which the model knows a tool."""
    return f"{namespace}{_BETWEEN}{name}" if namespace else name


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Tools that a body offers.

    `functions` are for the chat document, `known` the client's tools by their flat names, and `built_in` the kinds of
    tools that only their provider, or a client with a model of this provider, can use.
    """

    functions: list[dict[str, Any]]
    known: dict[str, Tool]
    built_in: tuple[str, ...] = ()


def translate_tools(body: Fields) -> Offer:
    """Return the tools of `tools`, and those that items of `input` add.

    Raises:
        BadRequest: a tool is not as it must be.
    """
    functions: dict[str, dict[str, Any]] = {}
    known: dict[str, Tool] = {}
    built_in: dict[str, None] = {}

    def add(tool: Fields, namespace: str | None, parameters: Any, *, custom: bool) -> None:
        name = tool.required_string("name", longest=256)
        flat = flat_name(namespace, name)
        function: dict[str, Any] = {"name": flat, "parameters": parameters}
        if description := tool.string("description"):
            function["description"] = description
        if tool.boolean("strict"):
            function["strict"] = True
        functions[flat] = {"type": "function", "function": function}
        known[flat] = Tool(name=name, namespace=namespace, custom=custom)

    def walk(tools: list[Fields], namespace: str | None) -> None:
        for tool in tools:
            match tool.required_string("type", longest=100):
                case "function":
                    schema = tool.mapping("parameters")
                    add(tool, namespace, thaw(schema.document) if schema else {"type": "object"}, custom=False)
                case "custom":
                    add(tool, namespace, _text_schema(), custom=True)
                case "namespace" if namespace is None:
                    walk(tool.objects("tools", _MOST_TOOLS), tool.required_string("name", longest=256))
                case kind:
                    built_in[kind] = None  # an offer that this model can't take up

    walk(body.objects("tools", _MOST_TOOLS), None)
    given = body.document.get("input")
    for place, item in enumerate(given if isinstance(given, tuple) else ()):
        if isinstance(item, Mapping) and item.get("type") in _ADDING:
            walk(Fields(item, f"input[{place}]").objects("tools", _MOST_TOOLS), None)
    return Offer(functions=list(functions.values()), known=known, built_in=tuple(built_in))


def translate_choice(body: Fields, offer: Offer) -> Any:
    """Return `tool_choice` for the chat document; None if there is nothing to choose.

    Raises:
        BadRequest: the choice is not as it must be, or names an unknown tool or one that can't be used here.
    """
    given = body.document.get("tool_choice")
    if given == "required" and offer.built_in and not offer.functions:
        raise _not_run_here(offer.built_in)
    if given is None or isinstance(given, str):
        return given if offer.functions or given == "required" else None
    choice = Fields.inside(given, "tool_choice")
    match choice.required_string("type", longest=100):
        case "function" | "custom":
            return _chosen(choice, offer)
        case "allowed_tools":
            listed = choice.objects("tools", _MOST_TOOLS)
            tools = [_chosen(tool, offer) for tool in listed if tool.document.get("type") in ("function", "custom")]
            mode = choice.choice("mode", ("auto", "required"))
            if not tools and mode == "required":
                raise _not_run_here(tuple([str(tool.document.get("type")) for tool in listed]))
            allowed = {"mode": mode, "tools": tools}
            return {"type": "allowed_tools", "allowed_tools": allowed} if tools else "none"
        case kind if kind in offer.built_in:
            raise _not_run_here((kind,))
        case _:
            raise bad_field("tool_choice.type", "names no tool that 'tools' has.")


def _chosen(choice: Fields, offer: Offer) -> dict[str, Any]:
    name = choice.required_string("name", longest=256)
    flat = next((flat for flat, tool in offer.known.items() if name in (flat, tool.name)), None)
    if flat is None:
        raise bad_field(choice.param("name"), "names a tool that 'tools' does not have.")
    return {"type": "function", "function": {"name": flat}}


def _not_run_here(kinds: tuple[str, ...]) -> Exception:
    return bad_field(
        "tool_choice", f"{', '.join(kinds)[:200]}: only the provider's own service has this. Offer a function instead."
    )


def wrapped_input(text: str) -> str:
    """Write a custom tool's input as the arguments of a function."""
    return msgspec.json.encode({CUSTOM_INPUT: text}).decode()


def unwrapped_input(arguments: str) -> str:
    """Read a custom tool's input from the arguments of a function.

    Raises:
        TargetProtocolError: the model wrote something else.
    """
    try:
        return msgspec.json.decode(arguments.encode(), type=dict[str, str])[CUSTOM_INPUT]
    except (ValueError, KeyError, RecursionError) as error:
        raise TargetProtocolError("The model wrote a tool call that can't be read.") from error


def _text_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {CUSTOM_INPUT: {"type": "string"}},
        "required": [CUSTOM_INPUT],
        "additionalProperties": False,
    }

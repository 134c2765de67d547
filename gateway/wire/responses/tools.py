"""Translate tools of the Responses API into function tools, and a model's calls of them back. Pure.

Functions inside a namespace get the namespace into their name; custom tools, whose input is plain text, become
functions with one text argument. Tools that only the provider can run are offers that are not taken up.
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


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """Tool under the names that the client gave it; the model knows it under its flat name."""

    name: str
    namespace: str | None = None
    custom: bool = False


def flat_name(namespace: str | None, name: str) -> str:
    """Return the name under which the model knows a tool."""
    return f"{namespace}{_BETWEEN}{name}" if namespace else name


def translate_tools(body: Fields) -> tuple[list[dict[str, Any]], dict[str, Tool]]:
    """Return the function tools for the chat document, and the client's tools by their flat names.

    Raises:
        BadRequest: a tool is not as it must be.
    """
    functions: list[dict[str, Any]] = []
    known: dict[str, Tool] = {}

    def add(tool: Fields, namespace: str | None, parameters: Any, *, custom: bool) -> None:
        name = tool.required_string("name", longest=256)
        flat = flat_name(namespace, name)
        function: dict[str, Any] = {"name": flat, "parameters": parameters}
        if description := tool.string("description"):
            function["description"] = description
        if tool.boolean("strict"):
            function["strict"] = True
        functions.append({"type": "function", "function": function})
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
                case _:
                    pass  # an offer that this model can't take up

    walk(body.objects("tools", _MOST_TOOLS), None)
    return functions, known


def translate_choice(body: Fields, known: Mapping[str, Tool]) -> Any:
    """Return `tool_choice` for the chat document; None if there is nothing to choose.

    Raises:
        BadRequest: the choice is not as it must be, or names an unknown tool.
    """
    given = body.document.get("tool_choice")
    if given is None or isinstance(given, str):
        return given if known or given == "required" else None
    choice = Fields.inside(given, "tool_choice")
    if choice.choice("type", ("function", "custom")) is None:
        raise bad_field("tool_choice.type", "is missing.")
    name = choice.required_string("name", longest=256)
    flat = next((flat for flat, tool in known.items() if name in (flat, tool.name)), None)
    if flat is None:
        raise bad_field("tool_choice.name", "names a tool that 'tools' does not have.")
    return {"type": "function", "function": {"name": flat}}


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

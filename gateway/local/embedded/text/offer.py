"""What a request offers a model to call, and whether it must call something."""

from collections.abc import Mapping

import msgspec

from gateway.core.document import Json, JsonObject
from gateway.core.errors import BadRequest
from gateway.core.request import ChatRequest
from gateway.local.embedded.text.formats.answer_format import Tool


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Tools of a request, as the client describes them and as calls are read."""

    documents: tuple[JsonObject, ...] = ()
    tools: tuple[Tool, ...] = ()
    strict: frozenset[str] = frozenset()  # names whose calls must follow the schema
    required: bool = False  # the answer is a call


def offer_of(request: ChatRequest) -> Offer:
    """Return the tools to offer.

    Raises:
        BadRequest: `tool_choice` is of an unknown kind, or names a tool that is not offered.
    """
    choice = request.tool_choice
    if not request.tools or choice == "none":
        return Offer()
    documents = tuple(tool for tool in request.tools if tool.get("type") == "function")
    required = choice == "required"
    if any(tool.get("type") == "custom" for tool in request.tools):
        raise BadRequest(
            "'tools': this model calls functions only. In place of a custom tool, offer a function with one text.",
            code="not_supported",
            param="tools",
        )
    if required and not documents:
        raise BadRequest(
            f"'tool_choice': {', '.join(request.provider_tools)[:200]}: only a provider's own service runs this. "
            "Offer a function.",
            code="built_in_tools",
            param="tool_choice",
        )
    if isinstance(choice, Mapping):
        names, required = _chosen(choice)
        documents = tuple(tool for tool in documents if _name(tool) in names)
        if not documents:
            raise BadRequest("'tool_choice' names a tool that 'tools' does not have.", param="tool_choice")
    functions = [function for tool in documents if isinstance(function := tool.get("function"), Mapping)]
    return Offer(
        documents=documents,
        tools=tuple(_tool(tool) for tool in documents if _name(tool)),
        strict=frozenset(str(function.get("name")) for function in functions if function.get("strict") is True),
        required=required,
    )


def _chosen(choice: Mapping[str, Json]) -> tuple[set[Json], bool]:
    """Return the names that may be called, and whether one of them must be.

    Raises:
        BadRequest: a choice of an unknown kind.
    """
    match choice.get("type"):
        case "function":
            function = choice.get("function")
            return {function.get("name")} if isinstance(function, Mapping) else set(), True
        case "allowed_tools":
            allowed = choice.get("allowed_tools")
            allowed = allowed if isinstance(allowed, Mapping) else choice
            listed = allowed.get("tools")
            names: set[Json] = (
                {_name(tool) for tool in listed if isinstance(tool, Mapping)} if isinstance(listed, tuple) else set()
            )
            return names, allowed.get("mode") == "required"
        case _:
            raise BadRequest("This 'tool_choice' is not supported.", param="tool_choice")


def _tool(tool: Mapping[str, Json]) -> Tool:
    function = tool.get("function")
    parameters = function.get("parameters") if isinstance(function, Mapping) else None
    return Tool(name=_name(tool), parameters=parameters if isinstance(parameters, Mapping) else {})


def _name(tool: Mapping[str, Json]) -> str:
    function = tool.get("function")
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else ""

"""Say what a response repeats of its request, whole and in the form that strict readers check. Pure.

Source: the response object of OpenAI's API reference and of the Open Responses specification, which is the stricter one
(`temperature` and `top_p` are numbers; a function has `description`, `parameters` and `strict`).
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.document import Json, JsonObject, thaw
from gateway.wire.body_fields import Fields

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SUMMARIES = ("auto", "concise", "detailed")
_VERBOSITIES = ("low", "medium", "high")
_CHOICES = ("none", "auto", "required")
_NUMBERS = {"temperature": 1.0, "top_p": 1.0, "top_logprobs": 0}  # OpenAI's defaults
_NULLABLE = ("instructions", "max_output_tokens")
_TEXTS = ("user", "safety_identifier", "prompt_cache_key")


def shown_fields(body: Fields) -> dict[str, Any]:
    """Return the fields of a response that repeat the request. Where the client gave nothing, it is OpenAI's default.

    INVARIANT: `body` was translated before, so that what translation checks has its type here. What it does not check
    (words that may be new, fields that are not carried) is shown only where it has a form that readers know.
    """
    document = body.document
    given = {name: document.get(name) for name in (*_NUMBERS, *_NULLABLE)}
    metadata = document.get("metadata")
    parallel = document.get("parallel_tool_calls")
    return {
        **given,
        **{name: value for name, value in _NUMBERS.items() if given[name] is None},
        **{name: value if isinstance(value := document.get(name), str) else None for name in _TEXTS},
        "metadata": {
            key: value
            for key, value in (metadata.items() if isinstance(metadata, Mapping) else ())
            if isinstance(value, str)
        },
        "parallel_tool_calls": parallel if isinstance(parallel, bool) else True,
        "reasoning": _reasoning(_object(document.get("reasoning"))),
        "text": _text(_object(document.get("text"))),
        "tool_choice": _choice(document.get("tool_choice")),
        "tools": _tools(document.get("tools")),
    }


def _reasoning(given: JsonObject) -> dict[str, Any]:
    return {"effort": _word(given, "effort", _EFFORTS), "summary": _word(given, "summary", _SUMMARIES)}


def _text(given: JsonObject) -> dict[str, Any]:
    form = _object(given.get("format"))
    shown: dict[str, Any] = {"type": form.get("type") or "text"}
    if shown["type"] == "json_schema":
        name, description = form.get("name"), form.get("description")
        shown["name"] = name if isinstance(name, str) else "schema"
        shown["description"] = description if isinstance(description, str) else None
        shown["schema"] = thaw(form["schema"])
        shown["strict"] = form.get("strict") is True
    return {"format": shown, "verbosity": _word(given, "verbosity", _VERBOSITIES) or "medium"}


def _choice(given: Json) -> Any:
    if not isinstance(given, Mapping):
        return given if given in _CHOICES else "auto"
    if given.get("type") == "allowed_tools":
        tools = given.get("tools")
        listed = [thaw(tool) for tool in tools] if isinstance(tools, tuple) else []
        return {"type": "allowed_tools", "mode": given.get("mode") or "auto", "tools": listed}
    return {"type": given["type"], "name": given["name"]}


def _tools(given: Json, kinds: tuple[str, ...] = ("function", "custom", "namespace")) -> list[dict[str, Any]]:
    """Return the tools that the model was offered; those of a provider are none of them."""
    tools = [_object(tool) for tool in given] if isinstance(given, tuple) else []
    return [_tool(tool) for tool in tools if tool.get("type") in kinds]


def _tool(given: JsonObject) -> dict[str, Any]:
    head = {"type": given["type"], "name": given["name"], "description": given.get("description")}
    match given["type"]:
        case "function":
            parameters = given.get("parameters")
            schema = thaw(parameters) if parameters else {"type": "object"}
            return head | {"parameters": schema, "strict": given.get("strict") is True}
        case "custom":
            return head | {"format": {"type": "text"}}
        case _:
            description = given.get("description")
            inside = _tools(given.get("tools"), ("function", "custom"))
            return head | {"description": description if isinstance(description, str) else "", "tools": inside}


def _word(given: JsonObject, name: str, known: tuple[str, ...]) -> Json:
    value = given.get(name)
    return value if value in known else None


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, Mapping) else {}

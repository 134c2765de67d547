"""Translate a chat document into a request of OpenAI's Responses API. Pure.

INVARIANT: a request has nothing but what stands in the document, which was inspected, and words of this file.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.core.document import Json, JsonObject, freeze_object
from gateway.core.outbound import is_reasoning_model
from gateway.upstream.responses.items import items_of
from gateway.upstream.unsupported import unsupported

_SAME_NAME = (
    "model",
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
)
_REFUSED = ("logit_bias", "stop", "grammar", "prediction", "audio")
_NOTHING: tuple[Json, ...] = (None, False, "", (), MappingProxyType({}))
_SEALED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"

SAID = frozenset(
    {
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "tools",
        "tool_choice",
        "response_format",
        "reasoning_effort",
        "output_config",  # Anthropic's, whose effort stands in `reasoning_effort` as well
        "verbosity",
        "logprobs",
        "top_logprobs",
        "stream",
        "stream_options",
        "n",
        *_SAME_NAME,
    }
)
"""Fields of a chat document that have a counterpart in this API."""


def responses_request(target: str, document: JsonObject) -> JsonObject:
    """Return the request for a chat document, which asks for a stream and for nothing to be stored.

    Raises:
        TargetError: The document asks for something that this API can't be asked for; another target may know it.
    """
    for name in _REFUSED:
        if document.get(name) not in _NOTHING:
            raise unsupported(target, name)
    if document.get("n") not in (None, 1):
        raise unsupported(target, "n")
    fields: dict[str, Any] = {name: document[name] for name in _SAME_NAME if document.get(name) is not None}
    fields |= {"input": items_of(target, document), "store": False, "stream": True}
    include = [_SEALED] if is_reasoning_model(str(document.get("model"))) else []
    for name in ("max_completion_tokens", "max_tokens"):
        if document.get(name):
            fields.setdefault("max_output_tokens", document[name])
    if document.get("logprobs"):
        include.append(_LOGPROBS)
        fields["top_logprobs"] = document.get("top_logprobs") or 0
    if include:
        fields["include"] = include
    if effort := document.get("reasoning_effort"):
        fields["reasoning"] = {"effort": effort}
    text = {"verbosity": document.get("verbosity"), "format": _format(document)}
    if any(text.values()):
        fields["text"] = {name: value for name, value in text.items() if value}
    tools = document.get("tools")
    if isinstance(tools, tuple) and tools:
        fields["tools"] = [_tool(target, tool) for tool in tools]
        if (choice := document.get("tool_choice")) is not None:
            fields["tool_choice"] = _choice(choice)
    return freeze_object(fields)


def _format(document: JsonObject) -> dict[str, Any] | None:
    given = document.get("response_format")
    if not isinstance(given, Mapping):
        return None
    inner = given.get("json_schema")
    if given.get("type") == "json_schema" and isinstance(inner, Mapping):
        return {"type": "json_schema", **{name: value for name, value in inner.items() if value is not None}}
    return {"type": given.get("type")}


def _tool(target: str, tool: Json) -> dict[str, Any]:
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    inner = tool.get(str(kind)) if isinstance(tool, Mapping) else None
    if kind not in ("function", "custom") or not isinstance(inner, Mapping):
        raise unsupported(target, "tools")
    # Where nothing is said, this API takes a schema to be strict and chat completions do not.
    loose = {"strict": False, "parameters": {"type": "object", "properties": {}}} if kind == "function" else {}
    return {"type": kind, **loose, **{name: value for name, value in inner.items() if value is not None}}


def _choice(choice: Json) -> object:
    if not isinstance(choice, Mapping):
        return choice
    kind = str(choice.get("type"))
    inner = choice.get(kind)
    if not isinstance(inner, Mapping):
        return choice
    if kind == "allowed_tools":
        tools = inner.get("tools")
        offered = [_choice(tool) for tool in (tools if isinstance(tools, tuple) else ())]
        return {"type": kind, "mode": inner.get("mode"), "tools": offered}
    return {"type": kind, "name": inner.get("name")}

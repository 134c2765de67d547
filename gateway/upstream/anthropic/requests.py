"""Translate a chat document into a request of Anthropic's Messages API. Pure.

INVARIANT: a request has nothing but what stands in the document, which was inspected, and words of this file.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.core.document import Json, JsonObject, freeze_object
from gateway.core.provider_fields import NATIVE
from gateway.upstream.anthropic.conversation import Conversation, cached
from gateway.upstream.anthropic.native import fields_of, tools_of, without_note
from gateway.upstream.anthropic.thinking import thinking_fields
from gateway.upstream.unsupported import unsupported

NEWER_VERSION = "2026-10-21"  # has no settings for drawing tokens any more
_DRAWING = ("temperature", "top_p", "top_k")
_SAME_NAME = ("temperature", "top_p", "top_k", "cache_control")
_TIERS = {"auto": "auto", "default": "standard_only"}
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_REFUSED = ("logprobs", "top_logprobs", "logit_bias", "grammar", "prediction", "audio")
_JSON_ONLY = "Answer with one JSON object and nothing else."
_TEXT_SCHEMA = MappingProxyType({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]})
_NAMED = re.compile(r"[a-zA-Z0-9_-]{1,128}")

SAID = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "thinking",
        "output_config",
        "service_tier",
        "stream",
        "stream_options",
        "n",
        NATIVE,
        *_SAME_NAME,
    }
)
"""Fields of a chat document that have a counterpart in this API."""


def messages_request(target: str, document: JsonObject, *, version: str, answer_tokens: int) -> JsonObject:
    """Return the request for a chat document, which asks for a stream.

    Args:
        target: The name of the target, for errors.
        document: What was cleared.
        version: The version of the API that the target speaks.
        answer_tokens: The most tokens of an answer where the document sets no limit, for this API needs one.

    Raises:
        TargetError: The document asks for something that this API can't be asked for; another target may know it.
    """
    for name in _REFUSED:
        if document.get(name) not in (None, False, 0, MappingProxyType({})):
            raise unsupported(target, name)
    if document.get("n") not in (None, 1):
        raise unsupported(target, "n")
    conversation, limit = Conversation(target, document), _limit(document)
    form = _format(document)
    fields: dict[str, Any] = {
        "model": document.get("model"),
        "max_tokens": answer_tokens if limit is None else limit,
        "messages": conversation.messages,
        "stream": True,
    }
    system = without_note(conversation.system, document)
    system = [*system, *([{"type": "text", "text": _JSON_ONLY}] if form == "json_object" else [])]
    if system:
        fields["system"] = system
    for name in _SAME_NAME:
        if document.get(name) is not None:
            fields[name] = document[name]
    if stops := _stops(document.get("stop")):
        fields["stop_sequences"] = stops
    if tier := _TIERS.get(str(document.get("service_tier"))):
        fields["service_tier"] = tier
    _tools(target, document, conversation, fields)
    fields |= thinking_fields(document, fields)
    if isinstance(form, Mapping):
        fields["output_config"] = fields.get("output_config", {}) | {"format": {"type": "json_schema", "schema": form}}
    _drawing(fields, version)
    return freeze_object(fields_of(document) | fields)


_COUNTED = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control")


def count_request(target: str, document: JsonObject, *, version: str) -> JsonObject:
    """Return the request for the number of a chat document's tokens: what of it the model would read.

    Raises:
        TargetError: The document asks for something that this API can't be asked for.
    """
    whole = messages_request(target, document, version=version, answer_tokens=1)
    return MappingProxyType({name: whole[name] for name in _COUNTED if name in whole})


def _limit(document: JsonObject) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        given = document.get(name)
        if isinstance(given, int | float):
            return int(given)  # 0: only read the prompt
    return None


def _stops(given: Json) -> list[str]:
    stops = given if isinstance(given, tuple) else (given,)
    return [stop for stop in stops if isinstance(stop, str) and stop]


def _drawing(fields: dict[str, Any], version: str) -> None:
    """Leave out settings for drawing tokens that this API does not take, or that say what it does anyway."""
    if isinstance(fields.get("temperature"), int | float):
        fields["temperature"] = min(1.0, fields["temperature"])  # OpenAI's scale goes on to 2
    thinks = fields.get("thinking", {}).get("type") in ("enabled", "adaptive", "between_tools")
    for name in _DRAWING:
        if version >= NEWER_VERSION or thinks or (name != "top_k" and fields.get(name) == 1):
            fields.pop(name, None)


def _format(document: JsonObject) -> Json:
    """Return the schema that the answer must follow, or the word for another form."""
    given = document.get("response_format")
    if not isinstance(given, Mapping):
        return None
    inner = given.get("json_schema")
    return inner.get("schema") if given.get("type") == "json_schema" and isinstance(inner, Mapping) else given["type"]


def _tools(target: str, document: JsonObject, conversation: Conversation, fields: dict[str, Any]) -> None:
    given = document.get("tools")
    tools: list[Mapping[str, Any]] = [
        _tool(target, tool) for tool in (given if isinstance(given, tuple) else ()) if isinstance(tool, Mapping)
    ]
    choice, tools = _choice(document.get("tool_choice"), tools)
    tools += tools_of(document)
    if not tools and conversation.called:
        # A conversation with calls needs tools beside it; these can't be called.
        tools = [{"name": name, "input_schema": {"type": "object"}} for name in conversation.called]
        choice = {"type": "none"}
    if not tools:
        return
    fields["tools"] = tools
    if document.get("parallel_tool_calls") is False and (choice is None or choice["type"] != "none"):
        choice = (choice or {"type": "auto"}) | {"disable_parallel_tool_use": True}
    if choice is not None:
        fields["tool_choice"] = choice


def _tool(target: str, tool: JsonObject) -> dict[str, Any]:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        raise unsupported(target, "tools")
    name, schema = function.get("name"), function.get("parameters")
    if not isinstance(name, str) or not _NAMED.fullmatch(name):
        raise unsupported(target, "tools")
    made: dict[str, Any] = {
        "name": name,
        "input_schema": {"type": "object"} | dict(schema if isinstance(schema, Mapping) else {}),
    }
    if function.get("description"):
        made["description"] = function["description"]
    if function.get("strict") is True:
        made["strict"] = True
    return fields_of(tool) | made | cached(tool) | cached(function)


def _choice(given: Json, tools: list[Mapping[str, Any]]) -> tuple[dict[str, Any] | None, list[Mapping[str, Any]]]:
    """Return which tool is to be called, and the tools that may be."""
    match given:
        case str() if given in _CHOICES:
            return {"type": _CHOICES[given]}, tools
        case Mapping() if isinstance(function := given.get("function"), Mapping):
            return {"type": "tool", "name": function.get("name")}, tools
        case Mapping() if isinstance(allowed := given.get("allowed_tools"), Mapping):
            offered = allowed.get("tools")
            names = {_name(one) for one in (offered if isinstance(offered, tuple) else ())}
            return {"type": _CHOICES.get(str(allowed.get("mode")), "auto")}, [t for t in tools if t["name"] in names]
        case _:
            return None, tools


def _name(tool: Json) -> Json:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return function.get("name") if isinstance(function, Mapping) else None

"""Parse `POST /v1/responses` into a chat request, with what the answer must show again. Pure.

As in the other dialects, the translated document is what is inspected, decided on and sent. What continues a stored
answer is translated with all that it continues.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.document import Json, JsonObject, freeze_object, thaw
from gateway.core.request import ChatRequest
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.built_in_tools import note
from gateway.wire.forbidden_fields import refuse_forms, refuse_overrides
from gateway.wire.left_out import left_out, marks_in
from gateway.wire.openai import requests as openai_requests
from gateway.wire.responses import shape
from gateway.wire.responses.input import translate_input
from gateway.wire.responses.shown import shown_fields
from gateway.wire.responses.stored_items import refers
from gateway.wire.responses.tools import Tool, translate_choice, translate_tools

_NOT_SERVED = {
    "prompt": "templates of prompts are not kept here. Send the text in 'input'.",
    "background": "answers are given while the client waits. Leave it out; 'stream: true' gives signs of life.",
}
_SEALED = ("input[].encrypted_content",)
_STORED = ("store", "previous_response_id", "conversation")
_SAME_NAME = ("metadata", "user", "safety_identifier", "prompt_cache_key", "service_tier")


class ResponsesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Chat request with the client's own names for its tools and the fields that the answer repeats.

    `store`: the answer is to be kept.
    """

    chat: ChatRequest
    store: bool = False
    tools: Mapping[str, Tool]
    shown: JsonObject


def parse_response(document: JsonObject, *, given: JsonObject | None = None, storing: bool = False) -> ResponsesRequest:
    """Parse the document of `POST /v1/responses`.

    Args:
        document: The body with everything that it continues.
        given: The body as the client sent it, where it is another one.
        storing: Answers are kept for clients that want it.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    given = document if given is None else given
    refuse_overrides(document)
    refuse_forms(document, "text.format")
    for name, why in _NOT_SERVED.items():
        if document.get(name):
            raise bad_field(name, why)
    body = Fields(document)
    offer = translate_tools(body)
    messages = translate_input(body, note(offer.built_in))
    fields: dict[str, Any] = {"model": body.required_string("model", longest=256), "messages": messages}
    limit = body.integer("max_output_tokens", 1, 2**31 - 1)
    if limit is not None:
        fields["max_completion_tokens"] = limit
    for name, low, high in (("temperature", 0.0, 2.0), ("top_p", 0.0, 1.0)):
        value = body.number(name, low, high)
        if value is not None:
            fields[name] = value
    if offer.functions:
        fields["tools"] = offer.functions
        if document.get("parallel_tool_calls") is not None:
            fields["parallel_tool_calls"] = body.boolean("parallel_tool_calls")
    for name in _SAME_NAME:
        if document.get(name) is not None:
            fields[name] = thaw(document[name])
    choice = translate_choice(body, offer)
    if choice is not None:
        fields["tool_choice"] = choice
    _format(body, fields)
    _effort(body, fields)
    _logprobs(body, fields)
    if body.boolean("stream"):
        fields["stream"] = True
    chat = openai_requests.parse_chat(freeze_object(fields))
    lost = tuple(
        [name for name in left_out(given, shape.MARKED_BODY) if not (storing and name.split(".")[0] in _STORED)]
    )
    marked = marks_in(given, shape.BODY, shape.MARKED_BODY)
    if any("reasoning_details" in message for message in messages):
        marked = marked or _SEALED  # of what it continues
    chat = msgspec.structs.replace(chat, left_out=lost, built_in_tools=offer.built_in, marked=marked)
    store = storing and (given.get("store") is None or Fields(given).boolean("store"))
    return ResponsesRequest(
        chat=chat,
        store=store,
        tools=MappingProxyType(offer.known),
        shown=freeze_object(shown_fields(body) | _continues(given) | {"store": store}),
    )


def _continues(given: JsonObject) -> dict[str, Any]:
    """Return what the answer says of the response or the conversation that it continues."""
    named = refers(given)
    conversation = {"id": named.conversation} if named.conversation is not None else None
    return {"previous_response_id": named.previous, "conversation": conversation}


def _format(body: Fields, fields: dict[str, Any]) -> None:
    text = body.mapping("text")
    given = text.mapping("format") if text is not None else None
    if given is None:
        return
    kind = given.choice("type", ("text", "json_object", "json_schema"))
    if kind == "json_schema":
        inner: dict[str, Json | object] = {
            name: given.document.get(name) for name in ("name", "description", "strict", "schema")
        }
        schema = given.mapping("schema")
        if schema is None:
            raise bad_field(given.param("schema"), "is missing.")
        inner["schema"] = thaw(schema.document)
        fields["response_format"] = {"type": kind, "json_schema": inner}
    elif kind == "json_object":
        fields["response_format"] = {"type": kind}


def _effort(body: Fields, fields: dict[str, Any]) -> None:
    reasoning, text = body.mapping("reasoning"), body.mapping("text")
    if reasoning is not None and (effort := reasoning.string("effort", longest=40)):
        fields["reasoning_effort"] = effort
    if text is not None and (verbosity := text.string("verbosity", longest=40)):
        fields["verbosity"] = verbosity


def _logprobs(body: Fields, fields: dict[str, Any]) -> None:
    """Translate `include: ["message.output_text.logprobs"]`; what else may be included has no source here."""
    top = body.integer("top_logprobs", 0, 20)
    if "message.output_text.logprobs" in body.items("include", 64) or top:
        fields["logprobs"] = True
        fields["top_logprobs"] = top or 0

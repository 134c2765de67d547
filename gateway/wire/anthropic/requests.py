"""Parse Anthropic request bodies into typed requests. Pure.

The body is translated into an OpenAI document, and that document is what is inspected, decided on and sent: nothing
of the original goes anywhere. What only Anthropic's models follow (`thinking`, `cache_control`, signatures) stands in
it as marks for targets that take them (`core/marks.py`); what no target here can follow (tools that only Anthropic's
service runs) is left out, and the answer says so (`shape.py`). What would change the answer's meaning is refused.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.document import JsonObject, freeze_object, thaw
from gateway.core.errors import BadRequest
from gateway.core.request import ChatRequest, Dialect
from gateway.wire.anthropic import shape
from gateway.wire.anthropic.blocks import is_marked, translate_messages
from gateway.wire.anthropic.native import Wanted, kept, of_the_body, stands_apart
from gateway.wire.anthropic.system import billing_lines, translate_system
from gateway.wire.anthropic.tools import translate_choice, translate_tools
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.built_in_tools import note
from gateway.wire.forbidden_fields import refuse_forms, refuse_overrides
from gateway.wire.left_out import left_out, marks_in
from gateway.wire.openai import requests as openai_requests
from gateway.wire.openai.thinking import anthropic_thinking

NEWER_VERSION = "2026-10-21"
VERSIONS = ("2023-01-01", "2023-06-01", NEWER_VERSION)
_REMOVED = ("temperature", "top_p", "top_k")
_MOST_STOPS = 256
_TIERS = {"auto": "auto", "standard_only": "default"}


def parse_messages(document: JsonObject, version: str = "", wanted: Wanted | None = None) -> ChatRequest:
    """Parse the document of `POST /v1/messages`.

    Args:
        document: The body.
        version: The `anthropic-version` header.
        wanted: What is kept of the API's own words.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    body = _opened(document, version)
    limit = body.integer("max_tokens", 0, 2**31 - 1)  # 0: only read the prompt
    if limit is None:
        raise bad_field("max_tokens", "is missing.")
    return _translated(body, version, {"max_tokens": limit}, wanted or Wanted())


def parse_count(document: JsonObject, version: str = "", wanted: Wanted | None = None) -> ChatRequest:
    """Parse the document of `POST /v1/messages/count_tokens`: the same without `max_tokens`; nothing is generated.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    return _translated(_opened(document, version), version, {}, wanted or Wanted())


def _opened(document: JsonObject, version: str) -> Fields:
    if version and version not in VERSIONS:
        raise BadRequest(
            f"anthropic-version: this version of the API is not known here. Known: {', '.join(VERSIONS)}.",
            param="anthropic-version",
            code="unknown_api_version",
        )
    refuse_overrides(document)
    refuse_forms(document, "output_config.format")
    if version >= NEWER_VERSION:
        for name in _REMOVED:
            if document.get(name) is not None:
                raise bad_field(name, f"was removed from the API in version {NEWER_VERSION}.")
    return Fields(document)


def _translated(body: Fields, version: str, fields: dict[str, Any], wanted: Wanted) -> ChatRequest:
    fields["model"] = body.required_string("model", longest=256)
    offer, lost = translate_tools(body), left_out(body.document, shape.MARKED_BODY)
    apart = is_marked(body.document) or (wanted.words and stands_apart(body.document))
    said = note(offer.built_in)
    system = translate_system(body, said, apart=apart)
    documents = version < NEWER_VERSION
    fields["messages"] = system + translate_messages(body, assistant_documents=documents, apart=apart)
    for name, low, high in (("temperature", 0.0, 1.0), ("top_p", 0.0, 1.0)):
        value = body.number(name, low, high)
        if value is not None:
            fields[name] = value
    top_k = body.integer("top_k", 0, 2**31 - 1)
    if top_k:
        fields["top_k"] = top_k
    _stops(body, fields)
    if offer.functions:
        fields["tools"] = list(offer.functions)
    translate_choice(body, offer, fields)
    _output(body, fields)
    _marks(body, fields)
    if body.boolean("stream"):
        fields["stream"] = True
    user = body.mapping("metadata")
    if user is not None and (user_id := user.string("user_id", longest=1000)):
        fields["user"] = user_id
    fields |= of_the_body(body.document, offer.native, said)
    request = openai_requests.parse_chat(kept(freeze_object(fields), wanted))
    own, run_away = shape.own_words(lost, body.document, wanted)
    return msgspec.structs.replace(
        request,
        dialect=Dialect.ANTHROPIC,
        include_usage=True,
        thinking=anthropic_thinking(body.document.get("thinking"), request.thinking.effort),
        left_out=tuple([name for name in lost if name not in own + run_away]) + billing_lines(body.document),
        own_words=own,
        betas=wanted.betas,
        provider_words=run_away,
        marked=marks_in(body.document, shape.BODY, shape.MARKED_BODY),
        built_in_tools=offer.built_in,
    )


def _stops(body: Fields, fields: dict[str, Any]) -> None:
    stops = body.items("stop_sequences", _MOST_STOPS)
    if not all(isinstance(stop, str) for stop in stops):
        raise bad_field("stop_sequences", "must be an array of strings.")
    if stops:
        fields["stop"] = list(stops)


def _marks(body: Fields, fields: dict[str, Any]) -> None:
    """Keep for targets that take marks what the body says in Anthropic's own words."""
    for name in ("thinking", "cache_control"):
        if isinstance(given := body.document.get(name), Mapping):
            fields[name] = thaw(given)
    config = body.mapping("output_config")
    if config is not None and config.string("effort", longest=40):
        fields["output_config"] = {"effort": config.string("effort")}
    tier = body.string("service_tier", longest=40)
    if tier in _TIERS:
        fields["service_tier"] = _TIERS[tier]


def _output(body: Fields, fields: dict[str, Any]) -> None:
    """Translate `output_config`: effort, and `format` (older: `output_format`), a JSON schema that the answer follows.

    Raises:
        BadRequest: the format has another type, or no schema.
    """
    config = body.mapping("output_config")
    if config is not None and (effort := config.string("effort", longest=40)):
        fields["reasoning_effort"] = effort
    given = (config.mapping("format") if config is not None else None) or body.mapping("output_format")
    if given is None:
        return
    if given.choice("type", ("json_schema",)) is None:
        raise bad_field(given.param("type"), "is missing.")
    schema = given.mapping("schema")
    if schema is None:
        raise bad_field(given.param("schema"), "is missing.")
    fields["response_format"] = {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": thaw(schema.document)},
    }

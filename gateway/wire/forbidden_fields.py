"""Refuse fields by which a client would choose where its request goes, whose key pays, or what headers are sent. Pure.

Other gateways honour them from the body. Here the configuration alone says what is dialled, so they are refused
rather than dropped: a client that believes in them must learn that they do nothing.
"""

from gateway.core.document import JsonObject, is_object
from gateway.core.errors import BadRequest

OVERRIDES = frozenset(
    {
        "api_base",
        "api_key",
        "api_type",
        "api_version",
        "aws_access_key_id",
        "aws_bedrock_runtime_endpoint",
        "aws_secret_access_key",
        "aws_session_token",
        "azure_ad_token",
        "azure_endpoint",
        "base_url",
        "custom_llm_provider",
        "default_headers",
        "deployment_id",
        "extra_body",
        "extra_headers",
        "extra_query",
        "headers",
        "http_client",
        "litellm_credential_name",
        "model_list",
        "openai_api_key",
        "organization",
        "proxies",
        "proxy",
        "user_config",
        "vertex_credentials",
        "vertex_location",
        "vertex_project",
    }
)

_ORDINARY = (
    frozenset(
        {
            *(
                "model",
                "messages",
                "prompt",
                "input",
                "stream",
                "stream_options",
                "max_tokens",
                "max_completion_tokens",
            ),
            *("temperature", "top_p", "top_k", "min_p", "seed", "stop", "n", "user", "tools", "tool_choice", "system"),
            *("frequency_penalty", "presence_penalty", "response_format", "reasoning_effort", "parallel_tool_calls"),
        }
    )
    - OVERRIDES
)
"""Names of which most bodies have no others."""

_FORMS = ("grammar", "json_schema", "guided_json", "guided_regex", "guided_choice", "guided_grammar")


def refuse_forms(document: JsonObject, instead: str) -> None:
    """Refuse a body that demands the form of its answer in a field that its dialect does not have.

    Left out, the answer would not have the form that the client counts on.

    Raises:
        BadRequest: there is such a field; `instead` names the dialect's own one.
    """
    for name in _FORMS:
        if document.get(name):
            raise BadRequest(
                f"'{name}': this API has no such field. Use '{instead}', or '{name}' at /v1/chat/completions.",
                param=name,
                code="not_supported",
            )


def refuse_overrides(document: JsonObject) -> None:
    """Refuse a body that names an address, a credential or headers, or that has our own headers among its fields.

    Case and `-` make no difference.

    Raises:
        BadRequest: a field has such a name.
    """
    if _ORDINARY.issuperset(document):
        return
    metadata = document.get("metadata")
    for name in (*document, *metadata) if is_object(metadata) else document:
        if "aduana" in name.casefold():
            raise BadRequest(
                f"'{name[:60]}': tags and other wishes to this gateway are headers, as in 'x-aduana-tags: health'. "
                "In the body they would protect nothing.",
                param=name[:60],
                code="header_in_body",
            )
    for name in document:
        if name.casefold().replace("-", "_") in OVERRIDES:
            raise BadRequest(
                f"'{name}': this gateway's configuration says where requests go; a request can't. Leave it out.",
                param=name,
                code="routing_override",
            )

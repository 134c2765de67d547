"""Wishes to the gateway that stand in a body, where they would protect nothing."""

import json

import pytest

from gateway.core.errors import BadRequest
from gateway.wire import anthropic, ollama, openai, responses

MESSAGES = [{"role": "user", "content": "hi"}]
PARSERS = {
    "chat": (openai.parse_chat, {"model": "a", "messages": MESSAGES}),
    "embeddings": (openai.parse_embeddings, {"model": "a", "input": "hi"}),
    "responses": (responses.parse_response, {"model": "a", "input": "hi"}),
    "anthropic": (anthropic.parse_messages, {"model": "a", "messages": MESSAGES, "max_tokens": 5}),
    "ollama": (ollama.parse_chat, {"model": "a", "messages": MESSAGES}),
}


@pytest.mark.parametrize(("parse", "body"), PARSERS.values(), ids=PARSERS)
@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"x-aduana-tags": "health"}},
        {"metadata": {"aduana_tags": "health"}},
        {"x_aduana_tags": ["health"]},
        {"Aduana-Tags": "health"},
    ],
)
def test_tags_in_a_body_are_refused(parse, body, more):
    """A tag that a client writes into a body would be dropped in silence: it is told that tags are headers."""
    with pytest.raises(BadRequest, match="x-aduana-tags") as caught:
        parse(json.dumps(body | more).encode())
    assert caught.value.code == "header_in_body"


@pytest.mark.parametrize(("parse", "body"), PARSERS.values(), ids=PARSERS)
def test_other_metadata_passes(parse, body):
    """Metadata of the client's own is no wish to the gateway."""
    parse(json.dumps(body | {"metadata": {"tags": "health", "user_id": "u"}}).encode())

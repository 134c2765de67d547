"""What a request offers a model to call: functions, and of other tools either a word or a refusal."""

import json
from typing import Any

import pytest

from gateway.core.errors import BadRequest
from gateway.core.request import ChatRequest
from gateway.local.embedded.text.offer import offer_of
from gateway.wire import openai

FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
SEARCH = {"type": "web_search"}
CUSTOM = {"type": "custom", "custom": {"name": "sh"}}


def chat(*tools: dict[str, Any], **fields: Any) -> ChatRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": tools, **fields}
    return openai.parse_chat(json.dumps(body).encode())


def test_tools_of_a_provider_are_not_offered_to_a_model_here() -> None:
    """They stay in the document for targets that run them, and their names are told."""
    request = chat(SEARCH, FUNCTION)
    assert [tool.name for tool in offer_of(request).tools] == ["look"]
    assert len(offer_of(request).documents) == 1
    assert request.built_in_tools == request.provider_tools == ("web_search",)
    assert offer_of(chat(SEARCH)).tools == ()


def test_a_call_that_must_be_made_needs_something_to_call() -> None:
    """The refusal names the tool that can't be run; a function beside it will do."""
    assert offer_of(chat(SEARCH, FUNCTION, tool_choice="required")).required
    with pytest.raises(BadRequest, match="web_search") as caught:
        offer_of(chat(SEARCH, tool_choice="required"))
    assert caught.value.param == "tool_choice"


def test_custom_tools_are_refused() -> None:
    """The client would wait for a call that this model does not know how to write."""
    with pytest.raises(BadRequest, match="custom"):
        offer_of(chat(CUSTOM))

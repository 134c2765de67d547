"""The answer names what a target is not told: fields that its API has no words for, and marks that it does not take."""

import json
from typing import Any

import pytest

from gateway.core.labels import Label, Zone
from gateway.core.target import Api, TargetInfo
from gateway.upstream.unsaid import unsaid
from gateway.wire import anthropic, openai

MESSAGE = {"role": "user", "content": "hi"}


def target(api: Api, *, marks: bool) -> TargetInfo:
    return TargetInfo(name="t", kind="x", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="m", api=api, marks=marks)


@pytest.mark.parametrize(
    ("api", "fields", "names"),
    [
        (Api.CHAT, {"seed": 7, "new": 1}, ()),
        (Api.MESSAGES, {"seed": 7, "new": 1, "user": "ana", "Ana Ruiz": 1}, ("seed", "new", "?")),
        (Api.MESSAGES, {"frequency_penalty": 0, "stop": ["x"], "reasoning_effort": "low"}, ()),
        (Api.RESPONSES, {"seed": 7, "verbosity": "low", "prompt_cache_key": "k"}, ("seed",)),
    ],
)
def test_fields_that_an_api_has_no_words_for(api: Api, fields: dict[str, Any], names: tuple[str, ...]) -> None:
    """Fields of chat completions are named where they are lost; one whose name could be content is not shown."""
    request = openai.parse_chat(json.dumps({"model": "m", "messages": [MESSAGE]} | fields).encode())
    assert unsaid(request, target(api, marks=api is not Api.CHAT)) == names


@pytest.mark.parametrize(
    ("api", "marks", "named"), [(Api.MESSAGES, True, False), (Api.CHAT, False, True), (Api.RESPONSES, True, True)]
)
def test_marks_that_a_target_does_not_take(api: Api, marks: bool, named: bool) -> None:
    """Marks for Anthropic's cache are named wherever they are not sent."""
    part = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [part]}]}
    request = anthropic.parse_messages(json.dumps(body).encode())
    assert ("messages[].content[].cache_control" in unsaid(request, target(api, marks=marks))) is named


@pytest.mark.parametrize("api", Api)
def test_an_effort_that_is_carried_is_not_named(api: Api) -> None:
    """Every API has words for the effort that Anthropic's clients set in `output_config`."""
    message = {"role": "user", "content": "hi"}
    body = {"model": "m", "max_tokens": 9, "messages": [message], "output_config": {"effort": "high"}}
    assert unsaid(anthropic.parse_messages(json.dumps(body).encode()), target(api, marks=api is not Api.CHAT)) == ()

"""What a target is sent besides the client's own words: limits and keys under the names that it knows."""

import json
from typing import Any

import pytest

from gateway.core.document import thaw
from gateway.core.labels import Label, Zone
from gateway.core.outbound import outbound_document
from gateway.core.target import TargetInfo
from gateway.wire import anthropic, openai


def sent(model: str, *, at_home: bool = False, **fields: Any) -> Any:
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]} | fields
    request = openai.parse_chat(json.dumps(body).encode())
    info = TargetInfo(name="t", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model=model)
    return thaw(outbound_document(request, info, keep_identity=at_home))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("o3", "max_completion_tokens"),
        ("o4-mini", "max_completion_tokens"),
        ("gpt-5.2", "max_completion_tokens"),
        ("openai/gpt-5-mini", "max_completion_tokens"),
        ("gpt-4o", "max_tokens"),
        ("gpt-50", "max_tokens"),
        ("olmo-2", "max_tokens"),
        ("qwen3-coder", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_model_takes(model: str, name: str) -> None:
    """OpenAI's newer models refuse `max_tokens`, so they get it as `max_completion_tokens`; others as it came."""
    found = sent(model, max_tokens=9)
    assert {key: value for key, value in found.items() if key.startswith("max_")} == {name: 9}


@pytest.mark.parametrize(("zone", "name"), [(Zone.LOCAL, "max_tokens"), (Zone.CLOUD, "max_completion_tokens")])
def test_a_server_at_home_gets_the_limit_under_its_older_name(zone: Zone, name: str) -> None:
    """Ollama would ignore `max_completion_tokens` and answer without end; a cloud gets what the client wrote."""
    info = TargetInfo(name="t", kind="openai", zone=zone, ceiling=Label.PUBLIC, model="qwen3")
    body = {
        "model": "auto",
        "messages": [{"role": "user", "content": "hi"}],
        "max_completion_tokens": 9,
        "max_tokens": None,
    }
    found = outbound_document(openai.parse_chat(json.dumps(body).encode()), info)
    assert {key: value for key, value in found.items() if key.startswith("max_") and value} == {name: 9}


def test_a_cloud_finds_its_cache_and_not_who_asked() -> None:
    """A cloud gets a hash in place of `prompt_cache_key`, the same each time; a server at home gets the key."""
    key = {"prompt_cache_key": "ana"}
    assert sent("m", at_home=True, **key)["prompt_cache_key"] == "ana"
    away = sent("m", **key)["prompt_cache_key"]
    assert away == sent("m", **key)["prompt_cache_key"] != sent("m", prompt_cache_key="eva")["prompt_cache_key"]
    assert "ana" not in away


@pytest.mark.parametrize(
    ("model", "thinking", "effort"),
    [
        ("gpt-5.4", {"type": "enabled", "budget_tokens": 1024}, "low"),
        ("gpt-5.4", {"type": "enabled", "budget_tokens": 8000}, "medium"),
        ("o3", {"type": "enabled", "budget_tokens": 32000}, "high"),
        ("gpt-5.4", {"type": "adaptive"}, None),
        ("gpt-4.1", {"type": "enabled", "budget_tokens": 1024}, None),
    ],
)
def test_a_budget_for_thinking_is_an_effort_for_models_that_take_one(model: str, thinking: Any, effort: Any) -> None:
    """What an Anthropic client lets a model think reaches OpenAI's thinking models as their effort, and no others."""
    message = {"role": "user", "content": "hi"}
    body = {"model": "auto", "max_tokens": 9, "messages": [message], "thinking": thinking}
    info = TargetInfo(name="t", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model=model)
    found = outbound_document(anthropic.parse_messages(json.dumps(body).encode()), info)
    assert (found.get("reasoning_effort"), "thinking" in found) == (effort, False)


@pytest.mark.parametrize("marks", [False, True])
def test_anthropics_word_for_effort_is_translated(marks: bool) -> None:
    """Where a client sets an effort and nothing else, servers of chat completions get `reasoning_effort` alone."""
    message = {"role": "user", "content": "hi"}
    body = {"model": "auto", "max_tokens": 9, "messages": [message], "output_config": {"effort": "high"}}
    info = TargetInfo(name="t", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="m", marks=marks)
    found = outbound_document(anthropic.parse_messages(json.dumps(body).encode()), info)
    assert (found["reasoning_effort"], "output_config" in found) == ("high", False)


def test_openrouter_is_sent_marks_and_a_budget_in_its_own_words() -> None:
    """A provider of chat completions that takes marks gets those of blocks, and how much to think as `reasoning`."""
    part = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    thinking = {"type": "enabled", "budget_tokens": 1024}
    body = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": [part]}], "thinking": thinking}
    info = TargetInfo(name="t", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="m", marks=True)
    found = outbound_document(anthropic.parse_messages(json.dumps(body).encode()), info)
    assert thaw(found["messages"]) == [{"role": "user", "content": [part]}]
    assert (thaw(found["reasoning"]), "thinking" in found) == ({"max_tokens": 1024}, False)

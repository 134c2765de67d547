"""How much a model is to think, in the words of every client."""

from typing import Any

import pytest

from gateway.core.document import freeze_object
from gateway.core.request import Thinking
from gateway.wire.anthropic.requests import parse_messages
from gateway.wire.ollama.requests import parse_chat as parse_ollama
from gateway.wire.openai.requests import parse_chat

MESSAGES = [{"role": "user", "content": "Hi"}]
OFF, ON = Thinking(enabled=False), Thinking(enabled=True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Thinking()),
        ({"reasoning_effort": "high"}, Thinking(enabled=True, effort="high")),
        ({"reasoning_effort": "none"}, OFF),
        ({"reasoning": {"effort": "low"}}, Thinking(enabled=True, effort="low")),
        ({"reasoning": {"max_tokens": 100}}, Thinking(enabled=True, budget=100)),
        ({"reasoning": {"enabled": False}}, OFF),
        ({"thinking": {"type": "disabled"}}, OFF),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, Thinking(enabled=True, budget=9)),
        ({"enable_thinking": True}, ON),
        ({"thinking_budget": 0}, OFF),
        ({"chat_template_kwargs": {"enable_thinking": False}}, OFF),
        ({"chat_template_kwargs": {"enable_thinking": True, "thinking_budget": 5}}, Thinking(enabled=True, budget=5)),
        ({"thinking": "yes", "reasoning": 3, "chat_template_kwargs": []}, Thinking()),
    ],
)
def test_of_openai_and_its_kin(fields: dict[str, Any], expected: Thinking) -> None:
    """Whichever name a client knows it by; what has a strange type says nothing."""
    assert parse_chat(freeze_object({"model": "m", "messages": MESSAGES, **fields})).thinking == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Thinking()),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Thinking(enabled=True, budget=2048)),
        ({"thinking": {"type": "disabled"}}, OFF),
        ({"thinking": {"type": "adaptive"}}, ON),
    ],
)
def test_of_anthropic(fields: dict[str, Any], expected: Thinking) -> None:
    """A budget of tokens, or a switch."""
    body = {"model": "m", "max_tokens": 4096, "messages": MESSAGES, **fields}
    assert parse_messages(freeze_object(body)).thinking == expected


@pytest.mark.parametrize(
    ("think", "expected"),
    [(None, Thinking()), (True, ON), (False, OFF), ("high", Thinking(enabled=True, effort="high"))],
)
def test_of_ollama(think: object, expected: Thinking) -> None:
    """Whether, or how much."""
    assert parse_ollama(freeze_object({"model": "m", "messages": MESSAGES, "think": think})).thinking == expected

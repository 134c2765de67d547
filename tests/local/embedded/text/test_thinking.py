"""Templates are told about thinking by the variables, and in the words, that each of them knows."""

from typing import Any

import pytest

from gateway.core.document import freeze_object
from gateway.core.request import ChatRequest, Dialect, Thinking
from gateway.local.embedded.text.formats.answer_format import AnswerFormat
from gateway.local.embedded.text.thinking import budget_of, variables_of
from tests.standins.chat_templates import FOLDER, QUESTION, opened


def request(thinking: Thinking, **fields: Any) -> ChatRequest:
    """A question with these wishes."""
    return ChatRequest(
        dialect=Dialect.OPENAI, model="m", document=freeze_object(fields), messages=(QUESTION,), thinking=thinking
    )


class Letters:
    """A vocabulary of bytes."""

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """One token a byte."""
        assert parse_special
        return list(text.encode())


THINKS, PLAIN = AnswerFormat(thinks=True), AnswerFormat()
OFF, HARD = Thinking(enabled=False), Thinking(enabled=True, effort="xhigh")


@pytest.mark.parametrize(
    ("source", "thinking", "expected"),
    [
        ("{{ enable_thinking }}", Thinking(), {}),
        ("{{ enable_thinking }}", OFF, {"enable_thinking": False}),
        ("{{ enable_thinking }}", HARD, {"enable_thinking": True}),
        ("{{ reasoning_effort }}", HARD, {"reasoning_effort": "high"}),
        ("{{ reasoning_effort in ['low', 'max'] }}", HARD, {"reasoning_effort": "max"}),
        ("{{ reasoning_effort == 'no_think' }}", OFF, {"reasoning_effort": "no_think"}),
        ("{{ reasoning_effort }}", Thinking(enabled=True, effort="own word"), {"reasoning_effort": "own word"}),
        ("{{ thinking_mode }}", HARD, {"thinking_mode": "enabled"}),
        ("{{ thinking_budget }}", Thinking(enabled=True, budget=7), {"thinking_budget": 7}),
        ("nothing", HARD, {}),
    ],
)
def test_a_template_gets_what_it_asks_for(source: str, thinking: Thinking, expected: dict[str, Any]) -> None:
    """And nothing else; the effort is the nearest one that it knows."""
    found = variables_of(request(thinking), source)
    assert {name: value for name, value in found.items() if name in expected} == expected
    assert all(name in source for name in found)


def test_variables_of_the_client_go_through_but_replace_nothing_of_ours() -> None:
    """`chat_template_kwargs` is for the template; the conversation and its tools are not."""
    kwargs = {"enable_thinking": False, "mine": 1, "messages": [], "tools": [], "add_generation_prompt": False}
    found = variables_of(request(Thinking(enabled=False), chat_template_kwargs=kwargs), "{{ enable_thinking }}")
    assert found == {"enable_thinking": False, "mine": 1}


@pytest.mark.parametrize(
    ("name", "off", "on"),
    [
        ("Qwen3.5-4B", False, True),
        ("GLM-4.7-Flash", False, True),
        ("deepseek-ai-DeepSeek-V3.2", False, True),
        ("inclusionai-ling-3.0-flash", False, True),
    ],
)
def test_templates_that_begin_the_answer_inside_a_thought(name: str, off: bool, on: bool) -> None:
    """The prompt ends inside of it, or behind one that is closed already."""
    template = opened(FOLDER / f"{name}.jinja")
    for thinking, expected in ((Thinking(enabled=False), off), (Thinking(enabled=True), on)):
        prompt = template.render((QUESTION,), (), variables_of(request(thinking), template.source))
        assert template.opens_thought(prompt) is expected


@pytest.mark.parametrize(
    ("thinking", "form", "inside", "expected"),
    [
        (Thinking(enabled=True, budget=5), THINKS, False, True),
        (Thinking(enabled=True, budget=5), PLAIN, True, True),
        (Thinking(enabled=True, budget=5), PLAIN, False, False),
        (Thinking(enabled=True), THINKS, True, False),
        (OFF, THINKS, True, False),
    ],
)
def test_a_budget_is_for_models_that_think(
    thinking: Thinking, form: AnswerFormat, inside: bool, expected: bool
) -> None:
    """It ends the thought with the model's own marker; without a budget, or a thought, there is nothing to end."""
    budget = budget_of(thinking, form, Letters(), thinking_now=inside)  # type: ignore[arg-type]
    assert (budget is not None) is expected
    if budget is not None:
        assert (budget.tokens, budget.begun, bytes(budget.close)) == (5, inside, b"</think>")

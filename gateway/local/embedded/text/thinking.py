"""How a model is told whether, and how much, it is to think: variables of its template, and a budget of tokens."""

import re
from collections.abc import Mapping

from gateway.core.document import thaw
from gateway.core.request import ChatRequest, Thinking
from gateway.engine.llama.vocabulary import Vocabulary
from gateway.engine.messages import ThoughtBudget
from gateway.local.embedded.text.formats.answer_format import AnswerFormat
from gateway.local.embedded.text.formats.segments import first_marker

_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
_USUAL = ("low", "medium", "high")
_OFF = ("no_think", "none", "minimal")
# What a template is given by us; a client's variables can't replace it.
_RESERVED = frozenset(
    {"messages", "tools", "add_generation_prompt", "documents", "bos_token", "eos_token", "functions", "datetime"}
)


def variables_of(request: ChatRequest, source: str) -> Mapping[str, object]:
    """Return the variables that this template is given for a request: of thinking, and what the client names itself."""
    thinking = request.thinking
    variables: dict[str, object] = {}
    if thinking.enabled is not None:
        on = thinking.enabled
        variables |= {"enable_thinking": on, "thinking": on, "reasoning": on}
        variables["thinking_mode"] = "enabled" if on else "disabled"
        if not on:
            variables["thinking_budget"] = 0
        if not on or thinking.effort:
            variables["reasoning_effort"] = variables["thinking_effort"] = _effort(thinking, source)
    if thinking.budget is not None:
        variables["thinking_budget"] = thinking.budget
    variables = {name: value for name, value in variables.items() if re.search(rf"\b{name}\b", source)}
    given = request.document.get("chat_template_kwargs")
    if isinstance(given, Mapping):
        variables |= {name: thaw(value) for name, value in given.items() if name not in _RESERVED}
    return variables


def budget_of(
    thinking: Thinking, form: AnswerFormat, vocabulary: Vocabulary, *, thinking_now: bool
) -> ThoughtBudget | None:
    """Return how long the answer may think; None: as long as it likes, or the model has no thoughts.

    `thinking_now`: the prompt ends inside a thought.
    """
    close = form.thought.close
    if thinking.budget is None or not close or not (form.thinks or thinking_now):
        return None
    return ThoughtBudget(
        tokens=thinking.budget,
        begun=thinking_now,
        open=form.thought.open,
        mark=first_marker(close)[0] or close.strip(),
        close=tuple(vocabulary.tokenize(close, add_special=False, parse_special=True)),
    )


def _effort(thinking: Thinking, source: str) -> str:
    """Return the effort in a word that the template knows, as near as can be."""
    named = [word for word in _EFFORTS if f"'{word}'" in source or f'"{word}"' in source]
    if not thinking.enabled:
        return next((word for word in _OFF if f"'{word}'" in source or f'"{word}"' in source), "low")
    if thinking.effort in named or thinking.effort not in _EFFORTS:
        return thinking.effort
    known = named if len(named) > 1 else _USUAL
    place = _EFFORTS.index(thinking.effort)
    return min(known, key=lambda word: (abs(_EFFORTS.index(word) - place), -_EFFORTS.index(word)))

"""Read how much a model is to think from a request, under the names that clients use. Pure.

The fields are those of OpenAI (`reasoning_effort`), OpenRouter (`reasoning`), DeepSeek and GLM (`thinking`), Qwen
(`enable_thinking`, `thinking_budget`) and of servers that take variables for the template (`chat_template_kwargs`).
They stay in the document, so that other servers see them as they were sent; what has a strange type says nothing.
"""

from collections.abc import Mapping
from typing import TypeVar

from gateway.core.document import Json, JsonObject
from gateway.core.request import Thinking

_T = TypeVar("_T")
_NAMES = frozenset(
    {"chat_template_kwargs", "reasoning", "thinking", "reasoning_effort", "enable_thinking", "thinking_budget"}
)
AS_EVER = Thinking()
_OFF = ("none", "off", "disabled", "no_think")


def thinking_of(document: JsonObject) -> Thinking:
    """Return what a request says about thinking."""
    if _NAMES.isdisjoint(document):
        return AS_EVER
    variables = _object(document.get("chat_template_kwargs"))
    reasoning, switch = _object(document.get("reasoning")), _object(document.get("thinking"))
    effort = _text(document.get("reasoning_effort")) or _text(reasoning.get("effort"))
    enabled = _first(
        _switch(switch.get("type")),
        _flag(reasoning.get("enabled")),
        _flag(document.get("enable_thinking")),
        _flag(variables.get("enable_thinking")),
        _flag(variables.get("thinking")),
    )
    budget = _first(
        _count(switch.get("budget_tokens")),
        _count(reasoning.get("max_tokens")),
        _count(document.get("thinking_budget")),
        _count(variables.get("thinking_budget")),
    )
    return made(enabled, effort, budget)


def made(enabled: bool | None, effort: str, budget: int | None) -> Thinking:
    """Build the setting for thinking. An effort such as `none`, and a budget of 0, switch it off."""
    if effort in _OFF or budget == 0:
        return Thinking(enabled=False)
    if enabled is None and (effort or budget is not None):
        enabled = True
    return Thinking(enabled=enabled, effort=effort if enabled else "", budget=budget if enabled else None)


def anthropic_thinking(given: Json, effort: str) -> Thinking:
    """Return what Anthropic's `thinking` says: `enabled` with `budget_tokens`, `adaptive` or `disabled`."""
    body = _object(given)
    return made(_switch(body.get("type")), effort, _count(body.get("budget_tokens")))


def ollama_thinking(given: Json) -> Thinking:
    """Return what Ollama's `think` says: whether, or how much."""
    return made(_flag(given), _text(given), None)


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Json) -> str:
    return value if isinstance(value, str) and len(value) <= 40 else ""


def _flag(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _switch(value: Json) -> bool | None:
    return {"enabled": True, "adaptive": True, "disabled": False}.get(_text(value))


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _first(*values: _T | None) -> _T | None:
    return next((value for value in values if value is not None), None)

"""Say in Anthropic's fields how much a model is to think. Pure.

Models up to 4.5 take a budget of tokens (`thinking.budget_tokens`), later ones decide themselves and take a word for
their effort (`output_config.effort`). Source: Anthropic's pages on extended and adaptive thinking.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.core.document import JsonObject

_OFF = ("none", "off", "disabled")
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_BUDGETS = {"low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768, "max": 65_536}  # tokens
_NO_THOUGHTS = re.compile(r"claude-(?:2|instant|3(?!-7))")
_BUDGETED = re.compile(r"claude-(?:3-7|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?=$|[-@:](?:\d{8}|latest|v\d)))")


def thinking_fields(document: JsonObject, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `thinking` and `output_config`: as the client wrote them, else what its effort means for the model.

    Args:
        document: The chat document.
        fields: What the request has so far: model, tools, messages, limit.
    """
    own, config, effort = document.get("thinking"), document.get("output_config"), document.get("reasoning_effort")
    if isinstance(own, Mapping) or isinstance(config, Mapping):
        made: dict[str, Any] = {}
        if isinstance(own, Mapping):
            made["thinking"] = _within(own, fields["max_tokens"])
        if isinstance(config, Mapping) and config.get("effort"):
            made["output_config"] = {"effort": config["effort"]}
        return made
    model = str(fields["model"])
    if not isinstance(effort, str) or _NO_THOUGHTS.search(model):
        return {}
    if effort in _OFF:
        return {"thinking": {"type": "disabled"}}
    word = _EFFORTS.get(effort)
    if word is None:
        return {}
    if not _BUDGETED.search(model):
        return {"output_config": {"effort": word}}
    if fields.get("tool_choice", {}).get("type") in ("any", "tool") or _thoughtless(fields["messages"]):
        return {}
    # The budget is a part of the limit, which stays what the client set.
    budget = min(_BUDGETS[word], fields["max_tokens"] // 2)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget >= _BUDGETS["low"] else {}


def _within(own: JsonObject, limit: int) -> JsonObject:
    """Return what the client says with a budget below the limit, which a policy may have lowered."""
    budget = own.get("budget_tokens")
    if not isinstance(budget, int | float) or budget < limit:
        return own
    return {**own, "budget_tokens": limit // 2} if limit // 2 >= _BUDGETS["low"] else {"type": "disabled"}


def _thoughtless(messages: list[dict[str, Any]]) -> bool:
    """Say whether the last turn of the model calls tools without the thoughts that this API then wants back."""
    last = next((message for message in reversed(messages) if message["role"] == "assistant"), None)
    kinds = [block["type"] for block in last["content"]] if last is not None else []
    return "tool_use" in kinds and kinds[0] not in ("thinking", "redacted_thinking")

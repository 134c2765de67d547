"""What a capable model says to questions that have one right answer, and to whatever it is told to say. Pure.

Suites that judge models ask for a sum, a name that was said before, a text to repeat. Everything here is read from the
conversation, as a model would: no question of a suite is known by heart but the capital of France.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
_EXACTLY = re.compile(r"(?:Say exactly|Repeat this text exactly, nothing else): (.+)", re.DOTALL)
_ORDERED = re.compile(r'reply with exactly the word "(\w+)"', re.IGNORECASE)
_SUM = re.compile(r"(\d+) ([*+]) (\d+)")
_ADDED = re.compile(r"Add (\d+) to your last answer")
_NAMED = re.compile(r"My name is (\w+)", re.IGNORECASE)
_FACTS = {"capital of France": "Paris"}
_THINK = re.compile("think it through|step by step", re.IGNORECASE)
_HARD = ("high", "xhigh")  # with less, a model that chooses for itself thinks only about what is hard
_THOUGHT = "Let me see what was asked, and what follows from it. "


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a model thinks and then says."""

    thought: str = ""
    text: str


def answer(document: Document, otherwise: str) -> Said:
    """Return what a model says to a conversation.

    Args:
        document: The body of a chat completion.
        otherwise: What it says to everything that has no right answer.
    """
    messages = document["messages"]
    said = _reply(messages, otherwise)
    if messages[-1]["role"] == "assistant":
        said = _rest(said, text_of(messages[-1]["content"]))
    return Said(thought=_thought(document), text=said)


def continued(prompt: str, otherwise: str) -> str:
    """Return what follows a text."""
    return next((f" {fact}." for asked, fact in _FACTS.items() if prompt.endswith(f"{asked} is")), otherwise)


def text_of(content: Any) -> str:
    """Return the text of a message, which may come in parts."""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content or ())


def prompt_of(document: Document) -> str:
    """Return all that a model reads of a chat completion, as one text."""
    return json.dumps([document.get("tools"), document["messages"]], ensure_ascii=False)


def _reply(messages: list[Document], otherwise: str) -> str:
    system = "\n".join(text_of(one["content"]) for one in messages if one["role"] in ("system", "developer"))
    told = [text_of(one["content"]) for one in messages if one["role"] == "user"]
    asked = told[-1] if told else ""
    if found := _ORDERED.search(system):
        return found.group(1)
    if found := _EXACTLY.search(asked):
        return found.group(1)
    if found := _SUM.search(asked):
        first, second = int(found.group(1)), int(found.group(3))
        return str(first * second if found.group(2) == "*" else first + second)
    if found := _ADDED.search(asked):
        answers = [text_of(one["content"]) for one in messages if one["role"] == "assistant"]
        return str(int(answers[-1]) + int(found.group(1)))
    if "my name" in asked and (named := _NAMED.findall("\n".join(told))):
        return str(named[-1])
    return next((fact for about, fact in _FACTS.items() if about in asked), otherwise)


def _rest(said: str, begun: str) -> str:
    """Return what is left to say of an answer that was begun already."""
    overlap = next((size for size in range(len(said), 0, -1) if begun.endswith(said[:size])), 0)
    return said[overlap:] or "."


def _thought(document: Document) -> str:
    """Return what is thought before the answer: something where much is asked for, and much for a long answer."""
    effort = document.get("reasoning_effort")
    if effort == "none" or (document.get("chat_template_kwargs") or {}).get("enable_thinking") is False:
        return ""
    asked = text_of(document["messages"][-1].get("content"))
    if effort not in _HARD and not _THINK.search(asked):
        return ""
    return _THOUGHT * (20 if "at length" in asked else 1)

"""Translate what providers' own tools did in a conversation, and tell the model which of them it does not have. Pure.

Chat messages know only calls of functions and their results, so a search or a program that a provider ran becomes such
a pair: any model can read it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.core.document import Json, encode
from gateway.wire.left_out import Shape, kept

_MOST_NAMED = 20
_NOTE = "These tools are not available here: {}. Work without them."
_KIND = (
    r"(?:web_search|web_fetch|file_search|code_interpreter|code_execution|image_generation|computer|computer_use|bash|text_editor|"
    r"str_replace_editor|str_replace_based_edit_tool|mcp|local_shell|shell|apply_patch|memory|tool_search|tool_search_tool)"
    r"(?:_preview|_regex|_bm25|_20[0-9]{2}_?[0-9]{2}_?[0-9]{2})*"
)
_KNOWN_NOTE = re.compile(re.escape(_NOTE).replace(r"\{\}", rf"{_KIND}(?:, {_KIND})*"))


def call(call_id: str, name: str, given: Json, shape: Shape) -> dict[str, Any]:
    """Return a call of a tool; `given` are its arguments, of which those in `shape` are told."""
    arguments = given if isinstance(given, str) else encode(kept(given, shape) or {}).decode()
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(call_id: str, given: Json, shape: Shape) -> dict[str, Any]:
    """Return what a tool answered, of which what is in `shape` is told: texts as they are, all else as JSON."""
    return {"role": "tool", "tool_call_id": call_id, "content": result_text(given, shape)}


def result_text(given: Json, shape: Shape) -> str:
    """Return what a tool answered as text, of which what is in `shape` is told."""
    given = kept(given, shape)
    if given is None or isinstance(given, str):
        return given or ""
    texts = [_text(item) for item in given] if isinstance(given, tuple) else [None]
    if all(text is not None for text in texts):
        return "\n".join(filter(None, texts))
    return encode(given).decode()


def _text(item: Json) -> str | None:
    text = item.get("text") if isinstance(item, Mapping) else None
    return text if isinstance(text, str) else None


def note(names: Iterable[str]) -> str:
    """Return what a model is told of tools that a client offers and nobody here can run; empty if there are none."""
    known = list(dict.fromkeys(names))[:_MOST_NAMED]
    return _NOTE.format(", ".join(known)) if known else ""


def without_note(text: str) -> str:
    """Return a text without such a note at its end: behind a system prompt it is one text with it."""
    at = text.rfind(_NOTE.partition("{")[0])
    return text[:at].rstrip("\n") if at >= 0 and is_note(text[at:]) else text


def is_note(text: str) -> bool:
    """Tell whether a text is such a note, of tools that providers have: no word of it is a client's."""
    return _KNOWN_NOTE.fullmatch(text) is not None

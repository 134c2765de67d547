"""Parser of tool calls in an answer: Hermes and Qwen (`<tool_call>{…}</tool_call>`), Llama 3 (all of it is JSON). Pure.

What could be a call is held back until it is complete. What turns out to be none is given out as text, unchanged.
"""

import json
from collections.abc import Sequence

import msgspec

from gateway.local.embedded.text.detokenizer import overlap

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_PYTHON_TAG = "<|python_tag|>"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Complete tool call. `arguments` is JSON text."""

    name: str
    arguments: str


class ToolCallReader:
    """Reader of one answer. `names` are the tools that may be called; calls of others stay text."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._held = ""
        self._begun = False  # text was given out: the answer as a whole is no bare JSON
        self._bare = False
        self._after_call = False  # newlines between calls are no text

    def feed(self, text: str) -> list[str | Call]:
        """Return text and calls that are complete now."""
        self._held += text
        if not self._begun:
            start = self._held.lstrip()
            if not start or (_PYTHON_TAG.startswith(start[: len(_PYTHON_TAG)]) and len(start) < len(_PYTHON_TAG)):
                return []
            self._bare = start.startswith(("{", _PYTHON_TAG))
            self._begun = True
        return [] if self._bare else self._blocks()

    def flush(self) -> list[str | Call]:
        """Return what is left at the end of the answer."""
        if self._bare:
            calls = self._bare_calls()
            if calls:
                self._held = ""
                return list(calls)
        result = self._blocks()
        if self._held.startswith(_OPEN):  # the closing tag is missing: models end their turn there
            call = self._call(self._held[len(_OPEN) :])
            if call is not None:
                self._held = ""
                result.append(call)
        if self._held:
            result.append(self._held)
        self._held = ""
        return result

    def _blocks(self) -> list[str | Call]:
        result: list[str | Call] = []
        while self._held:
            if self._after_call:
                self._held = self._held.lstrip("\n")
                self._after_call = not self._held
            start = self._held.find(_OPEN)
            if start < 0:
                keep = overlap(self._held, _OPEN)
                result.append(self._held[: len(self._held) - keep])
                self._held = self._held[len(self._held) - keep :]
                break
            end = self._held.find(_CLOSE, start)
            result.append(self._held[:start])
            if end < 0:
                self._held = self._held[start:]
                break
            call = self._call(self._held[start + len(_OPEN) : end])
            block = self._held[start : end + len(_CLOSE)]
            result.append(call if call is not None else block)
            self._held = self._held[end + len(_CLOSE) :]
            self._after_call = call is not None
        return [item for item in result if item != ""]

    def _bare_calls(self) -> list[Call]:
        text = self._held.strip().removeprefix(_PYTHON_TAG).strip()
        calls: list[Call] = []
        decoder = json.JSONDecoder()
        while text:
            try:
                value, end = decoder.raw_decode(text)
            except ValueError:
                return []
            call = self._of(value)
            if call is None:
                return []
            calls.append(call)
            text = text[end:].lstrip(" \n;")
        return calls

    def _call(self, text: str) -> Call | None:
        try:
            return self._of(json.loads(text))
        except ValueError:
            return None

    def _of(self, value: object) -> Call | None:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str) or value["name"] not in self._names:
            return None
        arguments = value.get("arguments", value.get("parameters", {}))
        if isinstance(arguments, str):
            return Call(name=value["name"], arguments=arguments)
        return Call(name=value["name"], arguments=json.dumps(arguments, ensure_ascii=False))

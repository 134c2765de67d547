"""Grow one assistant's turn of Anthropic's API into chat messages. Pure.

A turn in which the provider ran tools itself has their calls and results inside; a chat has them in messages that
follow one another. Calls that the client answers come last, before its own turn.
"""

from typing import Any

from gateway.core.provider_fields import ANTHROPIC, FIELD, NATIVE, sealed, signed

_NO_RESULT = "The tool gave no result."


class AssistantTurn:
    """Messages of one assistant's turn while its blocks are read. `apart`: its texts stay parts of their own."""

    def __init__(self, *, apart: bool = False) -> None:
        self._apart = apart
        self._done: list[dict[str, Any]] = []
        self._texts: list[dict[str, Any]] = []
        self._thoughts: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._provider_calls: list[dict[str, Any]] = []
        self._calls: list[dict[str, Any]] = []
        self._open: dict[str, None] = {}  # calls of the provider that have no result yet

    def said(self, part: dict[str, Any]) -> None:
        """Take a part that is a text."""
        self._texts.append(part)

    def thought(self, text: str, signature: str = "") -> None:
        """Take a piece of thinking, with the signature of whoever thought it."""
        self._thoughts.append(text)
        if signature:
            self._details.append(signed(text, signature, len(self._details)))

    def sealed(self, data: str) -> None:
        """Take a piece of thinking that its provider alone can read."""
        self._details.append(sealed(data, ANTHROPIC, len(self._details)))

    def called(self, call: dict[str, Any]) -> None:
        """Take a call that the client answers in its next turn."""
        self._calls.append(call)

    def provider_called(self, call: dict[str, Any]) -> None:
        """Take a call that the provider ran itself."""
        self._provider_calls.append(call)
        self._open[call["id"]] = None

    def provider_answered(self, result: dict[str, Any], tool: str) -> None:
        """Take the result of such a call; one whose call is missing gets a call of `tool`."""
        if result["tool_call_id"] not in self._open:
            self.provider_called(
                {"id": result["tool_call_id"], "type": "function", "function": {"name": tool, "arguments": "{}"}}
            )
        if self._provider_calls:
            self._close(self._provider_calls)
            self._provider_calls = []
        del self._open[result["tool_call_id"]]
        self._done.append(result)

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages; at least one of the assistant's."""
        if self._provider_calls:
            self._close(self._provider_calls)
        for call_id in self._open:
            self._done.append({"role": "tool", "tool_call_id": call_id, "content": _NO_RESULT, NATIVE: {"block": None}})
        if self._texts or self._thoughts or self._details or self._calls or not self._done:
            self._close(self._calls)
        return self._done

    def _close(self, calls: list[dict[str, Any]]) -> None:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self._content() if self._texts or not calls else None,
        }
        if self._thoughts:
            message["reasoning_content"] = "\n".join(self._thoughts)
        if self._details:
            message[FIELD] = self._details
        if calls:
            message["tool_calls"] = calls
        self._done.append(message)
        self._texts, self._thoughts, self._details = [], [], []

    def _content(self) -> str | list[dict[str, Any]]:
        if self._apart and self._texts:
            return self._texts
        return "\n".join([part["text"] for part in self._texts])

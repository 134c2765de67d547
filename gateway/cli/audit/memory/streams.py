"""Answers read while they are being given: what a client already has when it asks the next thing."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gateway.cli.audit.cases import AuditCase
from gateway.cli.audit.client import AuditClient

_SECONDS = 20.0


class OpenAnswer:
    """Answer that is still coming. `words` is the text so far; of several choices, the first one's."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._came = b""

    @property
    def words(self) -> str:
        """Return the text of all whole events so far."""
        return _text(self._came.decode("utf-8", "replace"))

    def read(self, letters: int, seconds: float = _SECONDS) -> str:
        """Read until the text has so many letters, or the answer ends or halts, and return the text."""
        self._connection.settimeout(seconds)
        with suppress(OSError):
            while len(self.words) < letters and (piece := self._connection.recv(1 << 16)):
                self._came += piece
        return self.words

    def finish(self, seconds: float = _SECONDS) -> str:
        """Read to the end, and return the text."""
        return self.read(1 << 30, seconds)


@contextmanager
def open_answer(asking: AuditClient, case: AuditCase) -> Iterator[OpenAnswer]:
    """Send a request, and give its answer as it comes; hang up when the context ends."""
    with asking.connect() as connection:
        connection.sendall(asking.raw(case))
        yield OpenAnswer(connection)


def _text(stream: str) -> str:
    return "".join(_said(line) for line in stream.split("\n")[:-1])


def _said(line: str) -> str:
    """Return the text in one line of a stream, in any of the dialects."""
    start = line.find("{")
    if start < 0 or (line[:start] and not line.startswith("data:")):
        return ""
    try:
        event = json.loads(line[start:])
    except ValueError:
        return ""
    if not isinstance(event, dict):
        return ""
    for choice in event.get("choices") or ():
        if choice.get("index", 0) == 0:
            return str(choice.get("text") or (choice.get("delta") or {}).get("content") or "")
    return _other(event)


def _other(event: dict[str, Any]) -> str:
    match event:
        case {"delta": str(text), "type": "response.output_text.delta"}:  # Responses
            return text
        case {"delta": {"text": str(text)}}:  # Anthropic
            return text
        case {"message": {"content": str(text)}, "done": _}:  # Ollama's chat
            return text
        case {"response": str(text), "done": _}:  # Ollama's generate
            return text
        case _:
            return ""

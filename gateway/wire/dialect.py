"""The two ways in which every dialect answers, as the server uses them: streamed and whole. Pure."""

from typing import Protocol

from gateway.core.delta import Delta
from gateway.core.errors import AduanaError


class AnswerStream(Protocol):
    """Encoder of one streamed answer: `start`, then `encode` for each delta, then either `end` or `error`."""

    def start(self) -> bytes:
        """Return what comes before the first delta."""
        ...

    def encode(self, delta: Delta) -> bytes:
        """Return the bytes for one delta; empty if the dialect has none for it."""
        ...

    def end(self) -> bytes:
        """Return what comes behind a complete answer; raises TargetProtocolError if it is not complete."""
        ...

    def error(self, error: AduanaError) -> bytes:
        """Return what ends an answer that failed after it had begun; empty if the dialect has no words for it."""
        ...


class AnswerAssembly(Protocol):
    """Collector of one whole answer: `add` for each delta, then `body`."""

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        ...

    def body(self) -> bytes:
        """Return the whole answer; raises TargetProtocolError if it is not complete."""
        ...

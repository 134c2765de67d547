"""What every dialect offers for answers: the shapes that the server works with, whoever the client is. Pure."""

from typing import Protocol

from gateway.core.delta import Delta
from gateway.core.errors import AduanaError


class AnswerStream(Protocol):
    """Encodes one streamed answer: `start`, then `encode` for each delta, then either `end` or `error`."""

    def start(self) -> bytes: ...
    def encode(self, delta: Delta) -> bytes: ...
    def end(self) -> bytes: ...
    def error(self, error: AduanaError) -> bytes: ...


class AnswerAssembly(Protocol):
    """Puts one whole answer together: `add` for each delta, then `body`."""

    def add(self, delta: Delta) -> None: ...
    def body(self) -> bytes: ...

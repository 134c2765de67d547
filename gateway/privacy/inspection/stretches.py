"""Texts of one message, read as the one text that a model takes them for. Pure.

A mark for a cache, or an app's habit, divides a message into parts. INVARIANT: what would be found in a message in one
piece is found in its parts as well: "my password is" may stand in one, and the password in the next.
"""

from collections.abc import Iterator

import msgspec

from gateway.core.document import Json, JsonObject, is_object

NEAR = 2_048  # characters on both sides of an edge between parts that are read together


class Piece(msgspec.Struct, frozen=True):
    """Text of a part, or the end of a long one: where it stands, and at which of the part's characters it begins."""

    path: str
    start: int
    text: str


class Stretch(msgspec.Struct, frozen=True):
    """Pieces of one message that follow each other, line by line."""

    path: str  # of the message's content
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """Return what they say together."""
        return "\n".join([piece.text for piece in self.pieces])

    def place(self, start: int, end: int) -> tuple[str, int, int]:
        """Return path, start and end of a place of `text` in the part that holds it; without a span where none does."""
        for piece in self.pieces:
            if start >= 0 and end <= len(piece.text):
                return piece.path, piece.start + start, piece.start + end
            start, end = start - len(piece.text) - 1, end - len(piece.text) - 1
        return self.path, 0, 0


def stretches(document: JsonObject) -> Iterator[Stretch]:
    """Yield what stands around the edges between the texts of each message; of long texts only their ends."""
    messages = document.get("messages")
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        content = message.get("content") if is_object(message) else None
        if isinstance(content, tuple) and len(content) > 1:
            path = f"$.messages[{number}].content"
            yield from _around(path, [*_texts(content, path)])


def _texts(content: tuple[Json, ...], path: str) -> Iterator[Piece]:
    for index, part in enumerate(content):
        text = part.get("text") if is_object(part) else None
        if isinstance(text, str) and text:
            yield Piece(f"{path}[{index}].text", 0, text)


def _around(path: str, pieces: list[Piece]) -> Iterator[Stretch]:
    found: list[Piece] = []
    for piece in pieces:
        if len(piece.text) <= 2 * NEAR:
            found.append(piece)
            continue
        yield from _stretch(path, [*found, Piece(piece.path, 0, piece.text[:NEAR])])
        found = [Piece(piece.path, len(piece.text) - NEAR, piece.text[-NEAR:])]
    yield from _stretch(path, found)


def _stretch(path: str, pieces: list[Piece]) -> Iterator[Stretch]:
    if len(pieces) > 1:
        yield Stretch(path, tuple(pieces))

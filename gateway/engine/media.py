"""Pictures and sounds inside a prompt: which of its tokens stand for them. Pure data.

A part of a picture takes a run of tokens like a word does, but it has no token ids: the run holds negative numbers made
of the hash of the picture's bytes. So two prompts share a picture, in a slot or in the prompt cache, exactly where they
share the numbers, and nothing but the bytes decides that.
"""

import array
import hashlib
from collections.abc import Sequence

import msgspec

_HASH = 16  # bytes
_SIGN = -(2**31)


class MediaSpan(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Run of tokens of a prompt that stands for one part of a picture or sound.

    `positions`: how far it moves what follows; fewer than its tokens where a model counts rows and columns (M-RoPE).
    """

    start: int
    tokens: int
    positions: int
    medium: int  # which of the request's media
    part: int  # which part of it

    @property
    def end(self) -> int:
        """Index of the token behind it."""
        return self.start + self.tokens


class Piece(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Piece of what stands in a prompt for one picture or sound: token ids around it, or a part of it.

    `text`: packed ids of tokens that the model wants there; empty: a part, of `tokens` and `positions`.
    """

    text: bytes = b""
    tokens: int = 0
    positions: int = 0


def digest_of(data: bytes) -> bytes:
    """Return the hash that identifies a picture or sound by its bytes."""
    return hashlib.blake2b(data, digest_size=_HASH).digest()


def numbers_of(digest: bytes, part: int, count: int) -> "array.array[int]":
    """Return the negative numbers that stand in a prompt for one part of a picture."""
    stream = hashlib.shake_128(digest + part.to_bytes(4, "little")).digest(4 * count)
    numbers = array.array("i")
    numbers.frombytes(stream)
    return array.array("i", [number | _SIGN for number in numbers])


def shift_before(spans: Sequence[MediaSpan], index: int) -> int:
    """Return how many positions fewer than tokens stand before a token of a prompt."""
    return sum(span.tokens - span.positions for span in spans if span.end <= index)


def whole(prompt: "array.array[int]", length: int) -> int:
    """Return the most of `length` leading tokens that ends in no picture: its parts can't be cut."""
    while 0 < length < len(prompt) and prompt[length] < 0 and prompt[length - 1] < 0:
        length -= 1
    return length


def without_media(tokens: "array.array[int]", spans: Sequence[MediaSpan]) -> "array.array[int]":
    """Return the tokens that are text."""
    return array.array("i", [token for token in tokens if token >= 0]) if spans else tokens

"""Read from an answer what Anthropic's API alone has, so that its clients get it back where it was. Pure.

Signatures and sealed thoughts stand in `reasoning_details`, whichever server sent them; blocks and pieces of other
kinds stand in fields that only a target of this API fills.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from gateway.core.delta import Extra
from gateway.core.document import Json, thaw
from gateway.core.provider_fields import ANTHROPIC, BLOCKS, DELTAS, details_of


class Signature(msgspec.Struct, frozen=True):
    """Signature of the thought before it."""

    signature: str


class OwnBlock(msgspec.Struct, frozen=True):
    """Block of the answer, whole."""

    fields: dict[str, Any]


class OwnDelta(msgspec.Struct, frozen=True):
    """Piece of the text before it, such as a citation."""

    fields: dict[str, Any]


OwnPiece: TypeAlias = Signature | OwnBlock | OwnDelta


def own_pieces(extra: Extra) -> Iterator[OwnPiece]:
    """Yield what an answer's fields say in this API."""
    for detail in details_of(extra.fields, ANTHROPIC):
        signature, data = detail.get("signature"), detail.get("data")
        if isinstance(data, str) and data:
            yield OwnBlock({"type": "redacted_thinking", "data": data})
        elif isinstance(signature, str) and signature:
            yield Signature(signature)
    for block in _objects(extra.fields.get(BLOCKS)):
        yield OwnBlock(block)
    for piece in _objects(extra.fields.get(DELTAS)):
        yield OwnDelta(piece)


def _objects(given: Json) -> Iterator[dict[str, Any]]:
    for item in given if isinstance(given, tuple) else ():
        if isinstance(item, Mapping):
            whole = thaw(item)
            assert isinstance(whole, dict)
            yield whole

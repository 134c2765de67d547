"""What the scheduler tells the worker to do: tokens to compute and operations on cached sequences. Pure data."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from gateway.engine.media import MediaSpan


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive tokens of one sequence. The last `outputs` get logits; the last `drafted` are draft tokens.

    `span`: they stand for this part of a picture, and are the whole of it. `shift`: how many positions fewer than
    tokens stand before them.
    """

    slot: int
    position: int
    tokens: Sequence[int]
    outputs: int = 0
    request: int = -1
    drafted: int = 0
    shift: int = 0
    span: MediaSpan | None = None


class Trim(msgspec.Struct, frozen=True):
    """Operation: forget a sequence from position `length` on."""

    slot: int
    length: int


class Copy(msgspec.Struct, frozen=True):
    """Operation: make the first `length` tokens of `source` the sequence `destination`."""

    source: int
    destination: int
    length: int


class Swap(msgspec.Struct, frozen=True):
    """Operation: exchange two sequences."""

    one: int
    other: int


class Save(msgspec.Struct, frozen=True):
    """Operation: keep a sequence's state under `key`, outside the KV memory."""

    slot: int
    key: int


class Restore(msgspec.Struct, frozen=True):
    """Operation: make the first `length` tokens of a kept state a sequence."""

    key: int
    slot: int
    length: int


class Drop(msgspec.Struct, frozen=True):
    """Operation: forget a kept state."""

    key: int


class Demote(msgspec.Struct, frozen=True):
    """Operation: move a kept state from RAM to disk."""

    key: int


CacheOp: TypeAlias = Trim | Copy | Swap | Save | Restore | Drop | Demote


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Cache operations, in order, then one batch: only prompts or only single tokens, rows sorted by slot."""

    cache_ops: tuple[CacheOp, ...]
    rows: tuple[Row, ...]
    prefill: bool

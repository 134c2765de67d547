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
    """Operation: keep the first `length` tokens of a sequence, which end at `position`, and forget the rest.

    Here and below a position is less than a length where a picture stands before it (M-RoPE).
    """

    slot: int
    length: int
    position: int


class Keep(msgspec.Struct, frozen=True):
    """Operation: keep a checkpoint of a sequence, as it is now, under `key`."""

    slot: int
    key: int


class Forget(msgspec.Struct, frozen=True):
    """Operation: forget a checkpoint."""

    key: int


class Rewind(msgspec.Struct, frozen=True):
    """Operation: take a sequence back to its first `length` tokens, where the checkpoint `key` was kept."""

    slot: int
    length: int
    position: int
    key: int


class Copy(msgspec.Struct, frozen=True):
    """Operation: make the first `length` tokens of `source` the sequence `destination`.

    `checkpoint`: key of the one that was kept at that length, where the memory can't be cut back; 0: it can.
    """

    source: int
    destination: int
    length: int
    position: int
    checkpoint: int = 0


class Swap(msgspec.Struct, frozen=True):
    """Operation: exchange two sequences."""

    one: int
    other: int


class Save(msgspec.Struct, frozen=True):
    """Operation: keep a sequence's state under `key`, outside the KV memory, and checkpoints: lengths and keys."""

    slot: int
    key: int
    checkpoints: tuple[tuple[int, int], ...] = ()


class Restore(msgspec.Struct, frozen=True):
    """Operation: make the first `length` tokens of a kept state a sequence.

    `rewinds`: by the checkpoint of that length. `checkpoints`: those that the slot gets, lengths and keys.
    """

    key: int
    slot: int
    length: int
    position: int
    rewinds: bool = False
    checkpoints: tuple[tuple[int, int], ...] = ()


class Drop(msgspec.Struct, frozen=True):
    """Operation: forget a kept state."""

    key: int


class Demote(msgspec.Struct, frozen=True):
    """Operation: move a kept state from RAM to disk."""

    key: int


CacheOp: TypeAlias = Trim | Keep | Forget | Rewind | Copy | Swap | Save | Restore | Drop | Demote


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Cache operations, in order, then one batch: only prompts or only single tokens, rows sorted by slot."""

    cache_ops: tuple[CacheOp, ...]
    rows: tuple[Row, ...]
    prefill: bool

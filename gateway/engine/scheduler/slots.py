"""Choose the slot of a new sequence, and what of the cached sequences it can take over. Pure.

All costs are in one unit: prompt tokens to compute.
"""

from array import array
from collections.abc import Sequence

import msgspec
import numpy as np

from gateway.engine.media import whole
from gateway.engine.sequence_memory import Extent, SequenceMemory, as_state

COPY_COST = 1 / 16  # copying a cached token, measured against computing it
_TAIL_LOSS = 0.5  # overwriting a cached token of the sequence that is taken over
_ANSWER_LOSS = 0.05  # the same where it is the last answer, of the very conversation that goes on
_SLACK = 32  # one of so many tokens, at the end of a prompt, may be another one once an answer stands behind it
_LOSS = 0.1  # overwriting a cached token of the sequence that was used last; less for older ones
_GAP_LOSS = 48.0  # active slots that are not neighbours need one more pass over the weights each step
Tokens = array  # of type code "i"


class Slot(msgspec.Struct, kw_only=True):
    """One sequence of the KV memory. `tokens` is what it holds; `request` the one that is using it."""

    tokens: "array[int]" = msgspec.field(default_factory=lambda: array("i"))
    isolation: str = ""
    prompt: int = 0  # how many of the tokens the last request brought; behind them stands its answer
    request: int | None = None
    used: int = 0  # counts up; larger is more recent
    moved: int = 0  # how many tokens were put here as a state, not computed here
    written: int = 0  # those, and all that were computed here since, also what was cut off again
    checkpoints: dict[int, int] = {}  # length → key

    @property
    def extent(self) -> Extent:
        """Length of what it holds, and of what it held."""
        return Extent(length=len(self.tokens), moved=self.moved, written=self.written)


def goes_on(slot: Slot, kept: int) -> bool:
    """Say whether a prompt that keeps so many tokens of a slot goes on with its conversation: only an answer is lost.

    Apps leave out what a model thought, and text that was generated reads as other tokens now and then.
    """
    return kept >= max(1, slot.prompt - slot.prompt // _SLACK)


class SlotChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Choice of a slot, where `reuse` tokens are kept; with `source`, copied from that slot first."""

    slot: int
    reuse: int
    source: int | None = None


def common_prefix(one: "array[int]", other: "array[int]") -> int:
    """Count the leading tokens that are equal."""
    length = min(len(one), len(other))
    if length == 0 or one[0] != other[0]:
        return 0
    different = np.frombuffer(one, np.int32, length) != np.frombuffer(other, np.int32, length)
    first = int(different.argmax())
    return first if different[first] else length


def shared_prefix(held: "array[int]", prompt: "array[int]") -> int:
    """Count the leading tokens of `prompt` that need not be computed where `held` is.

    Pictures count whole or not at all, and the last token is always computed anew.
    """
    return whole(prompt, min(common_prefix(held, prompt), len(prompt) - 1))


class Reusable(msgspec.Struct, frozen=True, kw_only=True):
    """What of a new prompt the slots hold: for each slot, how many of its leading tokens."""

    common: list[int]  # the same tokens stand there
    kept: list[int]  # they can be kept in that slot
    copied: list[int]  # they can be copied from it


def reusable(slots: Sequence[Slot], prompt: "array[int]", isolation: str, memory: SequenceMemory) -> Reusable:
    """Count what each slot holds of a prompt. The last token is always computed anew."""
    none = [0] * len(slots)
    found = Reusable(common=none, kept=none[:], copied=none[:])
    for number, slot in enumerate(slots):
        if slot.isolation == isolation:
            common = shared_prefix(slot.tokens, prompt)
            found.common[number] = common
            found.kept[number] = memory.usable(common, slot.extent, slot.checkpoints)
            found.copied[number] = memory.usable(common, as_state(len(slot.tokens)), slot.checkpoints)
    return found


def select_slot(slots: Sequence[Slot], kept: Sequence[int], copied: Sequence[int], minimum: int) -> SlotChoice | None:
    """Choose the best free slot. None: all are busy.

    Args:
        slots: all of them.
        kept: tokens of the new sequence that each slot can keep.
        copied: tokens of it that can be copied from each slot.
        minimum: the shortest prefix worth a copy.
    """
    free = [number for number, slot in enumerate(slots) if slot.request is None]
    if not free:
        return None
    source = max(range(len(slots)), key=lambda number: (copied[number], -number))
    by_age = sorted(free, key=lambda number: slots[number].used)
    recency = {number: rank / max(1, len(free) - 1) for rank, number in enumerate(by_age)}
    busy = {number for number, slot in enumerate(slots) if slot.request is not None}

    best: tuple[float, SlotChoice] | None = None
    for number in by_age:
        held = len(slots[number].tokens)
        gap = _GAP_LOSS if busy and not ({number - 1, number + 1} & busy) else 0.0
        reuse = kept[number]
        if goes_on(slots[number], reuse):
            lost = _ANSWER_LOSS * (held - reuse)
        else:
            lost = _TAIL_LOSS * (held - reuse) * (reuse > 0) + _loss(held - reuse, recency[number])
        options: list[tuple[float, int, int | None]] = [(reuse - lost, reuse, None)]
        if source != number and copied[source] >= minimum:
            gain = copied[source] * (1 - COPY_COST) - _loss(held, recency[number])
            options.append((gain, copied[source], source))
        for value, taken, origin in options:
            if best is None or value - gap > best[0]:
                best = (value - gap, SlotChoice(slot=number, reuse=taken, source=origin))
    return best[1] if best else None


def _loss(tokens: int, recency: float) -> float:
    return tokens * _LOSS * (0.2 + 0.8 * recency)


def compaction(slots: Sequence[Slot]) -> tuple[int, int] | None:
    """Return a busy slot and a hole among the busy ones to swap it with, so that fewer gaps remain. None: no gaps.

    llama.cpp computes slots together only where their numbers are consecutive.
    """
    busy = [number for number, slot in enumerate(slots) if slot.request is not None]
    if len(busy) < 2 or busy[-1] - busy[0] == len(busy) - 1:
        return None
    width = len(busy)

    def outside(start: int) -> int:
        return sum(len(slots[number].tokens) + 1 for number in busy if not start <= number < start + width)

    start = min(range(len(slots) - width + 1), key=outside)
    window = range(start, start + width)
    mover = min((number for number in busy if number not in window), key=lambda number: len(slots[number].tokens))
    hole = min(
        (number for number in window if slots[number].request is None), key=lambda number: len(slots[number].tokens)
    )
    return mover, hole

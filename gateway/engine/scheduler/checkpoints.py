"""Decide where a prompt is interrupted for a checkpoint, and which checkpoints are kept. Pure.

A running state or a sliding window can't be cut back: to continue from an earlier place, the part of the memory that
was overwritten must have been kept as it was there. Texts part at the ends of messages, at the end of a prompt, and
where others have parted from them before.
"""

from array import array
from collections.abc import Collection, Iterable, Sequence

from gateway.engine.scheduler.slots import Slot
from gateway.engine.scheduler.step import CacheOp, Forget, Keep
from gateway.engine.sequence_memory import SequenceMemory

_TAIL = 4  # tokens before the end of a prompt: the last ones may read otherwise once an answer stands behind them
_NEAR = 8  # tokens: two checkpoints that are closer are not worth a step of their own
_LAST = 2  # ends of messages before the end of the prompt that always get one
_MOST = 16  # checkpoints of one sequence
_MOVED = 4  # checkpoints that leave a slot together with its sequence


def marks(prompt: "array[int]", start: int, ends: Collection[int], every: int, memory: SequenceMemory) -> list[int]:
    """Return the lengths at which reading a prompt is interrupted, for a checkpoint there; ascending.

    Where a sequence can be cut back in its place, only what copies and sequences that were moved out go on from: the
    first message and the end.

    Args:
        prompt: all its tokens.
        start: how many of them are read already.
        ends: tokens that end a message.
        every: most tokens between two checkpoints.
        memory: what the model's memory can do.
    """
    closed = [place + 1 for place, token in enumerate(prompt) if token in ends]
    last = len(prompt) - _TAIL
    wanted = {*closed[:1], last}
    if memory.slack is not None:
        wanted.update(length for length in closed[-_LAST:] if last - length >= _NEAR)
        for length in [*closed[1:-_LAST], *range(start + every, last, every)]:
            if all(abs(length - other) >= every for other in (start, *wanted)):
                wanted.add(length)
    found: list[int] = []
    for length in sorted(wanted):
        if start < length <= last:
            # Right behind what is there already, the checkpoint is taken before anything is read.
            found.append(start if start and length - start < _NEAR else length)
    return sorted(set(found))


def thinned(lengths: Iterable[int], most: int) -> list[int]:
    """Return at most so many of these lengths: the first and the last ones, and others far from their neighbours."""
    kept = sorted(lengths)
    while len(kept) > most:
        inner = range(1, max(2, len(kept) - _LAST))
        place = min(inner, key=lambda place: kept[place + 1] - kept[place - 1]) if len(kept) > _LAST else 0
        del kept[place]
    return kept


class CheckpointIndex:
    """Index of the checkpoints of all slots, with room for `capacity` of them. Slots may share one."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._holders: dict[int, int] = {}  # key → slots that hold it
        self._next = 0

    def __len__(self) -> int:
        return len(self._holders)

    def take(self, number: int, length: int, slots: Sequence[Slot]) -> list[CacheOp]:
        """Take one of a slot that holds `length` tokens. Return what is to be done for it, in order."""
        slot = slots[number]
        if length in slot.checkpoints or not self._capacity:
            return []
        self._next += 1
        slot.checkpoints[length] = self._next
        self._holders[self._next] = 1
        return [Keep(number, self._next), *self._thin(slot, _MOST), *self._make_room(slot, slots)]

    def cut(self, slot: Slot, length: int) -> list[CacheOp]:
        """Forget those of a slot beyond `length`."""
        return self._drop(slot, [other for other in slot.checkpoints if other > length])

    def share(self, source: Slot, destination: Slot, length: int) -> list[CacheOp]:
        """Give a slot those of another one up to `length`, in place of its own."""
        given = {other: key for other, key in source.checkpoints.items() if other <= length}
        for key in given.values():
            self._holders[key] += 1
        forgotten = self._drop(destination, list(destination.checkpoints))
        destination.checkpoints.update(given)
        return forgotten

    def leaving(self, slot: Slot) -> tuple[tuple[int, int], ...]:
        """Return those that leave the slot together with its sequence: lengths and keys."""
        return tuple((length, slot.checkpoints[length]) for length in thinned(slot.checkpoints, _MOVED))

    def brought(self, number: int, lengths: Iterable[int], slots: Sequence[Slot]) -> list[tuple[int, int]]:
        """Give keys to those that came back together with a sequence, as far as there is room."""
        slot = slots[number]
        for length in lengths:
            if len(self._holders) < self._capacity:
                self._next += 1
                slot.checkpoints[length] = self._next
                self._holders[self._next] = 1
        return list(slot.checkpoints.items())

    def _drop(self, slot: Slot, lengths: Iterable[int]) -> list[CacheOp]:
        forgotten: list[CacheOp] = []
        for length in lengths:
            key = slot.checkpoints.pop(length)
            self._holders[key] -= 1
            if not self._holders[key]:
                del self._holders[key]
                forgotten.append(Forget(key))
        return forgotten

    def _thin(self, slot: Slot, most: int) -> list[CacheOp]:
        kept = thinned(slot.checkpoints, most)
        return self._drop(slot, [length for length in slot.checkpoints if length not in kept])

    def _make_room(self, needed: Slot, slots: Sequence[Slot]) -> list[CacheOp]:
        """Evict what is too much: of the slot that was idle for longest, else of the one with most."""
        forgotten: list[CacheOp] = []
        while len(self._holders) > self._capacity:
            holding = [slot for slot in slots if len(slot.checkpoints) > (slot is needed)]
            if not holding:
                break
            victim = min(holding, key=lambda slot: (slot.request is not None, slot.used, -len(slot.checkpoints)))
            forgotten += self._thin(victim, len(victim.checkpoints) - 1)
        return forgotten

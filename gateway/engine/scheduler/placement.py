"""Find the best place for a new sequence, and say what becomes of what lay there. Pure.

Owns the slots, the index of the prompt cache and that of the checkpoints.
"""

from array import array
from collections.abc import Collection, Iterable

import msgspec

from gateway.engine.scheduler.checkpoints import CheckpointIndex, marks
from gateway.engine.scheduler.prompt_cache import PromptCacheIndex
from gateway.engine.scheduler.sequence import Sequence
from gateway.engine.scheduler.slots import Reusable, Slot, SlotChoice, goes_on, reusable, select_slot
from gateway.engine.scheduler.step import CacheOp, Copy, Drop, Restore, Rewind, Row, Trim
from gateway.engine.sequence_memory import SequenceMemory, as_state

_WORTH_KEEPING = 64  # tokens: moving fewer out of the KV memory and back gains nothing
_PARTED = 64  # tokens: a checkpoint where texts have parted before saves at least so many next time


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What of a sequence is there already: in slots, and in the prompt cache `cached` tokens under `key`."""

    slots: Reusable
    key: int = 0
    cached: int = 0

    @property
    def from_cache(self) -> bool:
        """Whether the prompt cache has clearly more of it than any slot."""
        return self.cached - max(*self.slots.kept, *self.slots.copied) >= _WORTH_KEEPING


class Placement:
    """Owner of the slots, and of what is kept of sequences outside them."""

    def __init__(
        self,
        slots: int,
        prompt_cache: PromptCacheIndex,
        *,
        memory: SequenceMemory,
        prefix_minimum: int,
        ends: Collection[int],
        checkpoints: int,
        checkpoint_every: int,
    ) -> None:
        self.slots = [Slot() for _ in range(slots)]
        self.prompt_cache = prompt_cache
        self._memory = memory
        self._minimum = prefix_minimum
        self._ends = ends
        self._every = checkpoint_every
        self.checkpoints = CheckpointIndex(checkpoints if memory.window is not None else 0)
        self.takes_checkpoints = memory.window is not None and checkpoints > 0

    def fit(self, sequence: Sequence) -> Fit:
        """Return how much of a sequence each slot and the prompt cache hold already."""
        if sequence.scored:
            none = [0] * len(self.slots)
            return Fit(slots=Reusable(common=none, kept=none, copied=none))
        held = reusable(self.slots, sequence.tokens, sequence.isolation, self._memory)
        key, cached = self.prompt_cache.best(sequence.tokens, sequence.isolation)
        return Fit(slots=held, key=key, cached=cached)

    def place(self, sequence: Sequence, fit: Fit) -> list[CacheOp] | None:
        """Give a sequence a slot. Return what is to be done for it, in order; None: all are busy."""
        none = [0] * len(self.slots)
        kept, copied = (none, none) if fit.from_cache else (fit.slots.kept, fit.slots.copied)
        chosen = select_slot(self.slots, kept, copied, self._minimum)
        if chosen is None:
            return None
        cache_ops = self._set_aside(chosen, fit.key if fit.from_cache else 0)
        if fit.from_cache:
            cache_ops += self._bring_back(sequence, chosen.slot, fit.key, fit.cached)
        else:
            cache_ops += self._take(sequence, chosen)
        if self.takes_checkpoints and not sequence.scored:
            self._mark(sequence, fit)
        return cache_ops

    def checkpoints_at(self, rows: Iterable[Row], running: dict[int, Sequence]) -> list[CacheOp]:
        """Return what keeps the checkpoints that are due before these rows are computed."""
        cache_ops: list[CacheOp] = []
        for row in rows:
            sequence = running[row.request]
            while sequence.marks and sequence.marks[0] <= sequence.done:
                if sequence.marks.pop(0) == sequence.done:
                    cache_ops += self.checkpoints.take(row.slot, sequence.done, self.slots)
        return cache_ops

    def lose(self, numbers: Iterable[int]) -> list[CacheOp]:
        """Note that what these slots held is gone. Return what is to be done for it."""
        cache_ops: list[CacheOp] = []
        for number in numbers:
            slot = self.slots[number]
            slot.tokens, slot.moved, slot.written = array("i"), 0, 0
            cache_ops += self.checkpoints.cut(slot, 0)
        return cache_ops

    def _mark(self, sequence: Sequence, fit: Fit) -> None:
        """Note where reading a sequence is to be interrupted."""
        sequence.marks = marks(sequence.tokens, sequence.done, self._ends, self._every, self._memory)
        parted = max(fit.slots.common)
        if parted - sequence.done >= _PARTED and parted not in sequence.marks:
            sequence.marks = sorted([*sequence.marks, parted])

    def _set_aside(self, chosen: SlotChoice, needed: int) -> list[CacheOp]:
        """Move what the slot holds to the prompt cache, if that saves computing it again."""
        slot = self.slots[chosen.slot]
        lost = len(slot.tokens) - (chosen.reuse if chosen.source is None else 0)
        only_answer = chosen.source is None and goes_on(slot, chosen.reuse)
        checkpoints = self.checkpoints.leaving(slot)
        if only_answer or lost < _WORTH_KEEPING or not self.prompt_cache.fits(len(slot.tokens), len(checkpoints)):
            return []
        return list(self.prompt_cache.add(chosen.slot, slot.tokens[:], slot.isolation, needed, checkpoints))

    def _bring_back(self, sequence: Sequence, number: int, key: int, length: int) -> list[CacheOp]:
        slot = self.slots[number]
        forgotten = self.checkpoints.cut(slot, 0)
        rewinds, lengths = self.prompt_cache.way_back(key, length)
        brought = self.checkpoints.brought(number, lengths, self.slots)
        self._occupy(sequence, number, length)
        slot.moved = slot.written = length
        position = sequence.position(length)
        restore = Restore(key, number, length, position, rewinds=rewinds, checkpoints=tuple(brought))
        return [*forgotten, restore, *([Drop(key)] if self.prompt_cache.used(key, length) else [])]

    def _take(self, sequence: Sequence, chosen: SlotChoice) -> list[CacheOp]:
        slot, reuse = self.slots[chosen.slot], chosen.reuse
        position = sequence.position(reuse)
        cache_ops: list[CacheOp] = []
        moved, written = min(slot.moved, reuse), slot.written if reuse else 0
        if chosen.source is not None:
            source = self.slots[chosen.source]
            cuts = self._memory.cuts(reuse, as_state(len(source.tokens)))
            checkpoint = 0 if cuts else source.checkpoints[reuse]
            cache_ops.append(Copy(chosen.source, chosen.slot, reuse, position, checkpoint))
            cache_ops += self.checkpoints.share(source, slot, reuse)
            moved = written = reuse
        elif len(slot.tokens) > reuse:
            if self._memory.cuts(reuse, slot.extent):
                cache_ops.append(Trim(chosen.slot, reuse, position))
            else:
                cache_ops.append(Rewind(chosen.slot, reuse, position, slot.checkpoints[reuse]))
                moved = written = reuse
            cache_ops += self.checkpoints.cut(slot, reuse)
        self._occupy(sequence, chosen.slot, reuse)
        slot.moved, slot.written = moved, written
        return cache_ops

    def _occupy(self, sequence: Sequence, number: int, held: int) -> None:
        slot = self.slots[number]
        slot.tokens = sequence.tokens[:held]
        slot.isolation, slot.request, slot.prompt = sequence.isolation, sequence.id, sequence.prompt
        sequence.slot, sequence.done = number, held
        if len(sequence.tokens) == sequence.prompt:
            sequence.cached = held

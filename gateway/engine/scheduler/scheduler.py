"""Decide what is computed next: continuous batching over a fixed number of slots. Pure: no clock, no I/O, no llama.cpp.

The owner calls `plan`, carries the step out, then `computed`, then `accept` for each row with logits, or `fail`.
Contracts: every request that was added ends exactly once (an end that `accept`, `cancel` or `fail` reports); a slot
belongs to at most one request; a step holds at most `batch` tokens and never mixes prompts with single tokens, except
that the last few tokens of a prompt may travel in a decode step.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping

from gateway.core.delta import FinishReason
from gateway.engine.media import MediaSpan
from gateway.engine.scheduler.batching import decode_rows, is_small, prompt_rows
from gateway.engine.scheduler.fairness import Shares, to_preempt
from gateway.engine.scheduler.placement import Placement
from gateway.engine.scheduler.prompt_cache import PromptCacheIndex
from gateway.engine.scheduler.sequence import Sequence
from gateway.engine.scheduler.slots import compaction, shared_prefix
from gateway.engine.scheduler.step import CacheOp, Row, Step, Swap
from gateway.engine.sequence_memory import ATTENTION, SequenceMemory

_HOLD = 64  # tokens: a follower waits for a prefix that is being computed if it saves at least this many
_LOOK_AHEAD = 64  # waiting requests looked at in one plan
_MOST_MARKS = 16  # places at which reading one prompt is interrupted
_PATIENCE = 4  # decode steps that a gap between busy slots may last


class Scheduler:
    """Scheduler of one model's slots, and of the sequences that wait and run.

    The higher priority first; fair between isolation keys, first come first served within one:
    `gateway.engine.scheduler.fairness`.
    """

    def __init__(
        self,
        *,
        slots: int,
        context: int,
        batch: int,
        between_decodes: int,
        prefix_minimum: int,
        ends: Iterable[int],
        outputs: int = 64,
        cache_ram: int = 0,
        cache_disk: int = 0,
        memory: SequenceMemory = ATTENTION,
        checkpoints: int = 0,
        checkpoint_tokens: int = 0,
        checkpoint_every: int = 4096,
    ) -> None:
        """Begin with empty slots.

        Args:
            slots: sequences that may run at once.
            context: tokens of one sequence, prompt and answer together.
            batch: most tokens of a step.
            between_decodes: most prompt tokens read between two decode steps.
            prefix_minimum: shortest common prefix, in tokens, worth a copy.
            ends: tokens that end an answer.
            outputs: most tokens of a step that get logits.
            cache_ram: tokens that the prompt cache may keep in RAM.
            cache_disk: tokens that it may keep on disk.
            memory: what the model's memory of sequences can do.
            checkpoints: most checkpoints kept for all slots, where the memory needs them.
            checkpoint_tokens: how many tokens of the prompt cache take as much room as a checkpoint.
            checkpoint_every: most tokens of a prompt between two checkpoints.
        """
        self.context = context
        self._batch = batch
        self._between = between_decodes
        self._outputs = min(outputs, batch)  # most tokens of a step that get logits
        self._ends = frozenset(ends)
        self._waiting: dict[int, Sequence] = {}
        self._running: dict[int, Sequence] = {}
        self._shares = Shares()
        self._memory = memory
        self.prompt_cache = PromptCacheIndex(cache_ram, cache_disk, memory, checkpoint_tokens)
        self._placement = Placement(
            slots,
            self.prompt_cache,
            memory=memory,
            prefix_minimum=prefix_minimum,
            ends=self._ends,
            checkpoints=checkpoints,
            checkpoint_every=checkpoint_every,
        )
        self._slots = self._placement.slots
        self._since_decode = 0
        self._gap_age = 0
        self._tick = 0

    @property
    def busy(self) -> int:
        """Number of sequences in slots."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Number of sequences without a slot."""
        return len(self._waiting)

    @property
    def cells(self) -> int:
        """Tokens in the KV memory of sequences in slots. What idle slots still hold may go at any time."""
        return sum([sequence.done for sequence in self._running.values()])

    @property
    def slots(self) -> Mapping[int, int | None]:
        """Slot → request that has it; None: it is free."""
        return {number: slot.request for number, slot in enumerate(self._slots)}

    def held(self, slot: int) -> int:
        """Return how many tokens a slot holds. What a step read beyond, rejected draft tokens, is to be dropped."""
        return len(self._slots[slot].tokens)

    def sequence(self, request: int) -> Sequence | None:
        """Return a request that has not ended; None: it has."""
        return self._running.get(request) or self._waiting.get(request)

    def add(
        self,
        request: int,
        prompt: "array[int]",
        max_tokens: int,
        isolation: str,
        *,
        priority: int = 0,
        scored: bool = False,
        spans: tuple[MediaSpan, ...] = (),
    ) -> None:
        """Add a request.

        `scored`: every token of it gets logits, so all of them are computed. `spans`: parts of pictures in it.

        Raises:
            ValueError: it can't fit, or its id is taken; the caller checks length and tokens before.
        """
        if not 0 < len(prompt) < self.context or max_tokens < 1 or self.sequence(request) is not None:
            raise ValueError("a prompt must be shorter than the window, and ids unique")
        limit = min(self.context, len(prompt) + max_tokens)
        tokens = array("i", prompt)
        self._shares.arrived(isolation, (other.isolation for other in self._all()))
        self._waiting[request] = Sequence(
            id=request,
            tokens=tokens,
            prompt=len(prompt),
            limit=limit,
            isolation=isolation,
            priority=priority,
            scored=scored,
            spans=spans,
        )

    def _all(self) -> Iterator[Sequence]:
        yield from self._running.values()
        yield from self._waiting.values()

    def _turn(self, sequence: Sequence) -> tuple[float, float]:
        """Return the key to sort by: the higher priority first; within one, the app that was served least so far."""
        return -sequence.priority, self._shares.of(sequence.isolation)

    def cancel(self, request: int) -> bool:
        """End a request, wherever it is. False: it had ended before."""
        if self._waiting.pop(request, None):
            return True
        sequence = self._running.get(request)
        if sequence is not None:
            self._release(sequence)
        return sequence is not None

    def fail(self) -> tuple[list[int], list[CacheOp]]:
        """End every running request after a failed step: no slot holds anything reliable any more.

        Returns their ids, and what is to be done for it.
        """
        requests = list(self._running)
        for sequence in list(self._running.values()):
            self._release(sequence)
        return requests, self._placement.lose(range(len(self._slots)))

    def lose(self, slots: Iterable[int]) -> list[CacheOp]:
        """Note that what these slots held is gone, before their step was computed: it is computed again.

        Returns what is to be done for it.
        """
        for number in slots:
            request = self._slots[number].request
            if request is not None:
                sequence = self._running[request]
                sequence.done = sequence.cached = 0
        return self._placement.lose(slots)

    def plan(self) -> Step | None:
        """Return the next step; None: there is nothing to do."""
        cache_ops = self._admit()
        rows, prefill = self._rows()
        if not rows:
            assert not cache_ops
            return None
        if prefill:
            self._since_decode += sum(len(row.tokens) for row in rows)
        else:
            self._since_decode = 0
            # INVARIANT: a swap stands alone, so that a slot has one number in all of a plan, also where an operation
            # fails and its slot is lost.
            gaps = self._close_gaps() if not cache_ops else []
            if gaps:
                cache_ops += gaps
                rows, prefill = self._rows()
        if self._placement.takes_checkpoints:
            cache_ops += self._placement.checkpoints_at(rows, self._running)
        return Step(cache_ops=tuple(cache_ops), rows=tuple(rows), prefill=prefill)

    def computed(self, step: Step) -> None:
        """Note that the step was carried out."""
        for row in step.rows:
            sequence = self._running[row.request]
            tokens = row.tokens[: len(row.tokens) - row.drafted] if row.drafted else row.tokens
            sequence.done += len(tokens)
            self._shares.charge(sequence.isolation, len(tokens), generated=sequence.unread == 0)
            slot = self._slots[sequence.slot]
            slot.tokens.extend(tokens)
            slot.written += len(row.tokens)

    def accept(self, request: int, token: int, *, computed: bool = False) -> FinishReason | None:
        """Note that a token was sampled. Return the finish reason if it was the last one.

        An end token is not part of the answer. `computed`: it was drafted, so its KV is there already.
        """
        sequence = self._running[request]
        if token in self._ends:
            self._release(sequence)
            return FinishReason.STOP
        sequence.tokens.append(token)
        if computed:
            sequence.done += 1
            self._shares.charge(sequence.isolation, 1, generated=True)
            self._slots[sequence.slot].tokens.append(token)
        if len(sequence.tokens) >= sequence.limit:
            self._release(sequence)
            return FinishReason.LENGTH
        return None

    # Admission

    def _admit(self) -> list[CacheOp]:
        cache_ops: list[CacheOp] = []
        if not self._waiting:
            return cache_ops
        queue = sorted(self._waiting.values(), key=self._turn)  # stable: else in order
        if len(self._running) == len(self._slots):
            self._preempt(queue[0])
        for sequence in queue[:_LOOK_AHEAD]:
            if len(self._running) == len(self._slots):
                break
            fit = self._placement.fit(sequence)
            if not sequence.scored and self._worth_holding(sequence, fit.slots.copied):
                continue
            if fit.from_cache and not self.prompt_cache.in_ram(fit.key):
                continue  # until it was read from disk; others go on
            placed = self._placement.place(sequence, fit)
            if placed is None:
                break
            cache_ops += placed
            self._running[sequence.id] = self._waiting.pop(sequence.id)
        return cache_ops

    def _preempt(self, newcomer: Sequence) -> None:
        """Take a slot from the app with most of them, for an app that has none: its shortest sequence waits instead.

        It loses its slot, not its tokens: they are computed again when its turn comes.
        """
        crowd = to_preempt(newcomer.isolation, [s.isolation for s in self._running.values()])
        if crowd is not None:
            victim = min((s for s in self._running.values() if s.isolation == crowd), key=lambda s: s.done)
            self._release(victim)
            victim.slot, victim.done = -1, 0
            self._waiting[victim.id] = victim

    def _worth_holding(self, sequence: Sequence, copied: list[int]) -> bool:
        """Say whether to wait for a running prompt that is computing what this one begins with, and to copy it then.

        Where a copy can't be cut back, the other prompt is interrupted there.
        """
        for other in self._running.values():
            if other.reading and other.isolation == sequence.isolation:
                shared = shared_prefix(other.tokens, sequence.tokens)
                elsewhere = max((held for slot, held in enumerate(copied) if slot != other.slot), default=0)
                if shared - elsewhere >= _HOLD and other.done < shared and self._parts_at(other, shared):
                    return True
        return False

    def _parts_at(self, running: Sequence, length: int) -> bool:
        """Let a running prompt be copied at a length that it has not reached. False: it can't be."""
        if self._memory.window is None or length in running.marks:
            return True
        if not self._placement.takes_checkpoints or running.scored or len(running.marks) >= _MOST_MARKS:
            return False
        running.marks = sorted([*running.marks, length])
        return True

    def _release(self, sequence: Sequence) -> None:
        del self._running[sequence.id]
        self._tick += 1
        slot = self._slots[sequence.slot]
        slot.request, slot.used = None, self._tick

    # Steps

    def _rows(self) -> tuple[list[Row], bool]:
        reading = [s for s in self._running.values() if s.reading]
        writing = len(self._running) - len(reading)
        if writing and (self._since_decode >= self._between or all(is_small(s, len(reading)) for s in reading)):
            return decode_rows(self._running.values(), len(reading)), False
        if reading:
            first = min(reading, key=self._turn)
            return prompt_rows(first, reading, self._batch, self._outputs), True
        return [], False

    def _close_gaps(self) -> list[Swap]:
        found = compaction(self._slots)
        self._gap_age = self._gap_age + 1 if found else 0
        if found is None or self._gap_age < _PATIENCE:
            return []
        mover, hole = found
        self._gap_age = 0
        one, other = self._slots[mover], self._slots[hole]
        self._slots[mover], self._slots[hole] = other, one
        one.moved = one.written = len(one.tokens)
        other.moved = other.written = len(other.tokens)
        assert one.request is not None
        self._running[one.request].slot = hole
        return [Swap(mover, hole)]

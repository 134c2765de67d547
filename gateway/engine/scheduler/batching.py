"""Choose which tokens of which sequences a step computes, once it is known what kind of step it is. Pure."""

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Items

from gateway.engine.scheduler.sequence import Sequence
from gateway.engine.scheduler.step import Row

_FULL = 0.75  # a step with so much of a batch is full enough


def is_small(sequence: Sequence, readers: int) -> bool:
    """Say whether so little of a prompt is left that it may travel with the single tokens of others."""
    return sequence.unread <= max(1, readers) and sequence.span is None


def decode_rows(running: Iterable[Sequence], readers: int) -> list[Row]:
    """Return one token of each sequence, generated or the rest of a prompt; long prompts stay out."""
    chosen = (s for s in running if not s.reading or is_small(s, readers))
    return [_row(s, 1) for s in sorted(chosen, key=lambda s: s.slot)]


def prompt_rows(first: Sequence, reading: Items[Sequence], batch: int, outputs: int) -> list[Row]:
    """Return rows of the `first` prompt, and equal parts of it and its neighbours where it does not fill the batch.

    A part of a picture is a row of its own, whatever its length. As few neighbours as fill the batch, for the sooner a
    prompt is read the sooner its answer begins. llama.cpp splits a batch into parts of equal length for consecutive
    slots, so other shapes gain nothing. At most `batch` tokens, and at most `outputs` of a prompt whose tokens all get
    logits.
    """
    if first.span is not None:
        return [_row(first, first.run)]
    if first.scored:
        return [_row(first, min(first.unread, outputs))]
    group, chosen, each = [first], 1, min(first.run, batch)
    for neighbour in _neighbours(first, reading):
        if chosen * each >= _FULL * batch:
            break
        group.append(neighbour)
        share = min(min(s.run for s in group), batch // len(group))
        if share * len(group) > chosen * each:
            chosen, each = len(group), share
    return [_row(s, each) for s in sorted(group[:chosen], key=lambda s: s.slot)]


def _neighbours(first: Sequence, reading: Items[Sequence]) -> Iterator[Sequence]:
    """Yield the prompts in the slots right beside the first one, and beside those."""
    by_slot = {s.slot: s for s in reading if not s.scored and s.span is None}
    for direction in (1, -1):
        slot = first.slot + direction
        while slot in by_slot:
            yield by_slot[slot]
            slot += direction


def _row(sequence: Sequence, count: int) -> Row:
    end = sequence.done + count
    tokens = sequence.tokens[sequence.done : end]
    outputs = count if sequence.scored else int(end == len(sequence.tokens))
    if not sequence.spans:
        return Row(slot=sequence.slot, position=sequence.done, tokens=tokens, outputs=outputs, request=sequence.id)
    return Row(
        slot=sequence.slot,
        position=sequence.done,
        tokens=tokens,
        outputs=outputs,
        request=sequence.id,
        shift=sequence.shift(sequence.done),
        span=sequence.span,
    )

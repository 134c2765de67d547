"""Which tokens of which sequences a step computes, once it is known what kind of step it is. Pure."""

from collections.abc import Iterable
from collections.abc import Sequence as Items

from gateway.engine.sequence import Sequence
from gateway.engine.steps import Row


def is_small(sequence: Sequence, readers: int) -> bool:
    """So little of a prompt is left that it may travel with the single tokens of others."""
    return sequence.unread <= max(1, readers)


def decode_rows(running: Iterable[Sequence], readers: int) -> list[Row]:
    """One token of each sequence, generated or the rest of a prompt; long prompts stay out."""
    chosen = (s for s in running if not s.reading or is_small(s, readers))
    return [_row(s, 1) for s in sorted(chosen, key=lambda s: s.slot)]


def prompt_rows(first: Sequence, reading: Items[Sequence], batch: int, outputs: int) -> list[Row]:
    """Either the `first` prompt alone, or equal pieces of it and its neighbours: what computes more at once.

    llama.cpp splits a batch into pieces of equal length for consecutive slots, so other shapes gain nothing. At most
    `batch` tokens, and at most `outputs` of a prompt whose tokens all get logits.
    """
    if first.scored:
        return [_row(first, min(first.unread, outputs))]
    alone = min(first.unread, batch)
    by_slot = {s.slot: s for s in reading if not s.scored}
    group = [first]
    for direction in (1, -1):
        slot = first.slot + direction
        while slot in by_slot:
            group.append(by_slot[slot])
            slot += direction
    each = min(min(s.unread for s in group), batch // len(group))
    if len(group) == 1 or each * len(group) <= alone:
        return [_row(first, alone)]
    return [_row(s, each) for s in sorted(group, key=lambda s: s.slot)]


def _row(sequence: Sequence, count: int) -> Row:
    end = sequence.done + count
    tokens = sequence.tokens[sequence.done : end]
    outputs = count if sequence.scored else int(end == len(sequence.tokens))
    return Row(slot=sequence.slot, position=sequence.done, tokens=tokens, outputs=outputs, request=sequence.id)

"""What a model's memory of sequences can do: decided once, at load, from what llama.cpp says of it. Pure data."""

from collections.abc import Iterable
from typing import Literal

import msgspec


class SequenceMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Kind of memory that a model has for its sequences, and how far a sequence can be cut back in it.

    `window`: how many of its last positions a state holds that was taken out of the memory; None: all of them, as with
    plain attention; 0: only the end, as with a running state. `in_place`: where nothing was taken out and put back, a
    sequence can be cut back to any length all the same (sliding windows with `swa_full`).
    """

    kind: Literal["attention", "sliding_window", "recurrent", "hybrid"] = "attention"
    window: int | None = None
    in_place: bool = True

    @property
    def drops_drafts(self) -> bool:
        """Whether the last tokens of a step can be dropped again, as rejected draft tokens are."""
        return self.kind in ("attention", "sliding_window")

    def usable(self, common: int, *, length: int, moved: int, checkpoints: Iterable[int] = ()) -> int:
        """Return how many tokens of a sequence can be kept by a text that shares `common` of them with it.

        Args:
            common: leading tokens that are the same.
            length: tokens that the sequence has.
            moved: how many it had when it was last put into its place as a state; 0: it was computed there.
            checkpoints: lengths to which it can be taken back by a state that was kept.
        """
        whole = self.window is None or (length if not self.in_place else moved) <= self.window
        if whole or common == length or (self.in_place and common >= moved):
            return common
        return max((checkpoint for checkpoint in checkpoints if checkpoint <= common), default=0)


ATTENTION = SequenceMemory()

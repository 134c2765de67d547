"""What a model's memory of sequences can do: decided once, at load, from what llama.cpp says of it. Pure data."""

from collections.abc import Iterable
from typing import Literal

import msgspec


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """Length of a sequence in the memory, in tokens, and of what was there before.

    `moved`: how many it had when it was last put into its place as a state; 0: it was computed there. `written`: those
    and all that were computed since, also what was cut off again.
    """

    length: int
    moved: int
    written: int


def as_state(length: int) -> Extent:
    """Return the extent of a sequence that was put into its place as a state."""
    return Extent(length=length, moved=length, written=length)


class SequenceMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Kind of memory that a model has for its sequences, and how far a sequence can be cut back in it.

    `window`: how many of its last positions a state holds that was taken out of the memory; None: all of them, as with
    plain attention; 0: only the end, as with a running state. `slack`: how many tokens may be written behind a window
    before it is overwritten; None: any number (a sliding window with `swa_full`). `checkpoint_bytes`: size of the part
    of a state that can't be cut back, which a checkpoint keeps; 0: there is no need of checkpoints. `take_back`: tokens
    at the end of the step that was computed last by which a running state can be taken back.
    """

    kind: Literal["attention", "sliding_window", "recurrent", "hybrid"] = "attention"
    window: int | None = None
    slack: int | None = None
    checkpoint_bytes: int = 0
    take_back: int = 0

    @property
    def drops_drafts(self) -> bool:
        """Whether the last tokens of a step can be dropped again, as rejected draft tokens are."""
        return self.kind in ("attention", "sliding_window") or self.take_back > 0

    def cuts(self, to: int, extent: Extent) -> bool:
        """Say whether a sequence can be cut back to so many tokens without a checkpoint."""
        if self.window is None or to in (0, extent.length) or extent.written <= self.window:
            return True
        computed_here = to >= extent.moved or extent.moved <= self.window
        return computed_here and (self.slack is None or to >= extent.written - self.slack)

    def usable(self, common: int, extent: Extent, checkpoints: Iterable[int] = ()) -> int:
        """Return how many tokens of a sequence can be kept by a text that shares `common` of them with it.

        `checkpoints`: lengths of it for which there is one.
        """
        if self.cuts(common, extent):
            return common
        return max((checkpoint for checkpoint in checkpoints if checkpoint <= common), default=0)


ATTENTION = SequenceMemory()

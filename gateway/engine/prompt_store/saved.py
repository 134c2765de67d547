"""State of a sequence that left its slot, with its checkpoints; and the one array in which it lies on disk.

Format: 64-bit little-endian numbers (how many checkpoints; bytes of the state; length in tokens and bytes of each
checkpoint), then the state and the checkpoints in that order.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

State = NDArray[np.uint8]


class SavedState(msgspec.Struct, frozen=True):
    """Whole state of a sequence, and its checkpoints by their lengths in tokens."""

    state: State
    checkpoints: Mapping[int, State] = {}


def pack(saved: SavedState) -> State:
    """Return everything in one array."""
    sizes = [number for length, part in saved.checkpoints.items() for number in (length, len(part))]
    header = np.array([len(saved.checkpoints), len(saved.state), *sizes], "<i8")
    return np.concatenate([header.view(np.uint8), saved.state, *saved.checkpoints.values()])


def unpack(packed: State) -> SavedState:
    """Return what `pack` packed. The parts are copies: each can be forgotten without the others."""
    count = int(packed[:8].view("<i8")[0])
    header = packed[: 16 + 16 * count].view("<i8")
    at = 16 + 16 * count + int(header[1])
    state = packed[16 + 16 * count : at].copy()
    checkpoints = {}
    for length, size in zip(header[2::2], header[3::2], strict=True):
        checkpoints[int(length)] = packed[at : at + int(size)].copy()
        at += int(size)
    return SavedState(state, checkpoints)

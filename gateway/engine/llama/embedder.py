"""Vectors and ranks of texts, in a second context on a model's weights; it is made when the first one is asked for.

Short inputs are computed together. Token vectors are pooled here (mean, first or last token, as the model says), so an
input may be longer than a batch; ranks are pooled by llama.cpp, which puts the model's classification head on top.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.engine.llama.bindings import Batch, C, log_tail
from gateway.engine.llama.faults import EngineFault
from gateway.engine.llama.footprint import VECTORS_BATCH
from gateway.engine.llama.model import Model
from gateway.engine.llama.parameters import shape_of

_LEAST_CONTEXT = 2048
_MOST_TOGETHER = 32

Ids = NDArray[np.int32]


class Embedder:
    """Owner of the embedding context. Used in the same thread as its model; closed before it."""

    def __init__(self, model: Model, threads: int) -> None:
        self._model = model
        self._threads = threads
        self._context: Any | None = None
        self._length = 0
        self._together = 1
        self.size: int = C.llama_model_n_embd_out(model.handle)
        self._one_output = C.llama_model_n_cls_out(model.handle) == 1

    def embed(self, inputs: Sequence[Sequence[int]]) -> list[bytes]:
        """Return one normalised float32 vector of shape `(size,)`, as bytes, for each input; all of them at once."""
        done: list[bytes] = []
        while len(done) < len(inputs):
            done += self.some(inputs[len(done) :])
        return done

    def some(self, inputs: Sequence[Sequence[int]]) -> list[bytes]:
        """Return results for the first few of `inputs`, at least one: as many as are computed together.

        A result is a normalised float32 vector as bytes, or for a model that ranks a single float32: how well the text
        fits, 0 to 1.

        Raises:
            EngineFault: an input is outside the window or the vocabulary, or llama.cpp failed.
        """
        ids = [self._checked(tokens) for tokens in inputs[:_MOST_TOGETHER]]
        self._reserve(max(len(one) for one in ids))
        if len(ids[0]) > self._batch.size:
            return [self._long(ids[0])]
        group: list[Ids] = []
        for one in ids[: self._together]:
            if sum(map(len, group)) + len(one) > min(self._batch.size, self._length):
                break
            group.append(one)
        return self._short(group)

    def _checked(self, tokens: Sequence[int]) -> Ids:
        ids = np.asarray(tokens, np.int32)
        if not 0 < len(ids) <= self._model.context or ids.min() < 0 or ids.max() >= self._model.vocabulary.size:
            raise EngineFault("an input outside the window or the vocabulary")
        return ids

    def _short(self, group: list[Ids]) -> list[bytes]:
        """Compute inputs that fit one batch together, each as a sequence of its own."""
        rows = self._run([(number, ids, 0) for number, ids in enumerate(group)], fresh=True)
        if self._model.ranks:
            return [self._rank(number) for number in range(len(group))]
        ends = np.cumsum([len(ids) for ids in group])
        return [_unit(self._pooled(part)) for part in np.split(rows, ends[:-1])]

    def _long(self, ids: Ids) -> bytes:
        """Compute an input that takes several batches."""
        total = np.zeros(self.size, np.float64)
        for start in range(0, len(ids), self._batch.size):
            rows = self._run([(0, ids[start : start + self._batch.size], start)], fresh=start == 0)
            pooled = self._pooled(rows)
            match self._model.pooling:
                case C.LLAMA_POOLING_TYPE_CLS:
                    total = total if start else pooled
                case C.LLAMA_POOLING_TYPE_LAST:
                    total = pooled
                case _:
                    total += pooled
        return _unit(total)

    def _pooled(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Make one vector `(size,)` of many `(n_tokens, size)`.

        A mean is left as a sum, for the vector is scaled to length one afterwards.
        """
        match self._model.pooling:
            case C.LLAMA_POOLING_TYPE_CLS:
                rows = rows[:1]
            case C.LLAMA_POOLING_TYPE_LAST:
                rows = rows[-1:]
        total: NDArray[np.float64] = rows.sum(axis=0, dtype=np.float64)
        return total

    def _run(self, parts: Sequence[tuple[int, Ids, int]], *, fresh: bool) -> NDArray[np.float32]:
        """Compute sequences, each given as (number, token ids, first position).

        Returns the vectors of all tokens, `(n_tokens, size)` float32; none where llama.cpp pools. `fresh`: forget what
        was computed before.

        Raises:
            EngineFault: llama.cpp failed.
        """
        at, batch = 0, self._batch
        for number, ids, position in parts:
            end = at + len(ids)
            batch.tokens[at:end] = ids
            batch.positions[at:end] = np.arange(position, position + len(ids))
            batch.slots[at:end] = number
            at = end
        batch.handle.n_tokens = at
        memory = C.llama_get_memory(self._context) if fresh else None
        if memory:
            C.llama_memory_clear(memory, False)
        status = C.llama_decode(self._context, batch.handle)
        if status != 0:
            raise EngineFault(f"llama.cpp failed with status {status}: {' '.join(log_tail()[-2:])}")
        if self._model.ranks:
            return np.empty((0, self.size), np.float32)
        pointer = C.llama_get_embeddings(self._context)
        if not pointer:
            raise EngineFault("llama.cpp returned no vectors")
        return np.ctypeslib.as_array(pointer, (at, self.size)).copy()

    def _rank(self, sequence: int) -> bytes:
        """Return the rank of one sequence, 0 to 1, as one float32.

        Raises:
            EngineFault: llama.cpp gave none, or a number that is no rank.
        """
        pointer = C.llama_get_embeddings_seq(self._context, sequence)
        if not pointer:
            raise EngineFault("llama.cpp returned no rank")
        score = float(pointer[0])
        if not np.isfinite(score):
            raise EngineFault("the model gave no usable rank")
        # One output is a logit; of several, llama.cpp has made probabilities already (yes, no).
        fits = 1.0 / (1.0 + np.exp(-np.clip(score, -700.0, 700.0))) if self._one_output else score
        return np.array([fits], "<f4").tobytes()

    def _reserve(self, length: int) -> None:
        """Make a context that holds `length` tokens, unless there is one; sizes are powers of two.

        Raises:
            EngineFault: there is not enough memory.
        """
        if self._context is not None and length <= self._length:
            return
        self.close()
        capacity = max(_LEAST_CONTEXT, 1 << (length - 1).bit_length())
        capacity = min(capacity, max(self._model.context, length))
        whole = self._model.encodes or self._model.ranks
        self._together = _MOST_TOGETHER
        self._batch = Batch(capacity if whole else min(VECTORS_BATCH, capacity))
        self._batch.outputs[:] = 1
        parameters = C.llama_context_default_params()
        shape_of(parameters, self._model.settings)
        parameters.n_ctx = capacity
        parameters.n_batch = parameters.n_ubatch = self._batch.size
        parameters.n_seq_max = self._together
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = self._threads
        parameters.embeddings = True
        parameters.pooling_type = C.LLAMA_POOLING_TYPE_RANK if self._model.ranks else C.LLAMA_POOLING_TYPE_NONE
        self._context = C.llama_init_from_model(self._model.handle, parameters) or None
        if self._context is None:
            raise EngineFault("there is not enough memory for embeddings: turn down 'context' or 'slots'")
        self._model.adapters.apply(self._context)
        self._length = C.llama_n_ctx(self._context)

    def close(self) -> None:
        """Give the memory back."""
        if self._context is not None:
            C.llama_free(self._context)
            self._context = None


def _unit(vector: NDArray[np.float64]) -> bytes:
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0.0:
        raise EngineFault("the model gave no usable vector")
    return (vector / length).astype("<f4").tobytes()

"""One loaded model and its context: decode, logits, memory of sequences.

INVARIANT: everything that makes llama.cpp abort (a batch over its size, an unknown sequence or token, a row without
logits, a partial copy across streams, use after close) is checked here and raises `EngineFault` instead.
"""

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.engine.llama.bindings import (
    Batch,
    C,
    keep_log,
    logits_address,
    next_token_states,
    pointer_to,
)
from gateway.engine.llama.draft_head import DraftHead
from gateway.engine.llama.draft_plan import NO_DRAFTS, DraftPlan
from gateway.engine.llama.faults import EngineFault, LoadFault, context_problem, decode_problem, load_problem
from gateway.engine.llama.head_weights import HeadWeights
from gateway.engine.llama.parameters import Adapters, ModelParameters, context_parameters, problem_of
from gateway.engine.llama.vocabulary import Vocabulary
from gateway.engine.scheduler.step import Row
from gateway.engine.sequence_memory import SequenceMemory
from gateway.engine.settings import EngineSettings

Floats = NDArray[np.float32]

_PADDING = 256  # cells


class EmbeddingRows(msgspec.Struct, frozen=True, kw_only=True):
    """Embeddings to be computed like tokens.

    `embeddings`: `(tokens, n_embd)` float32. `positions`: `(dimensions, tokens)` int32, four dimensions with M-RoPE.
    `causal`: each sees only those before it; else all of them see each other.
    """

    embeddings: Floats
    positions: NDArray[np.int32]
    causal: bool = True


class Model:
    """Weights of a model and one context. Not thread-safe: one thread owns it."""

    def __init__(
        self,
        settings: EngineSettings,
        threads: int,
        progress: Callable[[float], bool] | None = None,
        drafts: DraftPlan = NO_DRAFTS,
    ) -> None:
        _check(settings, threads)
        keep_log()
        self.settings = settings
        self._most_outputs = min(settings.outputs, settings.batch)
        self._progress = C.llama_progress_callback(lambda part, _: progress(part) if progress else True)
        loading = ModelParameters(settings, self._progress, head=drafts.head)
        self.handle = C.llama_model_load_from_file(settings.model.encode(), loading.handle)
        if not self.handle:
            raise LoadFault(load_problem(settings))
        self.vocabulary = Vocabulary(C.llama_model_get_vocab(self.handle))
        self.embedding_size: int = C.llama_model_n_embd_out(self.handle)
        self.trained_context: int = C.llama_model_n_ctx_train(self.handle)
        self.pooling = self._stated_pooling()
        self.ranks = self.pooling == C.LLAMA_POOLING_TYPE_RANK
        self.adapters = self._adapters()
        # A model that ranks needs next to no room here: its inputs are computed by the embedder.
        room = msgspec.structs.replace(settings, slots=1, context=256) if self.ranks else settings
        parameters = context_parameters(room, threads)
        parameters.n_outputs_max = self._most_outputs  # else llama.cpp reserves logits for a whole batch
        parameters.n_rs_seq = drafts.take_back
        self._context = C.llama_init_from_model(self.handle, parameters)
        if not self._context:
            C.llama_model_free(self.handle)
            raise LoadFault(context_problem(settings))
        self.adapters.apply(self._context)
        self._memory = C.llama_get_memory(self._context)
        self.encodes = not self._memory  # llama.cpp gives a KV cache to whatever generates
        self.generates = not self.encodes and not self.ranks
        self.sequence_memory = self._sequence_memory()
        self.context: int = C.llama_n_ctx_seq(self._context) if self.generates else settings.context
        if self.encodes:  # positions beyond are no rows of its table: llama.cpp would abort
            self.context = min(self.context, self.trained_context)
        self._batch = Batch(settings.batch)
        self._steps = [0] * settings.slots  # tokens of each slot in the last computation, which can be taken back
        self.head: DraftHead | None = None
        self._states: Callable[[int], Floats] | None = None
        if drafts.head and self.generates:
            self._open_head(parameters, drafts.file)
        self._logits: Floats = np.empty((0, 0), np.float32)
        self._logits_at = 0

    def _open_head(self, parameters: Any, file: str) -> None:
        """Make the context of the draft head, with the parameters of the model's own.

        Args:
            parameters: llama.cpp's, which are changed.
            file: holds the head, where that is not in the model's own file.

        Raises:
            LoadFault: the head of that file can't be used. Without the one in its own file, a model works as well.
        """
        try:
            weights = HeadWeights(file, self.settings, self.vocabulary, self.handle) if file else None
            self.head = DraftHead(
                weights or self.handle,
                parameters,
                width=self.embedding_size,
                vocabulary=self.vocabulary.size,
                adapt=self.adapters.apply,
            )
            self._states = next_token_states(self._context, self.embedding_size)
        except LoadFault:
            if file:
                self.close()
                raise

    def close_head(self) -> None:
        """Go on without the draft head."""
        if self.head is not None:
            self.head.close()
            self.head = None

    def _stated_pooling(self) -> int:
        stated = self.metadata(f"{self.metadata('general.architecture')}.pooling_type")
        return int(stated) if stated.isdigit() else int(C.LLAMA_POOLING_TYPE_MEAN)

    def _adapters(self) -> Adapters:
        try:
            return Adapters(self.handle, self.settings.lora)
        except OSError as error:
            C.llama_model_free(self.handle)
            raise LoadFault(str(error), public="One of its LoRA adapters can't be used.") from error

    def decode(self, rows: Sequence[Row]) -> Floats:
        """Compute one step. Return the logits, `(n_outputs, n_vocab)` float32, in the order of the rows.

        The array is llama.cpp's own memory: valid until the next call, and not to be written to.

        Raises:
            EngineFault: the step is impossible (too many tokens, an unknown token or slot), or llama.cpp failed.
        """
        at = outputs = 0
        for row in rows:
            at, outputs = self._add(row, at, outputs)
        self._known()
        if at == 0:
            raise EngineFault("a step needs at least one token")
        if outputs > self._most_outputs:
            raise EngineFault(f"a step with {outputs} outputs")
        self._batch.handle.n_tokens = at
        status = C.llama_decode(self._context, self._batch.handle)
        if status != 0:
            raise EngineFault(decode_problem(status))
        logits = self._read_logits(outputs)
        if self.sequence_memory.take_back:
            for row in rows:
                self._steps[row.slot] = len(row.tokens)
        if self.head is not None and self._states is not None:
            states = self._states(at)
            if len(states) == at:
                self.head.observe(rows, states)
            else:
                self.close_head()
        return logits

    def decode_embeddings(self, slot: int, part: EmbeddingRows) -> None:
        """Compute a part of a picture or sound: embeddings where tokens would stand. No logits come of it.

        Raises:
            EngineFault: it does not fit this model, or llama.cpp failed.
        """
        self._known(slot)
        count, width = part.embeddings.shape
        if width != C.llama_model_n_embd_inp(self.handle) or part.positions.shape[1] != count:
            raise EngineFault("embeddings of another model")
        if not part.causal and count > self.settings.micro_batch_size:
            raise EngineFault(f"a picture of {count} tokens that must be computed at once")
        if self.head is not None:
            self.head.clear(slot)
        C.llama_set_causal_attn(self._context, part.causal)
        try:
            for start in range(0, count, self.settings.batch):
                self._decode_some(slot, part, start, min(count, start + self.settings.batch))
        finally:
            C.llama_set_causal_attn(self._context, True)
        C.llama_synchronize(self._context)

    def _decode_some(self, slot: int, part: EmbeddingRows, start: int, end: int) -> None:
        batch = self._batch.of_embeddings(slot, part.embeddings[start:end], part.positions[:, start:end])
        status = C.llama_decode(self._context, batch)
        if status != 0:
            raise EngineFault(decode_problem(status))

    def _add(self, row: Row, at: int, outputs: int) -> tuple[int, int]:
        count, batch = len(row.tokens), self._batch
        end = at + count
        if end > batch.size:
            raise EngineFault(f"a step of more than {batch.size} tokens")
        self._known(row.slot)
        if count == 0 or row.position < 0 or row.position + count > self.context or not 0 <= row.outputs <= count:
            raise EngineFault("a row outside the window of its sequence")
        position = row.position - row.shift
        if count == 1:  # by far the most frequent: a decode step
            token = row.tokens[0]
            if not self.vocabulary.has(token):
                raise EngineFault(f"no token {token}")
            batch.tokens[at], batch.positions[at] = token, position
            batch.slots[at], batch.outputs[at] = row.slot, row.outputs
            return end, outputs + row.outputs
        if not self.vocabulary.has_all(row.tokens):
            raise EngineFault("a token id outside the vocabulary")
        batch.tokens[at:end] = row.tokens
        batch.positions[at:end] = np.arange(position, position + count)
        batch.slots[at:end] = row.slot
        batch.outputs[at : end - row.outputs] = 0
        batch.outputs[end - row.outputs : end] = 1
        return end, outputs + row.outputs

    def _known(self, *slots: int) -> None:
        if self._context is None:
            raise EngineFault("the model is closed")
        for slot in slots:
            if not 0 <= slot < self.settings.slots:
                raise EngineFault(f"no sequence {slot}")

    def _read_logits(self, outputs: int) -> Floats:
        if outputs == 0:
            C.llama_synchronize(self._context)
            return np.empty((0, self.vocabulary.size), np.float32)
        address = logits_address(self._context)
        if not address:
            raise EngineFault("llama.cpp returned no logits")
        if address != self._logits_at or len(self._logits) < outputs:
            self._logits_at = address
            pointer = ctypes.cast(address, ctypes.POINTER(ctypes.c_float))
            self._logits = np.ctypeslib.as_array(pointer, (outputs, self.vocabulary.size))
        return self._logits[:outputs]

    def trim(self, slot: int, length: int) -> bool:
        """Forget everything of a sequence from position `length` on. False: this model can't, forget it whole."""
        self._known(slot)
        if self.head is not None:
            self.head.cut(slot, length)
        if length == 0:
            return bool(C.llama_memory_seq_rm(self._memory, slot, -1, -1))
        if self.sequence_memory.take_back and not self._can_take_back(slot, length):
            return False
        if self.sequence_memory.kind == "sliding_window":  # llama.cpp would cut, and answer from a window with holes
            first = C.llama_memory_seq_pos_min(self._memory, slot)
            if first > max(0, length - C.llama_model_n_swa(self.handle) + 1):
                return False
        return bool(C.llama_memory_seq_rm(self._memory, slot, length, -1))

    def _can_take_back(self, slot: int, length: int) -> bool:
        """Say whether a running state can be taken back to `length`.

        INVARIANT: llama.cpp has a snapshot for each token of the last computation alone, and would take others too.
        """
        dropped = C.llama_memory_seq_pos_max(self._memory, slot) + 1 - length
        if dropped <= 0:
            return True
        known = min(self._steps[slot] - 1, self.sequence_memory.take_back)
        self._steps[slot] = 0  # once: the snapshots are of what was before
        return bool(dropped <= known)

    def _sequence_memory(self) -> SequenceMemory:
        window = int(C.llama_model_n_swa(self.handle))
        take_back = int(C.llama_n_rs_seq(self._context))
        if C.llama_model_is_recurrent(self.handle):
            return SequenceMemory(kind="recurrent", window=0, slack=0, take_back=take_back)
        if C.llama_model_is_hybrid(self.handle):
            return SequenceMemory(kind="hybrid", window=0, slack=0, take_back=take_back)
        if window > 0:
            # llama-kv-cache-iswa.cpp: a ring of the window and a micro-batch, padded.
            ring = -(-(window + self.settings.micro_batch_size) // _PADDING) * _PADDING
            slack = None if self.settings.swa_full or ring >= self.settings.context else ring - window
            return SequenceMemory(kind="sliding_window", window=window, slack=slack)
        return SequenceMemory()

    def probe_memory(self, slot: int, length: int) -> None:
        """Find out what the memory of sequences can do, and update `sequence_memory`.

        Args:
            slot: Holds a sequence that was computed for this; it is removed afterwards.
            length: Of that sequence, in tokens.
        """
        memory = self.sequence_memory
        if memory.slack != 0 and not self.trim(slot, length - 1):  # of a kind that llama.cpp has no word for
            memory = SequenceMemory(kind="hybrid", window=0, slack=0)
        if memory.window is not None:
            size = C.llama_state_seq_get_size_ext(self._context, slot, C.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)
            share = min(memory.window, length) / min(memory.window, self.context) if memory.window else 1.0
            memory = msgspec.structs.replace(memory, checkpoint_bytes=int(size / share))
        self.sequence_memory = memory
        self.trim(slot, 0)

    def checkpoint(self, slot: int) -> NDArray[np.uint8]:
        """Return the part of a sequence's state that can't be cut back, `(n,)` uint8, to be given to `rewind`.

        Raises:
            EngineFault: llama.cpp gave none.
        """
        return self._state(slot, C.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)

    def rewind(self, slot: int, length: int, checkpoint: NDArray[np.uint8]) -> bool:
        """Take a sequence back to where it had `length` tokens and the checkpoint was made.

        False: llama.cpp does not take it; the sequence is to be emptied then.
        """
        self._known(slot)
        partial = C.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
        taken = C.llama_state_seq_set_data_ext(self._context, pointer_to(checkpoint), len(checkpoint), slot, partial)
        self._steps[slot] = 0
        return bool(taken) and self.trim(slot, length)

    def save(self, slot: int) -> NDArray[np.uint8]:
        """Return the state of a sequence as bytes, `(n,)` uint8, to be given to `restore`.

        Raises:
            EngineFault: llama.cpp gave none.
        """
        return self._state(slot, C.LLAMA_STATE_SEQ_FLAGS_NONE)

    def _state(self, slot: int, flags: int) -> NDArray[np.uint8]:
        self._known(slot)
        size = C.llama_state_seq_get_size_ext(self._context, slot, flags)
        state = np.empty(size, np.uint8)
        written = C.llama_state_seq_get_data_ext(self._context, pointer_to(state), size, slot, flags)
        if written == 0:
            raise EngineFault("the state of a sequence can't be read")
        return state[:written]

    def restore(self, slot: int, state: NDArray[np.uint8]) -> None:
        """Replace a sequence by a saved state.

        Raises:
            EngineFault: llama.cpp does not take it; the sequence is empty then.
        """
        self.trim(slot, 0)
        self._steps[slot] = 0
        if C.llama_state_seq_set_data(self._context, pointer_to(state), len(state), slot) == 0:
            self.trim(slot, 0)
            raise EngineFault("the state of a sequence can't be restored")

    def copy(self, source: int, destination: int) -> None:
        """Make one sequence another sequence too."""
        # llama_memory_seq_cp copies a stream's whole buffer, however little of it is used; a saved state does not.
        self.restore(destination, self.save(source))
        if self.head is not None:
            self.head.copy(source, destination)

    def swap(self, one: int, other: int) -> None:
        """Exchange two sequences."""
        head, self.head = self.head, None  # it follows as one, below
        try:
            kept = self.save(other)
            self.restore(other, self.save(one))
            self.restore(one, kept)
        finally:
            self.head = head
        if head is not None:
            head.swap(one, other)

    def set_threads(self, threads: int) -> None:
        """Set the number of CPU threads for the next steps.

        Raises:
            EngineFault: the number is absurd.
        """
        if not 1 <= threads <= 512:
            raise EngineFault(f"{threads} threads")
        C.llama_set_n_threads(self._context, threads, self.settings.threads_batch or threads)
        if self.head is not None:
            self.head.set_threads(threads, self.settings.threads_batch or threads)

    def description(self) -> str:
        """Describe the model in a few words, for example `llama 135M Q4_1`."""
        buffer = ctypes.create_string_buffer(256)
        C.llama_model_desc(self.handle, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    def metadata(self, key: str) -> str:
        """Return a value of the file's header as text; empty: it has none."""
        buffer = ctypes.create_string_buffer(1024)
        found = C.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if found >= 0 else ""

    def close(self) -> None:
        """Give all memory back."""
        if self._context is not None:
            self.close_head()
            C.llama_free(self._context)
            C.llama_model_free(self.handle)
            self._context = None
            self._logits, self._logits_at = np.empty((0, 0), np.float32), 0


def can_use_gpu() -> bool:
    """Say whether llama.cpp was built with a GPU backend and there is a GPU."""
    return bool(C.llama_supports_gpu_offload())


def _check(settings: EngineSettings, threads: int) -> None:
    problem = problem_of(settings, threads)
    if problem:
        raise LoadFault(problem, public=problem)
    if not Path(settings.model).is_file():
        raise LoadFault(f"The model file {settings.model} does not exist.", public="Its model file does not exist.")

"""Draft head of a model (multi-token prediction): one more layer, which guesses the token after the next one.

It has a context and a KV cache of its own, on the model's weights. The entry of a token is computed from the token and
from the hidden state of the token before it (h, a row of `n_embd` float32), as the model gives it for every token. What
the head has not read it does without: its drafts are worse then, and no answer changes.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.engine.llama.bindings import Batch, C, logits_of, next_token_states, pointer_to
from gateway.engine.llama.faults import LoadFault
from gateway.engine.llama.head_weights import HeadWeights
from gateway.engine.scheduler.step import Row

Floats = NDArray[np.float32]

_TURN_OFF = "Turn down 'slots' or 'context', or switch the head off with 'draft: {head: off}'."
_MOST_UNREAD = 64  # tokens of one sequence that wait until drafts are wanted


class _Sequence(msgspec.Struct, kw_only=True):
    """What the head knows of the sequence in one slot.

    Its memory holds the tokens up to position `read`; those in `unread` follow, each with the hidden state before it in
    `before`. `last` is the hidden state of the last one of all. `ahead`: token at `read` that the memory holds although
    the model has not computed it yet; -1: none.
    """

    last: Floats
    read: int = 0
    unread: "array[int]"
    before: list[Floats] = []
    ahead: int = -1

    @property
    def end(self) -> int:
        """Position of the next token that the model computes."""
        return self.read + len(self.unread)


class DraftHead:
    """Head of one model, and what it has read of the sequences in the model's slots. Owned by the model's thread.

    A fault of its own costs its drafts and nothing else.
    """

    def __init__(
        self, weights: Any, parameters: Any, *, width: int, vocabulary: int, adapt: Callable[[Any], None]
    ) -> None:
        """Make the head's context.

        Args:
            weights: of the head; or llama.cpp's model, loaded with its head.
            parameters: of the context, as that of the model has them; they are changed.
            width: numbers of a hidden state.
            vocabulary: number of tokens.
            adapt: applies the model's adapters to a context of the model.

        Raises:
            LoadFault: there is no room for it, or this build of llama.cpp can't.
        """
        self._weights = weights if isinstance(weights, HeadWeights) else None
        self._slots = parameters.n_seq_max
        parameters.ctx_type = C.LLAMA_CONTEXT_TYPE_MTP
        parameters.n_rs_seq = 0
        parameters.n_outputs_max = self._slots
        self._context = C.llama_init_from_model(self._weights.handle if self._weights else weights, parameters)
        if not self._context:
            if self._weights is not None:
                self._weights.close()
            problem = f"There is no room for the draft head. {_TURN_OFF}"
            raise LoadFault(problem, public="Its draft head can't be loaded.")
        if self._weights is None:
            adapt(self._context)
        # Of every token: which ones a head gives by itself differs from architecture to architecture.
        self._states = next_token_states(self._context, width)
        self._memory = C.llama_get_memory(self._context)
        self._width, self._vocabulary = width, vocabulary
        self._batch = Batch(parameters.n_batch, width)
        self._sequences = [self._nothing() for _ in range(self._slots)]

    def _nothing(self, position: int = 0) -> _Sequence:
        return _Sequence(last=np.zeros(self._width, np.float32), read=position, unread=array("i"))

    def observe(self, rows: Sequence[Row], states: Floats) -> None:
        """Note what the model has computed: the hidden states, `(tokens, n_embd)`, in the order of the rows."""
        at = 0
        for row in rows:
            count = len(row.tokens)
            if row.shift:  # behind a picture, which the head can't read
                self.clear(row.slot)
            else:
                self._follow(row, states[at : at + count])
            at += count

    def _follow(self, row: Row, states: Floats) -> None:
        known = self._sequences[row.slot]
        tokens = row.tokens
        if known.ahead >= 0 and known.read == row.position and known.ahead == tokens[0]:
            known.read, known.ahead = known.read + 1, -1
            tokens, before = tokens[1:], states[:-1].copy()
        else:
            if known.ahead >= 0 or known.end != row.position:
                self.cut(row.slot, row.position)
                known = self._sequences[row.slot]
            before = np.concatenate((known.last[None], states[:-1]))
        if len(tokens):
            known.unread.extend(tokens)
            known.before.append(before)
        known.last = states[-1].copy()
        if len(known.unread) >= _MOST_UNREAD:
            self._read(row.slot)

    def cut(self, slot: int, position: int) -> None:
        """Forget a sequence from this position on."""
        known = self._sequences[slot]
        if position < known.read or known.ahead >= 0:
            C.llama_memory_seq_rm(self._memory, slot, position, -1)
            self._sequences[slot] = self._nothing(min(position, known.read))
        elif position < known.end:
            kept = position - known.read
            rows = np.concatenate(known.before)
            known.last = rows[kept].copy()
            known.before = [rows[:kept]] if kept else []
            del known.unread[kept:]
        if position > self._sequences[slot].end:  # what lies between is not known: it goes on from there
            self.clear(slot)
            self._sequences[slot].read = position

    def clear(self, slot: int) -> None:
        """Forget a sequence."""
        C.llama_memory_seq_rm(self._memory, slot, -1, -1)
        self._sequences[slot] = self._nothing()

    def follows(self, slot: int, position: int) -> bool:
        """Say whether the next token of a sequence is the one at this position, so that drafts behind it can begin."""
        known = self._sequences[slot]
        return bool(self._context) and known.ahead < 0 and known.end == position > 0

    def draft(self, wanted: Mapping[int, tuple[int, int]]) -> dict[int, list[int]]:
        """Return the likeliest tokens behind the next token of some sequences.

        Args:
            wanted: slot → that token, which the model has not computed yet, and how many tokens are wanted behind it.
        """
        slots = sorted(wanted)
        drafts: dict[int, list[int]] = {slot: [] for slot in slots}
        likeliest = self._begin({slot: wanted[slot][0] for slot in slots})
        while likeliest:
            places: dict[int, int] = {}
            for slot, (token, state) in likeliest.items():
                drafts[slot].append(token)
                if len(drafts[slot]) < wanted[slot][1]:
                    position = self._sequences[slot].read + len(drafts[slot])
                    places[slot] = len(places)
                    self._add(places[slot], slot, position, (token,), state[None], output=True)
            likeliest = self._likeliest(len(places), places)
        for slot in slots:  # read from drafts: the model's own states follow
            C.llama_memory_seq_rm(self._memory, slot, self._sequences[slot].read + 1, -1)
        return drafts

    def _begin(self, tokens: Mapping[int, int]) -> dict[int, tuple[int, Floats]]:
        """Read what is unread and the next token of these sequences. Return slot → likeliest token, hidden state."""
        if sum(len(self._sequences[slot].unread) + 1 for slot in tokens) > self._batch.size:
            for slot in tokens:
                self._read(slot)
        count = 0
        places: dict[int, int] = {}
        for slot, token in tokens.items():
            known = self._sequences[slot]
            states = np.concatenate((*known.before, known.last[None]))
            self._add(count, slot, known.read, (*known.unread, token), states, output=True)
            count += len(known.unread) + 1
            places[slot] = count - 1
        found = self._likeliest(count, places)
        for slot, token in tokens.items() if found else ():
            known = self._sequences[slot]
            known.read, known.unread, known.before, known.ahead = known.end, array("i"), [], token
        return found

    def _read(self, slot: int) -> None:
        """Read what is unread of one sequence."""
        known = self._sequences[slot]
        if not known.unread:
            return
        states = np.concatenate(known.before)
        for start in range(0, len(states), self._batch.size):
            tokens = known.unread[start : start + self._batch.size]
            self._add(0, slot, known.read + start, tokens, states[start : start + len(tokens)], output=False)
            if not self._decode(len(tokens)):
                return
        known.read, known.unread, known.before = known.end, array("i"), []

    def _add(self, at: int, slot: int, position: int, tokens: Sequence[int], states: Floats, *, output: bool) -> None:
        """Put tokens of one sequence into the batch, from `at` on; `output`: the last one gets logits."""
        batch, end = self._batch, at + len(tokens)
        batch.tokens[at:end] = tokens
        batch.positions[at:end] = np.arange(position, position + len(tokens))
        batch.slots[at:end] = slot
        batch.outputs[at:end] = 0
        batch.outputs[end - 1] = output
        batch.states[at:end] = states

    def _likeliest(self, count: int, places: Mapping[int, int]) -> dict[int, tuple[int, Floats]]:
        """Compute the batch. Return slot → likeliest next token, and the hidden state that goes with it.

        `places`: slot → where its token with logits stands in the batch, ascending.
        """
        if not places or not self._decode(count):
            return {}
        tokens = logits_of(self._context, len(places), self._vocabulary).argmax(axis=1).tolist()
        states = self._states(count)
        return {slot: (token, states[places[slot]].copy()) for slot, token in zip(places, tokens, strict=True)}

    def _decode(self, count: int) -> bool:
        """Compute the first `count` tokens of the batch. False: llama.cpp could not; nothing is known any more then."""
        self._batch.handle.n_tokens = count
        if C.llama_decode(self._context, self._batch.handle) == 0:
            return True
        for slot in range(self._slots):
            self.clear(slot)
        return False

    def copy(self, source: int, destination: int) -> None:
        """Make one sequence another sequence too."""
        self._put(destination, *self._taken(source))

    def swap(self, one: int, other: int) -> None:
        """Exchange two sequences."""
        first, second = self._taken(one), self._taken(other)
        self._put(one, *second)
        self._put(other, *first)

    def _taken(self, slot: int) -> tuple[_Sequence, NDArray[np.uint8]]:
        size = C.llama_state_seq_get_size(self._context, slot)
        state = np.empty(size, np.uint8)
        written = C.llama_state_seq_get_data(self._context, pointer_to(state), size, slot)
        return self._sequences[slot], state[:written]

    def _put(self, slot: int, known: _Sequence, state: NDArray[np.uint8]) -> None:
        self.clear(slot)
        if C.llama_state_seq_set_data(self._context, pointer_to(state), len(state), slot):
            self._sequences[slot] = _Sequence(
                last=known.last.copy(),
                read=known.read,
                unread=array("i", known.unread),
                before=list(known.before),
                ahead=known.ahead,
            )
        else:
            self.clear(slot)

    def set_threads(self, threads: int, threads_batch: int) -> None:
        """Set the number of CPU threads for the next steps."""
        C.llama_set_n_threads(self._context, threads, threads_batch)

    def close(self) -> None:
        """Give the memory back, before that of the model; nothing can be drafted any more."""
        C.llama_free(self._context)
        self._context = None
        if self._weights is not None:
            self._weights.close()

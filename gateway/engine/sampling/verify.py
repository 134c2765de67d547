"""Sample the tokens of a step from its logits: one for each row, and more where draft tokens behind it were right.

Drafted or not, a token is sampled from the model's own logits by the request's own sampler and grammar, in the order in
which it would be sampled without draft tokens: an answer does not depend on them.
"""

import time
from collections.abc import Sequence, Set
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.engine.messages import TokenLog
from gateway.engine.sampling.grammar import GrammarFault
from gateway.engine.sampling.sampler import Floats, Sampler, log_of
from gateway.engine.scheduler.step import Row


class TokenConstraint(Protocol):
    """What limits the tokens of one sequence, and how far it has been followed."""

    def permits(self, token: int) -> bool:
        """Say whether this token may come next."""
        ...

    def allowed(self) -> NDArray[np.bool_]:
        """Return a mask `(n_vocab,)` of the tokens that may come next.

        Raises:
            GrammarFault: the grammar became too complex.
        """
        ...

    def took(self, token: int) -> bool:
        """Note that a token was sampled. True: the answer is complete and can't go on.

        Raises:
            GrammarFault: the grammar became too complex.
        """
        ...


class RequestState(msgspec.Struct, kw_only=True):
    """State of a request in the worker, besides its tokens."""

    sampler: Sampler
    constraint: TokenConstraint | None = None
    began: float = 0.0
    first: float = 0.0
    scored: int = -1  # prompt tokens whose log-probability was told; -1: they are not wanted


class SampledToken(msgspec.Struct, frozen=True):
    """Token that was sampled for a request, or why none could be. `drafted`: the step has read it already."""

    request: int
    token: int
    first: bool
    complete: bool = False
    log: TokenLog | None = None
    error: str | None = None
    drafted: bool = False


def sample_and_verify(
    request_state: RequestState, row: Row, logits: Floats, ends: Set[int], sampled: list[SampledToken]
) -> None:
    """Sample from a row's lines of `logits`, `(1 + drafted, n_vocab)`, up to the first token that was drafted wrong.

    The tokens are added to `sampled`; one of `ends` is the last.
    """
    first = not request_state.first
    if first:
        request_state.first = time.perf_counter()
    count = request_state.sampler.spec.logprobs
    drafts = row.tokens[len(row.tokens) - row.drafted :]
    for place in range(1 + row.drafted):
        line = logits[place]
        try:
            token, complete = _choose(request_state, line)
        except GrammarFault as error:
            sampled.append(SampledToken(row.request, -1, first, error=f"The JSON schema became too complex: {error}"))
            return
        log = log_of(line, token, count) if count >= 0 else None
        right = place < row.drafted and token == drafts[place]
        sampled.append(SampledToken(row.request, token, first, complete, log, drafted=right))
        if not right or complete or token in ends:
            return
        first = False


def score(request_state: RequestState, row: Row, logits: Floats, prompt: Sequence[int]) -> tuple[TokenLog, ...]:
    """Return log-probabilities of prompt tokens that a row's lines of `logits` tell.

    Each line is about the token behind its own.
    """
    logs = []
    for place, line in enumerate(logits, row.position + 1):
        if request_state.scored < place < len(prompt):  # a sequence that lost its slot is computed again
            logs.append(log_of(line, prompt[place], request_state.sampler.spec.logprobs))
            request_state.scored = place
    return tuple(logs)


def _choose(request_state: RequestState, logits: Floats) -> tuple[int, bool]:
    """Sample the next token, and say whether the grammar is complete with it."""
    sampler, constraint = request_state.sampler, request_state.constraint
    if constraint is None:
        return sampler.choose(logits), False
    token = sampler.choose(logits, remember=False)
    if not constraint.permits(token):  # seldom: masking every time would cost more than sampling twice
        token = sampler.choose(logits, allowed=constraint.allowed(), remember=False)
    sampler.took(token)
    return token, constraint.took(token)

"""Draws the tokens of a step from its logits: one for each row, and more where guesses behind it were right.

Guessed or not, a token is drawn from the model's own logits by the request's own sampler and grammar, in the order in
which it would be drawn without guesses: an answer does not depend on them.
"""

import time
from collections.abc import Sequence, Set

import msgspec

from gateway.engine.grammar import Constraint, GrammarFault
from gateway.engine.messages import TokenLog
from gateway.engine.sampling import Floats, Sampler, log_of
from gateway.engine.steps import Row


class Job(msgspec.Struct, kw_only=True):
    """What the worker knows of a request besides its tokens."""

    sampler: Sampler
    constraint: Constraint | None = None
    began: float = 0.0
    first: float = 0.0
    scored: int = -1  # prompt tokens whose log-probability was told; -1: they are not wanted


class Drawn(msgspec.Struct, frozen=True):
    """A token that was drawn for a request, or why none could be. `guessed`: the step has read it already."""

    request: int
    token: int
    first: bool
    complete: bool = False
    log: TokenLog | None = None
    error: str | None = None
    guessed: bool = False


def draw(job: Job, row: Row, logits: Floats, ends: Set[int], drawn: list[Drawn]) -> None:
    """Adds what a row's lines of `logits` give to `drawn`: up to the first token that was guessed wrong."""
    first = not job.first
    if first:
        job.first = time.perf_counter()
    count = job.sampler.spec.logprobs
    guesses = row.tokens[len(row.tokens) - row.guessed :]
    for place in range(1 + row.guessed):
        line = logits[place]
        try:
            token, complete = _choose(job, line)
        except GrammarFault as error:
            drawn.append(Drawn(row.request, -1, first, error=f"The JSON schema became too complex: {error}"))
            return
        log = log_of(line, token, count) if count >= 0 else None
        right = place < row.guessed and token == guesses[place]
        drawn.append(Drawn(row.request, token, first, complete, log, guessed=right))
        if not right or complete or token in ends:
            return
        first = False


def score(job: Job, row: Row, logits: Floats, prompt: Sequence[int]) -> tuple[TokenLog, ...]:
    """Log-probabilities of prompt tokens that a row's lines of `logits` tell: each line of the token behind its own."""
    logs = []
    for place, line in enumerate(logits, row.position + 1):
        if job.scored < place < len(prompt):  # a sequence that lost its slot is computed again
            logs.append(log_of(line, prompt[place], job.sampler.spec.logprobs))
            job.scored = place
    return tuple(logs)


def _choose(job: Job, logits: Floats) -> tuple[int, bool]:
    """The next token, and whether the grammar is complete with it."""
    sampler, constraint = job.sampler, job.constraint
    if constraint is None:
        return sampler.choose(logits), False
    token = sampler.choose(logits, remember=False)
    if not constraint.permits(token):  # seldom: masking every time would cost more than drawing twice
        token = sampler.choose(logits, allowed=constraint.allowed(), remember=False)
    sampler.took(token)
    return token, constraint.took(token)

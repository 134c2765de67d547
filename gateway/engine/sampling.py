"""Draws the next token from logits, in numpy. One `Sampler` for each sequence; it owns that sequence's random state.

The order is llama.cpp's default chain: bias, penalties, top-k, top-p, min-p, temperature, draw. Instead of sorting the
vocabulary, only candidates near the maximum are looked at; the margin widens until nothing that the filters could keep
is left out, so the result is that of the full chain. For a given seed and the same logits the draw is the same; logits
themselves depend in their last digits on what else is in a batch and on what a cache contributed.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.engine.messages import SamplingSpec, TokenLog

Floats = NDArray[np.float32]

_REPEAT_WINDOW = 64  # llama.cpp's default for repeat_penalty
_MARGINS = (4.0, 8.0, 16.0, 32.0)  # logits below the maximum
_NEGLIGIBLE = 27.0  # exp(-27) of 150,000 tokens sums to less than 1e-6 of the maximum's mass
NEVER = -1e30


class Sampler:
    """The drawing of one sequence."""

    def __init__(self, spec: SamplingSpec, prompt: Sequence[int], banned: Sequence[int] = ()) -> None:
        self.spec = spec
        self.greedy = spec.temperature <= 0 or spec.top_k == 1
        self._random = random.Random(spec.seed)  # noqa: S311 - sampling, not cryptography
        self._counts: Counter[int] = Counter()
        self._recent = list(prompt[-_REPEAT_WINDOW:]) if spec.repeat_penalty != 1.0 else []
        self._penalises = bool(spec.frequency_penalty or spec.presence_penalty or spec.repeat_penalty != 1.0)
        bias = dict(spec.logit_bias)
        self._banned = frozenset(banned if spec.ignore_eos else ())
        # The likeliest token is the answer, unless it is banned.
        self._plain = self.greedy and not bias and not self._penalises
        bias |= dict.fromkeys(self._banned, -math.inf)
        self._bias_ids = np.fromiter(bias, np.int64, len(bias))
        self._bias = np.fromiter((max(value, NEVER) for value in bias.values()), np.float32, len(bias))

    def choose(
        self, logits: Floats, likeliest: int | None, *, allowed: NDArray[np.bool_] | None = None, remember: bool = True
    ) -> int:
        """The next token. `logits` is not changed; `likeliest` is its argmax, where known; `allowed` masks tokens."""
        if self._plain and likeliest is not None and likeliest not in self._banned:
            return likeliest
        logits = self._adjusted(logits, allowed)
        token = int(logits.argmax()) if self.greedy else self._draw(logits)
        if remember:
            self.took(token)
        return token

    def took(self, token: int) -> None:
        """Remembers a token that is now part of the answer."""
        if self._penalises:
            self._counts[token] += 1
            if self.spec.repeat_penalty != 1.0:
                self._recent.append(token)
                del self._recent[:-_REPEAT_WINDOW]

    def _adjusted(self, logits: Floats, allowed: NDArray[np.bool_] | None) -> Floats:
        if allowed is None and not self._bias_ids.size and not self._penalises:
            return logits
        logits = np.where(allowed, logits, np.float32(NEVER)) if allowed is not None else logits.copy()
        if self._bias_ids.size:
            logits[self._bias_ids] += self._bias
        if self._recent:
            ids = np.unique(np.asarray(self._recent, np.int64))
            values, penalty = logits[ids], np.float32(self.spec.repeat_penalty)
            logits[ids] = np.where(values > 0, values / penalty, values * penalty)
        if self._counts and (self.spec.frequency_penalty or self.spec.presence_penalty):
            ids = np.fromiter(self._counts, np.int64, len(self._counts))
            counts = np.fromiter(self._counts.values(), np.float32, len(self._counts))
            logits[ids] -= counts * np.float32(self.spec.frequency_penalty) + np.float32(self.spec.presence_penalty)
        return logits

    def _draw(self, logits: Floats) -> int:
        spec = self.spec
        highest = float(logits.max())
        floor = highest + math.log(spec.min_p) if spec.min_p > 0 else -math.inf
        ids, values, mass = _likeliest(logits, highest, spec.top_k, spec.top_p, floor)
        if spec.top_p < 1.0:
            before = np.cumsum(np.exp(values - highest))
            keep = 1 + int(np.searchsorted(before, spec.top_p * mass))
            ids, values = ids[:keep], values[:keep]
        if floor > -math.inf:
            keep = max(1, int(np.searchsorted(-values, -floor, side="right")))
            ids, values = ids[:keep], values[:keep]
        weights = np.cumsum(np.exp((values - highest) / max(spec.temperature, 1e-4)))
        drawn = int(np.searchsorted(weights, self._random.random() * weights[-1], side="right"))
        return int(ids[min(drawn, len(ids) - 1)])


def _likeliest(
    logits: Floats, highest: float, top_k: int, top_p: float, floor: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Ids and logits, falling, of all tokens that could pass the filters, and the mass that top-p is a share of.

    Mass is in units of the likeliest token's. `floor` is min-p as a logit.
    """
    if 0 < top_k < len(logits):
        ids, values = _top(logits, highest, top_k)
        return ids, values, float(np.exp(values - highest).sum())
    mass = float(np.exp(logits - np.float32(highest)).sum(dtype=np.float64)) if top_p < 1.0 else 1.0
    lowest = floor if floor > -math.inf else highest - _NEGLIGIBLE
    if top_p < 1.0:
        # Enough when what is left out weighs less than what top-p drops.
        for margin in _MARGINS:
            ids = np.flatnonzero(logits >= highest - margin)
            if np.exp(logits[ids] - highest).sum(dtype=np.float64) >= top_p * mass or highest - margin < lowest:
                return *_sorted(logits, ids), mass
    return *_sorted(logits, np.flatnonzero(logits >= lowest)), mass


def _top(logits: Floats, highest: float, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    for margin in _MARGINS:
        ids = np.flatnonzero(logits >= highest - margin)
        if len(ids) >= count:
            break
    else:
        ids = np.arange(len(logits))
    if len(ids) > 4 * count:
        ids = np.sort(ids[np.argpartition(logits[ids], -count)[-count:]])
    ids, values = _sorted(logits, ids)
    return ids[:count], values[:count]


def _sorted(logits: Floats, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    values = logits[ids]
    order = np.argsort(-values, kind="stable")
    return ids[order], values[order].astype(np.float64)


def log_of(logits: Floats, token: int, count: int) -> TokenLog:
    """Log-probabilities of `token` and of the `count` likeliest, from the model's own logits, before any filter."""
    highest = logits.max()
    total = float(highest) + math.log(float(np.exp(logits - highest, dtype=np.float32).sum(dtype=np.float64)))
    top: tuple[tuple[int, float], ...] = ()
    if count > 0:
        ids = np.argpartition(logits, -count)[-count:]
        ids = ids[np.argsort(-logits[ids], kind="stable")]
        top = tuple((int(i), float(logits[i]) - total) for i in ids)
    return TokenLog(logprob=float(logits[token]) - total, top=top)

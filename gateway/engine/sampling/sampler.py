"""Sample the next token from logits, in numpy. One `Sampler` for each sequence; it owns that sequence's random state.

The order is llama.cpp's default chain: bias, penalties, top-k, top-p, min-p, temperature, sampling. Instead of sorting
the vocabulary, only tokens that the filters could keep are looked at, so the result is that of the full chain. The same
seed and the same logits give the same token; logits themselves depend in their last digits on what else is in a batch
and on what a cache contributed.
"""

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.engine.messages import SamplingSpec, TokenLog

Floats = NDArray[np.float32]

_REPEAT_WINDOW = 64  # llama.cpp's default for repeat_penalty
_MARGINS = (4.0, 8.0, 16.0, 32.0)  # logits below the maximum
_NEGLIGIBLE = 27.0  # exp(-27) of 150,000 tokens sums to less than 1e-6 of the maximum's mass
_ROWS = 64  # of the table that the vocabulary is seen as
_FEW = 100
_PLENTY = 4  # candidates for each wanted token, beyond which the next margin is smaller
_FIRST_MARGIN, _WIDEST_MARGIN = 8.0, 64.0  # logits below the maximum
_COLDEST = 1e-4
_ONE_BY_ONE = 4
NEVER = -1e30


class Sampler:
    """Sampler of one sequence, with its random state and what its penalties count."""

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
        # Just after a step, numpy's code has left the processor's caches and a call is dear: a few go one by one.
        self._few = tuple(bias.items()) if len(bias) <= _ONE_BY_ONE and not self._penalises else ()
        self._margin = _FIRST_MARGIN
        self._near_mask = np.empty(0, np.bool_)  # kept from step to step: a new one each time would be dear

    def choose(self, logits: Floats, *, allowed: NDArray[np.bool_] | None = None, remember: bool = True) -> int:
        """Return the next token, from `logits` of shape `(n_vocab,)` float32.

        `logits` is as before when this returns; it may be changed meanwhile. `allowed`: a mask `(n_vocab,)` of the
        tokens that may come. `remember`: count the token for the penalties; else call `took`.
        """
        if self._plain and allowed is None:
            likeliest = int(logits.argmax())
            if likeliest not in self._banned:
                return likeliest
        if allowed is not None:
            logits = np.where(allowed, logits, np.float32(NEVER))
        if self._few:
            return self._choose_biased(logits)
        changed = self._changed()
        if changed is None:
            token = self._take(logits)
        else:  # a handful of tokens: cheaper than copying the vocabulary
            before = logits[changed]
            try:
                self._adjust(logits)
                token = self._take(logits)
            finally:
                logits[changed] = before
        if remember:
            self.took(token)
        return token

    def _choose_biased(self, logits: Floats) -> int:
        before = [(token, logits.item(token)) for token, _ in self._few]
        try:
            for (token, value), (_, add) in zip(before, self._few, strict=True):
                logits[token] = max(value + add, NEVER)
            return self._take(logits)
        finally:
            for token, value in before:
                logits[token] = value

    def _take(self, logits: Floats) -> int:
        return int(logits.argmax()) if self.greedy else self._sample(logits)

    def took(self, token: int) -> None:
        """Remember a token that is now part of the answer."""
        if self._penalises:
            self._counts[token] += 1
            if self.spec.repeat_penalty != 1.0:
                self._recent.append(token)
                del self._recent[:-_REPEAT_WINDOW]

    def _changed(self) -> NDArray[np.int64] | None:
        """Return the tokens whose logits bias and penalties change; None: none."""
        if not self._penalises:
            return self._bias_ids if self._bias_ids.size else None
        used = {*self._recent, *self._counts}
        ids = np.fromiter(used, np.int64, len(used))
        return np.concatenate((self._bias_ids, ids)) if self._bias_ids.size else ids

    def _adjust(self, logits: Floats) -> None:
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

    def _sample(self, logits: Floats) -> int:
        spec = self.spec
        floor = math.log(spec.min_p) if spec.min_p > 0 else -math.inf
        if 0 < spec.top_k <= _FEW and spec.top_k < len(logits):
            near = self._near(logits, spec.top_k)
            if near is None:
                ids, values = _top(logits, spec.top_k)
                return self._sample_few(ids.tolist(), values.tolist(), floor)
            return self._sample_few(*near, floor)
        if 0 < spec.top_k < len(logits):
            ids, values = _top(logits, spec.top_k)
            highest, mass = float(values[0]), math.nan
        else:
            highest = float(logits.max())
            ids, values, mass = _likeliest(logits, highest, spec.top_p, highest + floor)
        if spec.top_p < 1.0:
            before = np.cumsum(np.exp(values - highest))
            keep = 1 + int(np.searchsorted(before, spec.top_p * (before[-1] if math.isnan(mass) else mass)))
            ids, values = ids[:keep], values[:keep]
        if floor > -math.inf:
            keep = max(1, int(np.searchsorted(-values, -(highest + floor), side="right")))
            ids, values = ids[:keep], values[:keep]
        weights = np.cumsum(np.exp((values - highest) / max(spec.temperature, _COLDEST)))
        chosen = int(np.searchsorted(weights, self._random.random() * weights[-1], side="right"))
        return int(ids[min(chosen, len(ids) - 1)])

    def _near(self, logits: Floats, count: int) -> tuple[list[int], list[float]] | None:
        """Return ids and logits of the `count` likeliest tokens, falling; None: this margin had too few.

        The margin below the maximum follows what the sequence's last steps needed.
        """
        if len(self._near_mask) != len(logits):
            self._near_mask = np.empty(len(logits), np.bool_)
        # argmax and nonzero are plain C; max and flatnonzero go through several functions of numpy's in Python.
        highest = logits.item(logits.argmax())
        ids = np.greater_equal(logits, highest - self._margin, out=self._near_mask).nonzero()[0]
        found = len(ids)
        if found < count:
            self._margin = min(self._margin * 1.5, _WIDEST_MARGIN)
            return None
        values = logits[ids]
        if found > _PLENTY * count:
            self._margin *= 0.8
            lowest = np.partition(values, -count)[-count]
            best = (values >= lowest).nonzero()[0]  # with all that equal the last one: the smaller ids count
            ids, values = ids[best], values[best]
        order = (-values).argsort(kind="stable")[:count]  # equal logits: the smaller id first
        return ids[order].tolist(), values[order].tolist()

    def _sample_few(self, ids: list[int], values: list[float], floor: float) -> int:
        """Sample in plain Python, which is quicker than numpy for a few dozen candidates."""
        spec, highest, exp = self.spec, values[0], math.exp
        keep = len(values)
        if spec.top_p < 1.0:
            weights = [exp(value - highest) for value in values]
            enough, reached = spec.top_p * sum(weights), 0.0
            for number, weight in enumerate(weights, 1):
                reached += weight
                if reached >= enough:
                    keep = number
                    break
        lowest, coldest = highest + floor, max(spec.temperature, _COLDEST)
        total, sums = 0.0, []
        for value in values[:keep]:
            if value < lowest:
                break
            total += exp((value - highest) / coldest)
            sums.append(total)
        return ids[min(bisect_right(sums, self._random.random() * total), len(sums) - 1)]


def _likeliest(
    logits: Floats, highest: float, top_p: float, floor: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Return all tokens that top-p and min-p could keep: ids, logits (falling), and the mass that top-p is a share of.

    Mass is in units of the likeliest token's. `floor` is min-p as a logit.
    """
    mass = float(np.exp(logits - np.float32(highest)).sum(dtype=np.float64)) if top_p < 1.0 else 1.0
    lowest = floor if floor > -math.inf else highest - _NEGLIGIBLE
    if top_p < 1.0:
        for margin in _MARGINS:
            ids = np.flatnonzero(logits >= highest - margin)
            if np.exp(logits[ids] - highest).sum(dtype=np.float64) >= top_p * mass or highest - margin < lowest:
                return *_sorted(logits, ids), mass
    return *_sorted(logits, np.flatnonzero(logits >= lowest)), mass


def _top(logits: Floats, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return ids and logits of the `count` likeliest tokens, falling.

    The vocabulary is seen as columns. The likeliest tokens lie in the columns with the highest maxima, and one pass
    finds those maxima.
    """
    size = len(logits)
    columns = size // _ROWS
    if columns <= 4 * count:
        return _cut(logits, np.arange(size), count)
    table = logits[: columns * _ROWS].reshape(_ROWS, columns)
    best = np.argpartition(table.max(axis=0), -count)[-count:]
    ids = (best + np.arange(0, columns * _ROWS, columns)[:, None]).ravel()
    if columns * _ROWS < size:
        ids = np.concatenate((ids, np.arange(columns * _ROWS, size)))
    return _cut(logits, ids, count)


def _cut(logits: Floats, ids: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if len(ids) > 2 * count:
        ids = ids[np.argpartition(logits[ids], -count)[-count:]]
    ids, values = _sorted(logits, ids)
    return ids[:count], values[:count]


def _sorted(logits: Floats, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    values = logits[ids]
    order = np.lexsort((ids, -values))  # equal logits: the smaller id first, so that samples repeat
    return ids[order], values[order].astype(np.float64)


def log_of(logits: Floats, token: int, count: int) -> TokenLog:
    """Return log-probabilities of `token` and of the `count` likeliest, from the model's own logits, unfiltered."""
    highest = logits.max()
    total = float(highest) + math.log(float(np.exp(logits - highest, dtype=np.float32).sum(dtype=np.float64)))
    top: tuple[tuple[int, float], ...] = ()
    if count > 0:
        ids = np.argpartition(logits, -count)[-count:]
        ids = ids[np.argsort(-logits[ids], kind="stable")]
        top = tuple((int(i), float(logits[i]) - total) for i in ids)
    return TokenLog(logprob=float(logits[token]) - total, top=top)

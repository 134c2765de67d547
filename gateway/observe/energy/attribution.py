"""Who used a tick's energy. Pure: joules and work in, shares out.

A tick's joules belong to the running requests as far as the tick was busy, split by the tokens that each processed
in it (prompt tokens weigh less than generated ones); the rest is idle. INVARIANT: Σ shares + idle = total.
"""

from collections.abc import Mapping

import msgspec


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that one request has processed."""

    prefill: int = 0
    decode: int = 0


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Joules of one tick: each request's share, and the idle rest."""

    shares: Mapping[str, float]  # by request
    idle: float

    @property
    def request(self) -> float:
        """Return what requests used together, in joules."""
        return sum(self.shares.values())


def weigh(work: Mapping[str, Work], *, prefill: float, decode: float) -> dict[str, float]:
    """Return each request's work as one number: prompt tokens times `prefill` plus answer tokens times `decode`."""
    return {name: done.prefill * prefill + done.decode * decode for name, done in work.items()}


def split(joules: float, busy: float, weights: Mapping[str, float]) -> Split:
    """Split one tick's energy. `busy` is the share of the tick in which anything ran (0 to 1); weights are 0 or more.

    Requests that ran without finishing a token yet (all weights 0) share evenly.
    """
    if not weights or busy <= 0 or joules <= 0:
        return Split(shares=dict.fromkeys(weights, 0.0), idle=joules)
    used = joules * min(busy, 1.0)
    total = sum(weights.values())
    if total > 0:
        shares = {name: used * (weight / total) for name, weight in weights.items()}
    else:
        shares = dict.fromkeys(weights, used / len(weights))
    return Split(shares=shares, idle=joules - sum(shares.values()))


class Remainder:
    """Sum that gives out whole numbers and never drifts: what was cut off is carried to the next time."""

    def __init__(self) -> None:
        self._rest = 0.0

    def whole(self, value: float) -> int:
        """Add a value and return the whole part of everything that was not given out yet."""
        self._rest += value
        whole = int(self._rest)
        self._rest -= whole
        return whole

"""Cost model of speculative decoding: what draft tokens cost, how often they are accepted, whether they pay. Pure.

A step that reads several tokens of one sequence costs more than a step that reads one, but often less than several
steps. Where a draft is right, its tokens come for that price. Nothing here can change an answer: every token is sampled
from the model's own logits, in order, and what was drafted beyond the first difference is thrown away.
"""

from collections.abc import Mapping, Sequence

_MEMORY = 0.8  # what an attempt still counts after the next one
_PRIOR = (2.0, 1.0)  # right and wrong draft tokens that a new sequence starts with
_POOR_PRIOR = (1.0, 2.0)  # the same where first drafts of the sequences before were wrong
_TRY_EVERY = 8  # sequences of which one starts with the better prior all the same
_REST = 32  # steps without a draft after which a sequence may try again
_MARGIN = 1.1  # draft tokens must make a step worth that much more
_SURE = 0.97  # as likely as draft tokens get
_LENGTHS = (2, 4, 8, 16)
_PAYS = 16  # steps with draft tokens in a row that prove that they pay
_UNKNOWN = 0.02  # steps that a draft token is taken to cost before anything was measured
_LEARN = 0.3  # weight of a new measurement
_AGAIN, _SELDOM = 512, 16_384  # steps until a price that was too high is looked at again
_LOOK = 8  # plain steps for which an answer to "is it worth looking?" holds: prices move slowly
_REFERENCE = 64  # steps with draft tokens in a row before one without, which the price is measured against


class AcceptanceRate:
    """Estimate of how likely the next draft token of one sequence is accepted."""

    def __init__(self, prior: tuple[float, float] = _PRIOR) -> None:
        """Begin with so many right and wrong tokens."""
        self._right, self._wrong = prior
        self._rested = 0
        self.is_new = True  # no draft of this sequence was checked yet

    @property
    def value(self) -> float:
        """Probability, between 0 and 1."""
        return self._right / (self._right + self._wrong)

    def checked(self, drafted: int, right: int) -> None:
        """Note that of `drafted` tokens the first `right` ones were accepted.

        Those behind the first wrong one say nothing.
        """
        self._right = _MEMORY * self._right + right
        self._wrong = _MEMORY * self._wrong + (right < drafted)
        self._rested = 0
        self.is_new = False

    def rested(self) -> None:
        """Note a step without a draft, though there was one. After some of them the past is forgotten."""
        self._rested += 1
        if self._rested >= _REST:
            self._right, self._wrong = _PRIOR
            self._rested = 0


class FirstDrafts:
    """What became of the first drafts of recent sequences: who has only wrong ones need not try in each answer anew."""

    def __init__(self) -> None:
        self._rate = AcceptanceRate()
        self._begun = 0

    def begin(self) -> AcceptanceRate:
        """Return the rate that a new sequence starts with."""
        self._begun += 1
        poor = self._rate.value < 0.5 and self._begun % _TRY_EVERY
        return AcceptanceRate(_POOR_PRIOR if poor else _PRIOR)

    def checked(self, right: int) -> None:
        """Note how many tokens of a sequence's first draft were right."""
        self._rate.checked(1, min(right, 1))


class _BatchCost:
    """Cost of draft tokens in batches of about one size, in units of a step without them."""

    def __init__(self, first: Mapping[int, float]) -> None:
        self.first = first  # draft tokens → seconds that they cost at load
        self.plain = 0.0  # seconds of a step without draft tokens
        self.extra: dict[int, float] = {}  # draft tokens in a step → what they cost more, in such steps
        self.in_a_row = 0  # steps with draft tokens
        self.wait = _AGAIN
        self.waited = 0
        self.unpromising = 0  # plain steps that need no new look at what draft tokens could gain

    def of(self, drafted: int) -> float:
        """Return what so many draft tokens cost, in proportion to the nearest number that was measured."""
        if self.extra:
            return _nearest(self.extra, drafted)
        if self.first and self.plain:
            return _nearest(self.first, drafted) / self.plain
        return _UNKNOWN * drafted

    def forget(self) -> None:
        """Forget all measurements, to measure anew."""
        self.extra.clear()
        self.first = {}
        self.unpromising = 0


def _nearest(costs: Mapping[int, float], drafted: int) -> float:
    """Return the cost of so many draft tokens in proportion to the nearest known number."""
    known = drafted if drafted in costs else min(costs, key=lambda other: abs(other - drafted))
    return costs[known] * drafted / known


class DraftCostModel:
    """Model of what draft tokens cost, measured on running steps; decides how many to draft."""

    def __init__(self, *, always: bool = False, first: Mapping[int, float] | None = None) -> None:
        """`first`: draft tokens in a step → seconds that they cost more, as measured at load."""
        self._always = always  # for measurements and tests: draft whatever it costs
        self._first = first or {}
        self._costs: dict[int, _BatchCost] = {}

    def took(self, rows: int, drafted: int, seconds: float) -> None:
        """Note how many seconds a step of `rows` sequences with `drafted` draft tokens took."""
        cost = self._of(rows)
        if drafted == 0:
            cost.plain = cost.plain + _LEARN * (seconds - cost.plain) if cost.plain else seconds
            cost.in_a_row = 0
            cost.waited += 1
        elif cost.plain:
            cost.in_a_row += 1
            extra = max(0.0, seconds / cost.plain - 1)
            known = cost.extra.get(drafted, extra)
            cost.extra[drafted] = known + _LEARN * (extra - known)
            if cost.in_a_row == _PAYS:
                cost.wait = _AGAIN

    def wanted(self, rows: int) -> bool:
        """Say whether it is worth looking for draft tokens at all, in a step of so many sequences."""
        if self._always:
            return True
        cost = self._of(rows)
        if not cost.plain or cost.in_a_row >= _REFERENCE:
            return False
        if cost.unpromising:
            cost.unpromising -= 1
        elif any(_gain(cost, rows, (_SURE,), length) > 1 for length in _LENGTHS):
            return True
        else:
            cost.unpromising = _LOOK
        if cost.waited >= cost.wait:  # perhaps it has changed: measure anew
            cost.wait, cost.waited = min(_SELDOM, 2 * cost.wait), 0
            cost.forget()
            return True
        return False

    def length(self, rows: int, rates: Sequence[float], most: int) -> int:
        """Return how many tokens to draft for each of some sequences, in a step of `rows`; 0: none.

        `rates`: how likely a draft token of each of these sequences is accepted; `most`: the largest answer.
        """
        if self._always or not rates:
            return most if rates else 0
        cost = self._of(rows)
        gains = {length: _gain(cost, rows, rates, length) for length in {*_LENGTHS, most} if length <= most}
        best = max(gains, key=lambda length: gains[length], default=0)
        return best if best and gains[best] > 1 else 0

    def _of(self, rows: int) -> _BatchCost:
        cost = self._costs.get(rows.bit_length())
        if cost is None:
            cost = self._costs[rows.bit_length()] = _BatchCost(self._first)
        return cost


def _gain(cost: _BatchCost, rows: int, rates: Sequence[float], length: int) -> float:
    """Return tokens for each unit of time against those without draft tokens, less a margin.

    The token at depth i of a draft is of use with the probability rate ** i.
    """
    sure = [min(rate, _SURE) for rate in rates]
    useful = sum(rate * (1 - rate**length) / (1 - rate) for rate in sure)
    return (rows + useful) / rows / (1 + cost.of(length * len(rates))) / _MARGIN


def even(drafts: Mapping[int, list[int]], room: int) -> dict[int, list[int]]:
    """Cut drafts to equal length, `room` tokens at most in all.

    llama.cpp computes rows of different lengths in several passes. The shortest draft counts, unless it is so short
    that the others gain more without it.
    """
    best: dict[int, list[int]] = {}
    for length in sorted({len(draft) for draft in drafts.values()} - {0}):
        long_enough = {key: draft for key, draft in drafts.items() if len(draft) >= length}
        length = min(length, room // len(long_enough))
        if length * len(long_enough) > sum(map(len, best.values())):
            best = {key: draft[:length] for key, draft in long_enough.items()}
    return best

"""Guesses at the next tokens, and whether checking them in one step pays. Pure: token ids in, times in, counts out.

A step that reads several tokens of one sequence costs more than a step that reads one, but often less than several
steps. Where a guess is right, its tokens come for that price. Nothing here can change an answer: every token is drawn
from the model's own logits, in order, and what was guessed beyond the first difference is thrown away.
"""

from array import array
from collections.abc import Mapping, Sequence

_LENGTH = 3  # tokens that must have stood together before
_MOST_INDEXED = 4096  # positions that are indexed in one call, so that no step waits for a long prompt
_MEMORY = 0.8  # what an attempt still counts after the next one
_PRIOR = (2.0, 1.0)  # right and wrong guesses that a new sequence starts with
_REST = 32  # steps without a guess after which a sequence may try again
_MARGIN = 1.1  # guesses must make a step worth that much more
_SURE = 0.97  # as likely as guesses get
_LENGTHS = (2, 4, 8, 16)
_PAYS = 16  # steps with guesses in a row that prove that they pay
_UNKNOWN = 0.02  # steps that a guessed token is taken to cost before anything was measured
_LEARN = 0.3  # weight of a new measurement
_AGAIN, _SELDOM = 512, 16_384  # steps until a price that was too high is looked at again
_REFERENCE = 64  # guessing steps in a row before one without, which the price is measured against


class Lookup:
    """Where the last few tokens of a sequence stood before in it: what followed there is guessed to follow again."""

    def __init__(self) -> None:
        self._after: dict[tuple[int, int, int], int] = {}  # three tokens → the position behind where they stood last
        self._indexed = 0  # positions whose three tokens are in the index

    def guess(self, tokens: "array[int]", most: int) -> list[int]:
        """Up to `most` tokens that may follow `tokens`, which only grows from call to call."""
        last = len(tokens) - _LENGTH
        if last <= 0 or most <= 0:
            return []
        stop = min(last, self._indexed + _MOST_INDEXED)  # the last three stay out: they would find themselves
        if stop > self._indexed:
            part = tokens[self._indexed : stop + _LENGTH - 1]
            triples = zip(part, part[1:], part[2:], strict=False)
            self._after.update(zip(triples, range(self._indexed + _LENGTH, stop + _LENGTH), strict=False))
            self._indexed = stop
        place = self._after.get((tokens[-3], tokens[-2], tokens[-1]))
        if place is None:
            return []
        found = tokens[place : place + most].tolist()
        period = len(tokens) - place
        while len(found) < most:  # it repeats itself
            found.append(found[len(found) - period])
        return found


class Chance:
    """How likely the next guessed token of one sequence is right."""

    def __init__(self) -> None:
        self._right, self._wrong = _PRIOR
        self._rested = 0

    @property
    def value(self) -> float:
        """Between 0 and 1."""
        return self._right / (self._right + self._wrong)

    def checked(self, guessed: int, right: int) -> None:
        """Of so many guessed tokens so many were right; those behind the first wrong one say nothing."""
        self._right = _MEMORY * self._right + right
        self._wrong = _MEMORY * self._wrong + (right < guessed)
        self._rested = 0

    def rested(self) -> None:
        """A step without a guess, though there was one. After some of them the past is forgotten."""
        self._rested += 1
        if self._rested >= _REST:
            self._right, self._wrong = _PRIOR
            self._rested = 0


class _Price:
    """What guesses cost in batches of about one size."""

    def __init__(self, first: Mapping[int, float]) -> None:
        self.first = first  # guessed tokens → seconds that they cost at load
        self.plain = 0.0  # seconds of a step without guesses
        self.extra: dict[int, float] = {}  # guessed tokens in a step → what they cost more, in such steps
        self.in_a_row = 0  # steps with guesses
        self.wait = _AGAIN
        self.waited = 0

    def of(self, guessed: int) -> float:
        """What so many guessed tokens cost; from the nearest number that was measured, in proportion."""
        if self.extra:
            return _nearest(self.extra, guessed)
        if self.first and self.plain:
            return _nearest(self.first, guessed) / self.plain
        return _UNKNOWN * guessed

    def forget(self) -> None:
        """Measure anew."""
        self.extra.clear()
        self.first = {}


def _nearest(costs: Mapping[int, float], guessed: int) -> float:
    known = min(costs, key=lambda other: abs(other - guessed))
    return costs[known] * guessed / known


class Prices:
    """What guesses cost, measured on running steps, and how long they should be."""

    def __init__(self, *, always: bool = False, first: Mapping[int, float] | None = None) -> None:
        """`first`: guessed tokens in a step → seconds that they cost more, as measured at load."""
        self._always = always  # for measurements and tests: guess whatever it costs
        self._first = first or {}
        self._prices: dict[int, _Price] = {}

    def took(self, rows: int, guessed: int, seconds: float) -> None:
        """A step of `rows` sequences with so many guessed tokens was computed."""
        price = self._of(rows)
        if guessed == 0:
            price.plain = price.plain + _LEARN * (seconds - price.plain) if price.plain else seconds
            price.in_a_row = 0
            price.waited += 1
        elif price.plain:
            price.in_a_row += 1
            extra = max(0.0, seconds / price.plain - 1)
            known = price.extra.get(guessed, extra)
            price.extra[guessed] = known + _LEARN * (extra - known)
            if price.in_a_row == _PAYS:
                price.wait = _AGAIN

    def wanted(self, rows: int) -> bool:
        """Is it worth looking for guesses at all, in a step of so many sequences?"""
        if self._always:
            return True
        price = self._of(rows)
        if not price.plain or price.in_a_row >= _REFERENCE:
            return False
        if any(_gain(price, rows, (_SURE,), length) > 1 for length in _LENGTHS):
            return True
        if price.waited >= price.wait:  # perhaps it has changed: measure anew
            price.wait, price.waited = min(_SELDOM, 2 * price.wait), 0
            price.forget()
            return True
        return False

    def length(self, rows: int, chances: Sequence[float], most: int) -> int:
        """How many tokens to guess for each of the sequences with these chances, in a step of `rows`; 0: none."""
        if self._always or not chances:
            return most if chances else 0
        price = self._of(rows)
        gains = {length: _gain(price, rows, chances, length) for length in {*_LENGTHS, most} if length <= most}
        best = max(gains, key=lambda length: gains[length], default=0)
        return best if best and gains[best] > 1 else 0

    def _of(self, rows: int) -> _Price:
        price = self._prices.get(rows.bit_length())
        if price is None:
            price = self._prices[rows.bit_length()] = _Price(self._first)
        return price


def _gain(price: _Price, rows: int, chances: Sequence[float], length: int) -> float:
    """Tokens for each unit of time against those without guesses, less a margin.

    The token at depth i of a guess is of use with the probability chance ** i.
    """
    sure = [min(chance, _SURE) for chance in chances]
    useful = sum(chance * (1 - chance**length) / (1 - chance) for chance in sure)
    return (rows + useful) / rows / (1 + price.of(length * len(chances))) / _MARGIN


def even(guesses: Mapping[int, list[int]], room: int) -> dict[int, list[int]]:
    """Guesses of equal length, `room` tokens at most: llama.cpp computes rows of different lengths in several passes.

    The shortest one counts, unless it is so short that the others gain more without it.
    """
    best: dict[int, list[int]] = {}
    for length in sorted({len(guess) for guess in guesses.values()} - {0}):
        long_enough = {key: guess for key, guess in guesses.items() if len(guess) >= length}
        length = min(length, room // len(long_enough))
        if length * len(long_enough) > sum(map(len, best.values())):
            best = {key: guess[:length] for key, guess in long_enough.items()}
    return best

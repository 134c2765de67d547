"""Guesses at the next tokens, and whether checking them in one step pays. Pure: token ids in, times in, counts out.

A step that reads several tokens of one sequence costs more than a step that reads one, but often less than several
steps. Where a guess is right, its tokens come for that price. Nothing here can change an answer: every token is drawn
from the model's own logits, in order, and what was guessed beyond the first difference is thrown away.
"""

from array import array
from collections.abc import Mapping

_LENGTH = 3  # tokens that must have stood together before
_MOST_INDEXED = 4096  # positions that are indexed in one call, so that no step waits for a long prompt
_MEMORY = 0.8  # what an attempt still counts after the next one
_PRIOR = (2.0, 1.0)  # right and wrong guesses that a new sequence starts with
_REST = 32  # steps without a guess after which a sequence may try again
_MARGIN = 1.15  # a guess must be worth that much more than it costs
_UNKNOWN = 0.02  # steps that a guessed token is taken to cost before anything was measured
_LEARN = 0.3  # weight of a new measurement
_AGAIN, _SELDOM = 128, 16_384  # steps until a price that was too high is looked at again
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
    """What a guessed token costs in batches of about one size."""

    def __init__(self) -> None:
        self.plain = 0.0  # seconds of a step without guesses
        self.cost: float | None = None  # of one guessed token, in such steps
        self.since_plain = 0
        self.wait = _AGAIN
        self.waited = 0


class Prices:
    """What a guessed token costs, measured on running steps: in units of a step without guesses."""

    def __init__(self, *, always: bool = False) -> None:
        self._always = always  # for measurements and tests: guess whatever it costs
        self._prices: dict[int, _Price] = {}

    def took(self, rows: int, guessed: int, seconds: float) -> None:
        """A step of `rows` sequences with so many guessed tokens was computed."""
        price = self._of(rows)
        if guessed == 0:
            price.plain = price.plain + _LEARN * (seconds - price.plain) if price.plain else seconds
            price.since_plain = 0
            price.waited += 1
            return
        price.since_plain += 1
        if price.plain:
            cost = max(0.0, seconds / price.plain - 1) / guessed
            price.cost = cost if price.cost is None else price.cost + _LEARN * (cost - price.cost)

    def wanted(self, rows: int) -> bool:
        """Is it worth looking for guesses at all, in a step of so many sequences?"""
        if self._always:
            return True
        price = self._of(rows)
        if not price.plain or price.since_plain >= _REFERENCE:
            return False
        if price.cost is None or rows * price.cost * _MARGIN < 1.0:
            price.wait = _AGAIN
            return True
        if price.waited >= price.wait:  # perhaps it has changed: measure anew
            price.wait, price.waited, price.cost = min(_SELDOM, 2 * price.wait), 0, None
            return True
        return False

    def length(self, rows: int, chance: float, most: int) -> int:
        """How many tokens to guess for one of `rows` sequences: as long as the next one is worth its cost.

        The token at depth i is of use with the probability chance ** i; it is then one token more, of `rows` a step.
        """
        if self._always:
            return most
        cost = self._of(rows).cost
        least = rows * (_UNKNOWN if cost is None else cost) * _MARGIN
        length, worth = 0, chance
        while length < most and worth >= least:
            length += 1
            worth *= chance
        return length

    def _of(self, rows: int) -> _Price:
        return self._prices.setdefault(rows.bit_length(), _Price())


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

"""Adds guessed tokens to decode steps, and learns from what became of them.

Guesses come from the sequence itself (`drafting.Lookup`) or from a small model. A step has guesses of one kind only,
for the two have prices of their own. No llama.cpp here; the scheduler knows nothing of all this but `Row.guessed`.
"""

from array import array
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from typing import Protocol

import msgspec

from gateway.engine.drafting import Chance, Lookup, Prices, even
from gateway.engine.sequence import Sequence
from gateway.engine.steps import Row, Step


class Wish(msgspec.Struct, frozen=True):
    """A sequence that up to `most` tokens are to be guessed for."""

    slot: int
    tokens: "array[int]"
    most: int


class Proposer(Protocol):
    """A small model: `gateway.engine.draft_model.DraftModel`."""

    def guess(self, wishes: Items[Wish], /) -> Mapping[int, Items[int]]:
        """Slot → tokens that may follow; may be fewer than wished for, or none."""

    def set_threads(self, threads: int, /) -> None:
        """CPU threads from now on."""


class _Guesser(msgspec.Struct, kw_only=True):
    """What is known of one request."""

    lookup: Lookup
    looked_up: Chance
    modelled: Chance


class Guessing:
    """Owns what was learned. `most`: tokens guessed for a sequence; `room`: for all sequences of a step."""

    def __init__(
        self,
        *,
        most: int,
        room: int,
        lookup: bool = True,
        proposer: Proposer | None = None,
        always: bool = False,
        costs: Mapping[int, float] | None = None,
    ) -> None:
        """`costs`: what guesses cost at load, see `Prices`."""
        self._most = most
        self._room = room
        self._lookup = Prices(always=always, first=costs) if lookup else None
        self._model = Prices(always=always, first=costs) if proposer is not None else None
        self._proposer = proposer
        self._guessers: dict[int, _Guesser] = {}
        self._kind: Prices | None = None  # of the last step's guesses

    def extend(self, step: Step, sequence_of: Callable[[int], Sequence | None]) -> Step:
        """The step with guesses, or as it is. A row of the result reads its token and the guessed ones behind it."""
        self._kind = None
        if step.prefill:
            return step
        for prices, find in ((self._lookup, self._look_up), (self._model, self._ask)):
            if prices is not None and prices.wanted(len(step.rows)):
                found = find(prices, step.rows, sequence_of)
                if found:
                    self._kind = prices
                    rows = tuple([_with(row, found.get(row.slot)) for row in step.rows])
                    return Step(moves=step.moves, rows=rows, prefill=False)
        return step

    def checked(self, row: Row, right: int) -> None:
        """So many of a row's guessed tokens were what was drawn."""
        guesser = self._guessers.get(row.request)
        if guesser is not None:  # else it ended with this step
            chance = guesser.looked_up if self._kind is self._lookup else guesser.modelled
            chance.checked(row.guessed, right)

    def took(self, step: Step, seconds: float) -> None:
        """The step, finding its guesses included, took so long."""
        rows, guessed = len(step.rows), sum([row.guessed for row in step.rows]) if self._kind else 0
        for prices in (self._lookup, self._model):
            if prices is not None and (not guessed or prices is self._kind):
                prices.took(rows, guessed, seconds)

    @property
    def guessed(self) -> bool:
        """Has the step that was extended last any guesses?"""
        return self._kind is not None

    def set_threads(self, threads: int) -> None:
        """CPU threads from now on."""
        if self._proposer is not None:
            self._proposer.set_threads(threads)

    def forget(self, request: int) -> None:
        """It ended."""
        self._guessers.pop(request, None)

    def _look_up(
        self, prices: Prices, rows: Items[Row], sequence_of: Callable[[int], Sequence | None]
    ) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        chances: list[Chance] = []
        for row, sequence, guesser in self._candidates(rows, sequence_of):
            guess = guesser.lookup.guess(sequence.tokens, _room(sequence, self._most))
            if guess:
                found[row.slot] = guess
                chances.append(guesser.looked_up)
        length = self._length(prices, rows, chances)
        return even({slot: guess[:length] for slot, guess in found.items()}, self._room)

    def _ask(
        self, prices: Prices, rows: Items[Row], sequence_of: Callable[[int], Sequence | None]
    ) -> dict[int, list[int]]:
        candidates = self._candidates(rows, sequence_of)
        length = self._length(prices, rows, [guesser.modelled for _, _, guesser in candidates])
        if not length or self._proposer is None:
            return {}
        wishes = [Wish(row.slot, one.tokens, most) for row, one, _ in candidates if (most := _room(one, length))]
        return even({slot: list(guess) for slot, guess in self._proposer.guess(wishes).items()}, self._room)

    def _length(self, prices: Prices, rows: Items[Row], chances: list[Chance]) -> int:
        most = min(self._most, self._room // max(1, len(chances)))
        length = prices.length(len(rows), [chance.value for chance in chances], most)
        if not length:
            for chance in chances:
                chance.rested()
        return length

    def _candidates(
        self, rows: Items[Row], sequence_of: Callable[[int], Sequence | None]
    ) -> "list[tuple[Row, Sequence, _Guesser]]":
        candidates = []
        for row in rows:
            if row.outputs == 1 and len(row.tokens) == 1:
                sequence = sequence_of(row.request)
                assert sequence is not None
                candidates.append((row, sequence, self._of(row.request)))
        return candidates

    def _of(self, request: int) -> _Guesser:
        found = self._guessers.get(request)
        if found is None:
            found = _Guesser(lookup=Lookup(), looked_up=Chance(), modelled=Chance())
            self._guessers[request] = found
        return found


def _room(sequence: Sequence, most: int) -> int:
    """How many tokens of a guess can become part of an answer: the step draws one more."""
    return min(most, sequence.limit - len(sequence.tokens) - 1)


def _with(row: Row, guess: Items[int] | None) -> Row:
    if not guess:
        return row
    return Row(
        slot=row.slot,
        position=row.position,
        tokens=[*row.tokens, *guess],
        outputs=1 + len(guess),
        request=row.request,
        guessed=len(guess),
    )

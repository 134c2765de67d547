"""Speculative decoding: add draft tokens to decode steps, and learn from what became of them.

Draft tokens come from the sequence itself (`ngram.NgramProposer`), from the model's own draft head
(`head_proposer.HeadProposer`) or from a small model (`draft_model.DraftModel`). A
step has draft tokens of one kind only, for each kind has costs of its own. No llama.cpp here; the scheduler knows
nothing of all this but `Row.drafted`.
"""

from array import array
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from typing import Protocol

import msgspec

from gateway.engine.scheduler.sequence import Sequence
from gateway.engine.scheduler.step import Row, Step
from gateway.engine.speculative.cost_model import AcceptanceRate, DraftCostModel, FirstDrafts, even
from gateway.engine.speculative.ngram import NgramProposer


class DraftRequest(msgspec.Struct, frozen=True):
    """Wish for up to `most` draft tokens behind `tokens`, the sequence in a slot."""

    slot: int
    tokens: "array[int]"
    most: int


class DraftProposer(Protocol):
    """Small model that drafts: `gateway.engine.speculative.draft_model.DraftModel`."""

    def propose(self, draft_requests: Items[DraftRequest], /) -> Mapping[int, Items[int]]:
        """Return slot → tokens that may follow; may be fewer than wished for, or none."""

    def set_threads(self, threads: int, /) -> None:
        """Set the number of CPU threads for the next steps."""


class _RequestDrafts(msgspec.Struct, kw_only=True):
    """What was learned about one request."""

    ngrams: NgramProposer
    ngram_rate: AcceptanceRate
    model_rate: AcceptanceRate


class Speculator:
    """Owner of what was learned about draft tokens; decides which steps have some."""

    def __init__(
        self,
        *,
        most: int,
        room: int,
        lookup: bool = True,
        proposer: DraftProposer | None = None,
        always: bool = False,
        costs: Mapping[int, float] | None = None,
    ) -> None:
        """Begin with what was measured at load.

        Args:
            most: tokens drafted for one sequence in one step.
            room: tokens drafted for all sequences of a step together.
            lookup: draft by n-grams.
            proposer: the small model; None: there is none.
            always: draft whatever it costs, for measurements.
            costs: draft tokens in a step → seconds that they cost at load.
        """
        self._most = most
        self._room = room
        self._ngram_costs = DraftCostModel(always=always, first=costs) if lookup else None
        self._model_costs = DraftCostModel(always=always, first=costs) if proposer is not None else None
        self._proposer = proposer
        self._requests: dict[int, _RequestDrafts] = {}
        self._first_ngrams, self._first_by_model = FirstDrafts(), FirstDrafts()
        self._used: DraftCostModel | None = None  # of the last step's draft tokens

    def extend(self, step: Step, sequence_of: Callable[[int], Sequence | None]) -> Step:
        """Return the step with draft tokens, or as it is.

        A row of the result reads its own token and the drafted ones behind it.
        """
        self._used = None
        if step.prefill:
            return step
        for cost_model, find in (
            (self._ngram_costs, self._propose_ngrams),
            (self._model_costs, self._propose_by_model),
        ):
            if cost_model is not None and cost_model.wanted(len(step.rows)):
                found = find(cost_model, step.rows, sequence_of)
                if found:
                    self._used = cost_model
                    rows = tuple([_with(row, found.get(row.slot)) for row in step.rows])
                    return Step(cache_ops=step.cache_ops, rows=rows, prefill=False)
        return step

    def checked(self, row: Row, right: int) -> None:
        """Note that so many of a row's draft tokens were what was sampled."""
        learned = self._requests.get(row.request)
        if learned is not None:  # else it ended with this step
            by_ngrams = self._used is self._ngram_costs
            rate = learned.ngram_rate if by_ngrams else learned.model_rate
            if rate.is_new and row.drafted:
                (self._first_ngrams if by_ngrams else self._first_by_model).checked(right)
            rate.checked(row.drafted, right)

    def took(self, step: Step, seconds: float) -> None:
        """Note how many seconds the step took, finding its draft tokens included."""
        rows, drafted = len(step.rows), sum([row.drafted for row in step.rows]) if self._used else 0
        for cost_model in (self._ngram_costs, self._model_costs):
            if cost_model is not None and (not drafted or cost_model is self._used):
                cost_model.took(rows, drafted, seconds)

    @property
    def drafted(self) -> bool:
        """Whether the step that was extended last has any draft tokens."""
        return self._used is not None

    def set_threads(self, threads: int) -> None:
        """Set the number of CPU threads for the next steps."""
        if self._proposer is not None:
            self._proposer.set_threads(threads)

    def forget(self, request: int) -> None:
        """Forget a request that has ended."""
        self._requests.pop(request, None)

    def _propose_ngrams(
        self, cost_model: DraftCostModel, rows: Items[Row], sequence_of: Callable[[int], Sequence | None]
    ) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        rates: list[AcceptanceRate] = []
        for row, sequence, learned in self._candidates(rows, sequence_of):
            draft = learned.ngrams.propose(sequence.tokens, _room(sequence, self._most))
            if draft:
                found[row.slot] = draft
                rates.append(learned.ngram_rate)
        length = self._length(cost_model, rows, rates)
        return even({slot: draft[:length] for slot, draft in found.items()}, self._room)

    def _propose_by_model(
        self, cost_model: DraftCostModel, rows: Items[Row], sequence_of: Callable[[int], Sequence | None]
    ) -> dict[int, list[int]]:
        # The small model reads text only.
        candidates = [found for found in self._candidates(rows, sequence_of) if not found[1].spans]
        length = self._length(cost_model, rows, [learned.model_rate for _, _, learned in candidates])
        if not length or self._proposer is None:
            return {}
        draft_requests = [
            DraftRequest(row.slot, one.tokens, most) for row, one, _ in candidates if (most := _room(one, length))
        ]
        return even({slot: list(draft) for slot, draft in self._proposer.propose(draft_requests).items()}, self._room)

    def _length(self, cost_model: DraftCostModel, rows: Items[Row], rates: list[AcceptanceRate]) -> int:
        most = min(self._most, self._room // max(1, len(rates)))
        length = cost_model.length(len(rows), [rate.value for rate in rates], most)
        if not length:
            for rate in rates:
                rate.rested()
        return length

    def _candidates(
        self, rows: Items[Row], sequence_of: Callable[[int], Sequence | None]
    ) -> "list[tuple[Row, Sequence, _RequestDrafts]]":
        candidates = []
        for row in rows:
            if row.outputs == 1 and len(row.tokens) == 1:
                sequence = sequence_of(row.request)
                assert sequence is not None
                candidates.append((row, sequence, self._of(row.request)))
        return candidates

    def _of(self, request: int) -> _RequestDrafts:
        found = self._requests.get(request)
        if found is None:
            found = _RequestDrafts(
                ngrams=NgramProposer(),
                ngram_rate=self._first_ngrams.begin(),
                model_rate=self._first_by_model.begin(),
            )
            self._requests[request] = found
        return found


def _room(sequence: Sequence, most: int) -> int:
    """Return how many tokens of a draft can become part of an answer: the step samples one more."""
    return min(most, sequence.limit - len(sequence.tokens) - 1)


def _with(row: Row, draft: Items[int] | None) -> Row:
    if not draft:
        return row
    return Row(
        slot=row.slot,
        position=row.position,
        tokens=[*row.tokens, *draft],
        outputs=1 + len(draft),
        request=row.request,
        drafted=len(draft),
        shift=row.shift,
    )

"""Which steps get draft tokens, from where, and what is learned from them. No model."""

from array import array
from collections.abc import Mapping, Sequence

import pytest

from gateway.engine.scheduler.sequence import Sequence as Running
from gateway.engine.scheduler.step import Row, Step
from gateway.engine.speculative.speculator import DraftRequest, Speculator

REPEATING = (1, 2, 3, 4, 5, 1, 2, 3)
FRESH = (1, 2, 3, 4, 5, 6, 7, 8)


class Parrot:
    """A small model that always drafts the same."""

    def __init__(self) -> None:
        self.asked: list[DraftRequest] = []

    def propose(self, draft_requests: Sequence[DraftRequest]) -> Mapping[int, Sequence[int]]:
        """The token 9."""
        self.asked += draft_requests
        return {draft_request.slot: [9] * draft_request.most for draft_request in draft_requests}

    def set_threads(self, threads: int) -> None:
        """None."""


def running(number: int, tokens: tuple[int, ...], *, limit: int = 100) -> Running:
    """A sequence in the slot of its number."""
    return Running(
        id=number, tokens=array("i", tokens), prompt=2, limit=limit, isolation="", slot=number, done=len(tokens) - 1
    )


def step_of(*sequences: Running) -> Step:
    """One token of each."""
    rows = [
        Row(slot=one.slot, position=one.done, tokens=one.tokens[-1:], outputs=1, request=one.id) for one in sequences
    ]
    return Step(cache_ops=(), rows=tuple(rows), prefill=False)


def extended(speculator: Speculator, *sequences: Running) -> dict[int, list[int]]:
    """Request → draft tokens."""
    step = speculator.extend(step_of(*sequences), {one.id: one for one in sequences}.get)
    for row in step.rows:
        assert row.outputs == 1 + row.drafted
        assert len(row.tokens) == 1 + row.drafted
    assert speculator.drafted == any(row.drafted for row in step.rows)
    return {row.request: list(row.tokens[1:]) for row in step.rows if row.drafted}


def test_a_repeating_text_is_drafted_on() -> None:
    """A text that repeats itself gets draft tokens, another one gets none."""
    speculator = Speculator(most=4, room=32, always=True)
    assert extended(speculator, running(0, FRESH), running(1, REPEATING)) == {1: [4, 5, 1, 2]}


@pytest.mark.parametrize(("limit", "draft"), [(100, [4, 5, 1, 2]), (11, [4, 5]), (10, [4]), (9, [])])
def test_an_answer_is_not_drafted_beyond_its_end(limit: int, draft: list[int]) -> None:
    """No more is drafted than the answer may still have, less the token that the step samples anyway."""
    speculator = Speculator(most=4, room=32, always=True)
    assert extended(speculator, running(0, REPEATING, limit=limit)).get(0, []) == draft


def test_all_draft_tokens_of_a_step_have_room() -> None:
    """All drafts of a step have room and are equally long: else llama.cpp computes it in several passes."""
    speculator = Speculator(most=8, room=7, always=True)
    found = extended(speculator, *(running(number, REPEATING) for number in range(3)))
    assert {len(draft) for draft in found.values()} == {2}


def test_prompts_are_left_alone() -> None:
    """Steps that read prompts, and the rest of a prompt within another step, get no draft tokens."""
    speculator = Speculator(most=8, room=32, always=True)
    one = running(0, REPEATING)
    prefill = Step(cache_ops=(), rows=step_of(one).rows, prefill=True)
    assert speculator.extend(prefill, {0: one}.get) is prefill
    rest = Step(cache_ops=(), rows=(Row(slot=0, position=3, tokens=(4,), outputs=0, request=0),), prefill=False)
    assert speculator.extend(rest, {0: one}.get) is rest


def test_the_small_model_drafts_where_nothing_repeats() -> None:
    """Where nothing repeats the small model drafts; a step has draft tokens of one kind."""
    parrot = Parrot()
    speculator = Speculator(most=2, room=32, proposer=parrot, always=True)
    assert extended(speculator, running(0, FRESH), running(1, FRESH)) == {0: [9, 9], 1: [9, 9]}
    assert extended(speculator, running(0, FRESH), running(1, REPEATING)) == {1: [4, 5]}
    assert [draft_request.slot for draft_request in parrot.asked] == [0, 1]


def test_before_a_plain_step_was_timed_nothing_is_drafted() -> None:
    """Nothing is drafted before a step without draft tokens was timed, for there is nothing to compare with."""
    speculator = Speculator(most=4, room=32)
    one = running(0, REPEATING)
    assert extended(speculator, one) == {}
    speculator.took(step_of(one), 0.01)
    assert extended(speculator, one) == {0: [4, 5, 1, 2]}


def test_it_stops_where_it_does_not_pay() -> None:
    """Drafting stops after a step that took too long for what it gave, and where drafts are wrong."""
    speculator = Speculator(most=4, room=32)
    one = running(0, REPEATING)
    speculator.took(step_of(one), 0.01)
    step = speculator.extend(step_of(one), {0: one}.get)
    speculator.took(step, 0.05)
    speculator.checked(step.rows[0], 4)
    assert extended(speculator, one) == {}
    cheap = Speculator(most=4, room=32)
    cheap.took(step_of(one), 0.01)
    for _ in range(30):
        step = cheap.extend(step_of(one), {0: one}.get)
        cheap.took(step, 0.014 if cheap.drafted else 0.01)
        if cheap.drafted:
            cheap.checked(step.rows[0], 0)
    assert extended(cheap, one) == {}
    tried = 0
    for _ in range(8):  # another request may be luckier: one of eight tries
        cheap.forget(0)
        tried += extended(cheap, one) != {}
    assert tried == 1

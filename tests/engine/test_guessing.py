"""Which steps get guesses, from where, and what is learned from them. No model."""

from array import array
from collections.abc import Mapping, Sequence

import pytest

from gateway.engine.guessing import Guessing, Wish
from gateway.engine.sequence import Sequence as Running
from gateway.engine.steps import Row, Step

REPEATING = (1, 2, 3, 4, 5, 1, 2, 3)
FRESH = (1, 2, 3, 4, 5, 6, 7, 8)


class Parrot:
    """A small model that always guesses the same."""

    def __init__(self) -> None:
        self.asked: list[Wish] = []

    def guess(self, wishes: Sequence[Wish]) -> Mapping[int, Sequence[int]]:
        """The token 9."""
        self.asked += wishes
        return {wish.slot: [9] * wish.most for wish in wishes}

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
    return Step(moves=(), rows=tuple(rows), prefill=False)


def extended(guessing: Guessing, *sequences: Running) -> dict[int, list[int]]:
    """Request → guessed tokens."""
    step = guessing.extend(step_of(*sequences), {one.id: one for one in sequences}.get)
    for row in step.rows:
        assert row.outputs == 1 + row.guessed
        assert len(row.tokens) == 1 + row.guessed
    assert guessing.guessed == any(row.guessed for row in step.rows)
    return {row.request: list(row.tokens[1:]) for row in step.rows if row.guessed}


def test_a_repeating_text_is_guessed_on() -> None:
    """Another one is not."""
    guessing = Guessing(most=4, room=32, always=True)
    assert extended(guessing, running(0, FRESH), running(1, REPEATING)) == {1: [4, 5, 1, 2]}


@pytest.mark.parametrize(("limit", "guess"), [(100, [4, 5, 1, 2]), (11, [4, 5]), (10, [4]), (9, [])])
def test_an_answer_is_not_guessed_beyond_its_end(limit: int, guess: list[int]) -> None:
    """The step draws one token more than was guessed, and the limit holds."""
    guessing = Guessing(most=4, room=32, always=True)
    assert extended(guessing, running(0, REPEATING, limit=limit)).get(0, []) == guess


def test_all_guesses_of_a_step_have_room() -> None:
    """And are equally long: else llama.cpp computes the step in several passes."""
    guessing = Guessing(most=8, room=7, always=True)
    found = extended(guessing, *(running(number, REPEATING) for number in range(3)))
    assert {len(guess) for guess in found.values()} == {2}


def test_prompts_are_left_alone() -> None:
    """Steps that read prompts, and the rest of a prompt within another step."""
    guessing = Guessing(most=8, room=32, always=True)
    one = running(0, REPEATING)
    prefill = Step(moves=(), rows=step_of(one).rows, prefill=True)
    assert guessing.extend(prefill, {0: one}.get) is prefill
    rest = Step(moves=(), rows=(Row(slot=0, position=3, tokens=(4,), outputs=0, request=0),), prefill=False)
    assert guessing.extend(rest, {0: one}.get) is rest


def test_the_small_model_guesses_where_nothing_repeats() -> None:
    """A step has guesses of one kind."""
    parrot = Parrot()
    guessing = Guessing(most=2, room=32, proposer=parrot, always=True)
    assert extended(guessing, running(0, FRESH), running(1, FRESH)) == {0: [9, 9], 1: [9, 9]}
    assert extended(guessing, running(0, FRESH), running(1, REPEATING)) == {1: [4, 5]}
    assert [wish.slot for wish in parrot.asked] == [0, 1]


def test_before_a_plain_step_was_timed_nothing_is_guessed() -> None:
    """There is nothing to compare with."""
    guessing = Guessing(most=4, room=32)
    one = running(0, REPEATING)
    assert extended(guessing, one) == {}
    guessing.took(step_of(one), 0.01)
    assert extended(guessing, one) == {0: [4, 5, 1, 2]}


def test_it_stops_where_it_does_not_pay() -> None:
    """After a step with guesses that took as long as that many steps; and where guesses are wrong."""
    guessing = Guessing(most=4, room=32)
    one = running(0, REPEATING)
    guessing.took(step_of(one), 0.01)
    step = guessing.extend(step_of(one), {0: one}.get)
    guessing.took(step, 0.05)
    guessing.checked(step.rows[0], 4)
    assert extended(guessing, one) == {}
    cheap = Guessing(most=4, room=32)
    cheap.took(step_of(one), 0.01)
    for _ in range(30):
        step = cheap.extend(step_of(one), {0: one}.get)
        cheap.took(step, 0.014 if cheap.guessed else 0.01)
        if cheap.guessed:
            cheap.checked(step.rows[0], 0)
    assert extended(cheap, one) == {}
    cheap.forget(0)  # another request may be luckier
    assert extended(cheap, one) != {}

"""Cost model of speculative decoding: what is drafted, and when it pays. Fed with token ids and made-up times."""

import random
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.engine.speculative.cost_model import AcceptanceRate, DraftCostModel, FirstDrafts, even
from gateway.engine.speculative.ngram import NgramProposer


def tokens_of(*ids: int) -> "array[int]":
    """Token ids as a sequence holds them."""
    return array("i", ids)


@pytest.mark.parametrize(
    ("tokens", "most", "draft"),
    [
        ((1, 2, 3, 4, 5, 9, 1, 2, 3), 3, [4, 5, 9]),
        ((1, 2, 3, 4, 5, 9, 1, 2, 3), 0, []),
        ((1, 2, 3, 7, 1, 2, 3, 8, 1, 2, 3), 1, [8]),  # the latest occurrence
        ((1, 2, 3, 4, 1, 2, 3), 6, [4, 1, 2, 3, 4, 1]),  # goes on as it repeats itself
        ((5, 5, 5, 5), 4, [5, 5, 5, 5]),
        ((1, 2, 3), 4, []),
        ((1, 2), 4, []),
        ((), 4, []),
        ((1, 2, 3, 4, 5, 6), 4, []),
    ],
)
def test_what_followed_before_is_drafted_again(tokens: tuple[int, ...], most: int, draft: list[int]) -> None:
    """Three tokens that stood together before are followed by what followed them then."""
    assert NgramProposer().propose(tokens_of(*tokens), most) == draft


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 3), max_size=60), st.integers(0, 60), st.integers(1, 8))
def test_an_index_that_grew_finds_what_a_new_one_finds(ids: list[int], half: int, most: int) -> None:
    """An index that grew call by call drafts what a new one would, and what it drafts did follow these three tokens."""
    grown = NgramProposer()
    for end in range(min(half, len(ids)), len(ids)):
        grown.propose(tokens_of(*ids[:end]), most)
    draft = grown.propose(tokens_of(*ids), most)
    assert draft == NgramProposer().propose(tokens_of(*ids), most)
    if draft:
        assert len(draft) == most
        text = [*ids, *draft]
        triple = text[len(ids) - 3 : len(ids) + 1]
        assert any(ids[at : at + 4] == triple for at in range(len(ids) - 3)) or ids[-3:] == [draft[0]] * 3


def test_a_long_prompt_is_indexed_in_parts() -> None:
    """A long prompt is indexed in parts: no single call takes long, and after some calls all of it is known."""
    ids = list(range(10_000))
    tokens = tokens_of(*ids, 9_000, 9_001, 9_002)
    lookup = NgramProposer()
    drafts = [lookup.propose(tokens, 2) for _ in range(4)]
    assert drafts[0] == []
    assert drafts[-1] == [9_003, 9_004]


def test_sequences_learn_from_the_first_drafts_of_those_before() -> None:
    """Where they were wrong, the next sequences expect less, but for one now and then, whose right draft ends it."""
    firsts = FirstDrafts()
    hopeful = firsts.begin().value
    firsts.checked(0)
    expected = [firsts.begin().value for _ in range(16)]
    assert sum(value < hopeful for value in expected) == 14
    assert sum(value == hopeful for value in expected) == 2
    firsts.checked(2)
    assert [firsts.begin().value for _ in range(4)] == [hopeful] * 4


def test_the_chance_follows_what_was_right() -> None:
    """The acceptance rate follows what was accepted; after a rest a sequence may try anew."""
    chance = AcceptanceRate()
    start = chance.value
    for _ in range(10):
        chance.checked(4, 4)
    assert chance.value > 0.95
    for _ in range(20):
        chance.checked(4, 0)
    assert chance.value < 0.1
    for _ in range(31):
        chance.rested()
    assert chance.value < 0.1
    chance.rested()
    assert chance.value == start


def run(
    cost_model: DraftCostModel, *, rows: int, cost: float, chance: float, steps: int, seed: int = 1
) -> tuple[float, int, int]:
    """Steps of a machine on which a draft token costs `cost` steps and is right with probability `chance`.

    Returns tokens for each unit of time (1: as without draft tokens), steps with draft tokens, and draft tokens.
    """
    draw, chances = random.Random(seed), [AcceptanceRate() for _ in range(rows)]
    time, produced, speculator, total = 0.0, 0, 0, 0
    for _ in range(steps):
        drafted = 0
        wanted = cost_model.wanted(rows)
        length = cost_model.length(rows, [one.value for one in chances], 8) if wanted else 0
        for one in chances:
            right = next((depth for depth in range(length) if draw.random() >= chance), length)
            produced += 1 + right
            drafted += length
            if length:
                one.checked(length, right)
            elif wanted:
                one.rested()
        seconds = 1.0 + cost * drafted
        time += seconds
        speculator += drafted > 0
        total += drafted
        cost_model.took(rows, drafted, seconds)
    return produced / time / rows, speculator, total


@pytest.mark.parametrize(
    ("rows", "cost", "chance", "gain"),
    [
        (1, 0.02, 0.95, 4.0),  # a GPU that copies: rows are nearly free
        (1, 0.02, 0.5, 1.5),
        (1, 0.25, 0.95, 1.7),
        (8, 0.02, 0.95, 2.2),
        (8, 0.02, 0.6, 1.2),
    ],
)
def test_where_it_pays(rows: int, cost: float, chance: float, gain: float) -> None:
    """Where extra rows are cheap and drafts good, answers come faster with draft tokens."""
    assert run(DraftCostModel(), rows=rows, cost=cost, chance=chance, steps=2000)[0] > gain


@pytest.mark.parametrize(
    ("rows", "cost", "chance"),
    [
        (1, 0.9, 0.95),  # rows cost as much as steps: a CPU
        (1, 3.0, 1.0),
        (8, 0.12, 0.9),  # the batch is full enough
        (16, 0.5, 0.5),
        (1, 0.3, 0.05),  # draft tokens are wrong: prose
        (4, 0.02, 0.0),
    ],
)
def test_where_it_does_not_pay_it_costs_nearly_nothing(rows: int, cost: float, chance: float) -> None:
    """Where drafts do not pay, finding that out costs at most four percent of the speed."""
    speed, _, _ = run(DraftCostModel(), rows=rows, cost=cost, chance=chance, steps=5000)
    assert speed > 0.96


def test_too_dear_is_found_out_by_few_draft_tokens() -> None:
    """Few draft tokens show that they are too dear; they are tried again seldom, and used if that has changed."""
    cost_model = DraftCostModel()
    _, speculator, _ = run(cost_model, rows=1, cost=1.0, chance=0.9, steps=4000)
    assert 2 <= speculator <= 10
    run(cost_model, rows=1, cost=0.02, chance=0.9, steps=10_000)
    assert run(cost_model, rows=1, cost=0.02, chance=0.9, steps=1000)[0] > 3


def test_steps_without_draft_tokens_are_measured_now_and_then() -> None:
    """A step without draft tokens is measured now and then: costs are compared with the present."""
    cost_model = DraftCostModel()
    run(cost_model, rows=1, cost=0.02, chance=1.0, steps=1000)
    speed, speculator, _ = run(cost_model, rows=1, cost=0.02, chance=1.0, steps=1000)
    assert 950 < speculator < 1000
    assert speed > 5


def test_what_was_measured_at_load_saves_trying() -> None:
    """By the costs measured at load, dear drafts are never tried, and cheap ones are long at once."""
    dear = DraftCostModel(first={2: 1.5, 4: 2.5, 8: 5.0})
    assert run(dear, rows=1, cost=1.0, chance=0.9, steps=500)[1] == 0
    cheap = DraftCostModel(first={2: 0.05, 8: 0.1})
    assert run(cheap, rows=1, cost=0.02, chance=0.95, steps=500)[0] > 3
    assert run(DraftCostModel(first={8: 0.8}), rows=16, cost=0.1, chance=0.5, steps=500)[1] == 0


def test_always_means_always() -> None:
    """The setting for measurements drafts as long as wanted, whatever it costs."""
    cost_model = DraftCostModel(always=True)
    assert run(cost_model, rows=2, cost=5.0, chance=0.1, steps=100)[1:] == (100, 1600)


@pytest.mark.parametrize(
    ("lengths", "room", "even_"),
    [
        ({1: 8}, 20, {1: 8}),
        ({1: 8}, 5, {1: 5}),
        ({1: 8, 2: 2}, 20, {1: 8}),  # eight are more than two times two
        ({1: 8, 2: 5}, 20, {1: 5, 2: 5}),
        ({1: 8, 2: 5}, 7, {1: 7}),
        ({1: 4, 2: 4, 3: 4}, 8, {1: 2, 2: 2, 3: 2}),
        ({1: 4, 2: 0}, 8, {1: 4}),
        ({1: 4, 2: 4}, 1, {}),
        ({1: 8}, 0, {}),
        ({}, 8, {}),
    ],
)
def test_draft_tokens_of_a_step_are_equally_long(lengths: dict[int, int], room: int, even_: dict[int, int]) -> None:
    """All drafts of a step are equally long, and no more than it has room for."""
    found = even({key: list(range(length)) for key, length in lengths.items()}, room)
    assert found == {key: list(range(length)) for key, length in even_.items()}

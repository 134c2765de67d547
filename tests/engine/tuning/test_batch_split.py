"""Decode steps in the parts that a machine computes fastest."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.scheduler.step import Row
from gateway.engine.tuning.batch_split import BatchSplitter, measure_batches, measure_draft_tokens


def rows(count: int) -> tuple[Row, ...]:
    """One token for each of so many sequences."""
    return tuple(Row(slot=slot, position=9, tokens=(1,), outputs=1, request=slot) for slot in range(count))


def sizes(costs: Mapping[int, float], count: int) -> list[int]:
    """The pieces of a step of so many rows, once steps have confirmed the costs."""
    splitter = BatchSplitter(costs)
    for _ in range(6):
        run(splitter, costs, count)
    return [len(piece) for piece in splitter.of(rows(count))]


def run(splitter: BatchSplitter, costs: Mapping[int, float], count: int) -> list[int]:
    """One step on a machine with these costs."""
    step = [len(piece) for piece in splitter.of(rows(count))]
    splitter.took(count, sum(costs.get(size, 0.0) for size in step))
    return step


@pytest.mark.parametrize(
    ("costs", "count", "expected"),
    [
        ({}, 5, [5]),
        ({1: 1.0, 2: 1.1, 3: 1.2, 4: 1.3}, 4, [4]),  # a GPU: more rows cost next to nothing
        ({1: 1.0, 2: 4.0, 3: 5.0, 4: 5.5}, 4, [1, 1, 1, 1]),  # a CPU whose kernels for few rows are slow
        ({1: 1.0, 2: 4.0, 3: 5.0, 4: 2.0, 5: 7.0}, 5, [4, 1]),
        ({1: 1.0, 2: 2.01}, 2, [2]),  # not worth a second call
        ({1: 1.0, 2: 4.0}, 3, [3]),  # three were never measured
    ],
)
def test_the_cheapest_pieces(costs: Mapping[int, float], count: int, expected: list[int]) -> None:
    """A step is divided only where measuring has shown that this is clearly cheaper."""
    assert sizes(costs, count) == expected


@given(st.lists(st.floats(0.001, 10.0), min_size=1, max_size=12), st.integers(1, 14))
def test_every_row_is_computed_once_and_in_order(costs: list[float], count: int) -> None:
    """Whatever was measured, every row is computed once and in order."""
    step = rows(count)
    splitter = list(BatchSplitter(dict(enumerate(costs, 1))).of(step))
    assert tuple(row for piece in splitter for row in piece) == step


@given(st.lists(st.floats(0.001, 10.0), min_size=1, max_size=12))
def test_pieces_never_cost_more_than_the_whole(costs: list[float]) -> None:
    """By the measured costs, the parts never cost more than the whole."""
    known = dict(enumerate(costs, 1))
    for count in known:
        assert sum(known[size] for size in sizes(known, count)) <= known[count] * (1 + 1e-9)


def test_a_mistaken_measurement_is_corrected() -> None:
    """Parts that seemed cheaper while the machine was busy, and are not, are given up."""
    busy, real = {1: 1.0, 2: 4.0, 3: 5.0, 4: 9.0}, {1: 1.0, 2: 1.1, 3: 1.2, 4: 1.3}
    splitter = BatchSplitter(busy)
    steps = [run(splitter, real, 4) for _ in range(200)]
    assert steps.count([1, 1, 1, 1]) == 3
    assert steps[-1] == [4]


def test_what_changes_is_noticed() -> None:
    """Both ways are compared again now and then, so that a change is found out."""
    slow, quick = {1: 1.0, 2: 4.0, 3: 5.0, 4: 9.0}, {1: 1.0, 2: 1.1, 3: 1.2, 4: 1.3}
    splitter = BatchSplitter(slow)
    assert [run(splitter, slow, 4) for _ in range(20)][-1] == [1, 1, 1, 1]
    assert [run(splitter, quick, 4) for _ in range(300)][-1] == [4]


class Recorder:
    """Plays the model."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.steps: list[int] = []

    def decode(self, rows: tuple[Row, ...]) -> None:
        assert not self.held & {row.slot for row in rows}
        self.held |= {row.slot for row in rows}
        self.steps.append(len(rows))

    def trim(self, slot: int, length: int) -> bool:
        self.held.discard(slot)
        return length == 0


def test_measuring_leaves_no_trace() -> None:
    """Every number of rows is measured, and no sequence holds anything afterwards."""
    model = Recorder()
    assert set(measure_batches(model, 6)) == set(range(1, 7))
    assert set(model.steps) == set(range(1, 7))
    assert not model.held


def test_measuring_gives_up_on_slow_machines() -> None:
    """A number of rows that was not measured in time is computed in one part."""
    assert set(measure_batches(Recorder(), 6, seconds=0.0)) == {1}


def test_rows_with_draft_tokens_are_batches_alone_where_pieces_are_cheaper() -> None:
    """Rows with draft tokens are batches of their own where parts are cheaper; else the whole step is one batch."""
    costs = {1: 1.0, 2: 4.0, 3: 5.0}
    splitter = BatchSplitter(costs)
    for _ in range(6):
        run(splitter, costs, 3)
    speculator = Row(slot=1, position=9, tokens=(1, 2, 3), outputs=3, request=1, drafted=2)
    step = (rows(3)[0], speculator, rows(3)[2])
    divided = list(splitter.with_drafts(step))
    assert divided[0] == (speculator,)
    assert {row.slot for piece in divided[1:] for row in piece} == {0, 2}
    assert list(BatchSplitter().with_drafts(step)) == [step]


class Clockwork:
    """A model that remembers what it was asked to compute."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def decode(self, rows: tuple[Row, ...]) -> None:
        """Computes nothing."""
        self.rows += rows

    def trim(self, slot: int, length: int) -> bool:
        """Forgets."""
        return slot == length == 0


@pytest.mark.parametrize(("most", "lengths"), [(8, {2, 4, 8}), (5, {2, 4}), (1, set()), (32, {2, 4, 8, 16})])
def test_draft_tokens_are_measured_at_load(most: int, lengths: set[int]) -> None:
    """Drafts are measured up to the length that they will have, and never cost less than nothing."""
    model = Clockwork()
    costs = measure_draft_tokens(model, most)
    assert set(costs) == lengths
    assert min(costs.values(), default=0.0) >= 0.0
    assert all(row.outputs == len(row.tokens) == 1 + row.drafted for row in model.rows)
    assert measure_draft_tokens(model, most, seconds=0.0) == {}

"""The number of threads follows the machine, by times that a fake one gives: no clock, no threads."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.engine.tuning.thread_tuner import ThreadTuner, choices

Machine = Callable[[int], float]


def ideal(cores: int) -> Machine:
    """Work is shared evenly; more threads than cores only disturb."""
    return lambda threads: 0.1 / min(threads, cores) + 0.001 * max(0, threads - cores)


def contended(free: int) -> Machine:
    """Others use the remaining cores: threads beyond the free ones make every step wait."""
    return lambda threads: 0.1 / threads if threads <= free else 0.5


def run(tuner: ThreadTuner, machine: Machine, steps: int, *, rows: int = 4, noise: float = 0.0) -> Counter[int]:
    """Steps with each number of threads."""
    draw, used = random.Random(5), Counter[int]()
    for _ in range(steps):
        used[tuner.threads] += 1
        tuner.took(rows, machine(tuner.threads) * (1 + noise * draw.random()))
    return used


@pytest.mark.parametrize(
    ("cores", "numbers"),
    [
        (1, (1,)),
        (2, (1, 2)),
        (4, (1, 2, 3, 4)),
        (8, (1, 2, 4, 6, 7, 8)),
        (24, (1, 3, 6, 12, 18, 23, 24)),
    ],
)
def test_numbers_worth_trying(cores: int, numbers: tuple[int, ...]) -> None:
    """The numbers worth trying go from one to all cores, in few steps."""
    assert choices(cores) == numbers


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("start", [1, 4, 7, 8])
@pytest.mark.parametrize(
    ("machine", "best"),
    [(ideal(8), {8}), (ideal(4), {4}), (contended(2), {2}), (contended(6), {6}), (contended(1), {1})],
    ids=["all cores", "half of them", "two are free", "six are free", "one is free"],
)
def test_it_finds_the_best_number(machine: Machine, best: set[int], start: int, noise: float) -> None:
    """From wherever it starts, also when times jitter. Seven threads are nearly as good as eight: that may stay."""
    tuner = ThreadTuner(choices(8), start)
    run(tuner, machine, 3000, noise=noise)
    used = run(tuner, machine, 1000, noise=noise)
    (number, count) = used.most_common(1)[0]
    assert machine(number) <= 1.25 * machine(min(best))
    assert count > 900


def test_it_follows_when_the_machine_changes() -> None:
    """The number follows when other work comes to the machine, and when it goes again."""
    tuner = ThreadTuner(choices(4), 4)
    assert run(tuner, ideal(4), 2000)[4] > 1800
    run(tuner, contended(1), 600)
    assert run(tuner, contended(1), 1000)[1] > 900
    run(tuner, ideal(4), 20_000)
    assert run(tuner, ideal(4), 1000)[4] > 900


def test_trials_cost_little_where_there_is_nothing_to_gain() -> None:
    """With nothing to gain, trials cost less than a hundredth of the time, and a far too slow number ends soon."""
    tuner = ThreadTuner(choices(2), 1)
    used = run(tuner, contended(1), 20_000)
    assert used[2] < 40
    spent = sum(count * contended(1)(number) for number, count in used.items())
    assert spent < 1.01 * 20_000 * contended(1)(1)


def test_a_promise_that_is_not_kept_is_noticed_soon() -> None:
    """A number that was quicker by chance is given up a few steps after that has changed."""
    tuner = ThreadTuner((1, 2), 1)
    run(tuner, ideal(2), 100)
    assert tuner.threads == 2
    assert run(tuner, contended(1), 60)[2] < 40


def test_a_fixed_number_stays() -> None:
    """With one number to choose from there are no trials."""
    assert run(ThreadTuner((3,), 3), ideal(8), 1000) == {3: 1000}


def test_steps_of_different_sizes_are_not_compared() -> None:
    """Steps of different sizes are not compared: a batch that grows during a trial is slower for another reason."""
    tuner = ThreadTuner((1, 2), 2)
    draw = random.Random(1)
    for _ in range(5000):
        rows = draw.choice((1, 16))
        tuner.took(rows, rows * ideal(2)(tuner.threads))
    assert tuner.threads == 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.floats(1e-6, 10.0)), max_size=400), st.integers(1, 12))
def test_whatever_it_is_told_the_number_is_one_of_the_choices(steps: list[tuple[int, float]], cores: int) -> None:
    """Whatever times it is told, the number is one of the choices."""
    numbers = choices(cores)
    tuner = ThreadTuner(numbers, numbers[-1])
    for rows, seconds in steps:
        tuner.took(rows, seconds)
        assert tuner.threads in numbers

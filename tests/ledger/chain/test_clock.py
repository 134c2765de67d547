"""A wrong time is told from the right ones by its place in the chain, and makes none of those wrong."""

import math

import pytest

from gateway.ledger.chain.clock import Clock

_DAY = 86_400
_DAYS = [(number, number * _DAY) for number in range(1, 41)]  # a request a day
_FUTURE, _PAST = 5000 * _DAY, 0


def _changed(changes: dict[int, int]) -> list[tuple[int, int]]:
    return [(number, changes.get(number, at)) for number, at in _DAYS]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        pytest.param({}, {}, id="right"),
        pytest.param({9: _FUTURE}, {9: (8, 10)}, id="forward"),
        pytest.param({9: _PAST}, {9: (8, 10)}, id="back"),
        pytest.param({9: 30 * _DAY}, {9: (8, 10)}, id="forward, to another day"),
        pytest.param({30: 9 * _DAY}, {30: (29, 31)}, id="back, to another day"),
        pytest.param({9: _FUTURE, 20: _PAST}, {9: (8, 10), 20: (19, 21)}, id="forward, and back later"),
        pytest.param({9: _PAST, 20: _FUTURE}, {9: (8, 10), 20: (19, 21)}, id="back, and forward later"),
        pytest.param(dict.fromkeys(range(5, 36), _PAST), dict.fromkeys(range(5, 36), (4, 36)), id="most at one time"),
        pytest.param({1: _FUTURE}, {1: (-math.inf, 2)}, id="the first"),
        pytest.param({9: 8 * _DAY}, {}, id="the time of the one before"),
        pytest.param({9: 8 * _DAY - 3000}, {}, id="waited for most of an hour"),
    ],
)
def test_only_wrong_times_are_wrong(changes: dict[int, int], wrong: dict[int, tuple[float, float]]) -> None:
    """A wrong one was written between its neighbours; every other one when it says."""
    times = _changed(changes)
    clock = Clock(times)
    for number, at in times:
        if number in wrong:
            first, last = wrong[number]
            assert clock.written(number, at) == (first * _DAY, last * _DAY)
        else:
            assert clock.written(number, at) == (at, at)


def test_a_flood_of_one_moment_does_not_win() -> None:
    """Ten thousand requests in the minute for which the clock was set make no other time wrong, and are wrong all."""
    flood = [(number, _PAST) for number in range(41, 10_041)]
    clock = Clock([*_DAYS, *flood, (10_041, 41 * _DAY)])
    assert {clock.written(*one) for one in flood} == {(40 * _DAY, 41 * _DAY)}
    assert all(clock.written(number, at) == (at, at) for number, at in _DAYS)


def test_a_checkpoint_behind_the_last_one_tells() -> None:
    """A checkpoint covers what was written before it, so that a last request from the future is told."""
    clock = Clock([*_DAYS[:-1], (40, _FUTURE), (40, 41 * _DAY)])
    assert clock.written(40, _FUTURE) == (39 * _DAY, 41 * _DAY)


def test_nothing_is_known_of_nothing() -> None:
    """Where no link has a time, any time is right."""
    assert Clock([]).written(1, 5) == (5, 5)

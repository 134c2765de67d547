"""Expected waits: measured by what really ends, so that `Retry-After` is the time that it will take."""

import pytest

from gateway.local.throughput import Throughput


def test_nothing_is_known_at_first() -> None:
    """Before the first answer there is no estimate."""
    assert Throughput().expected_wait(3, 4, 0.0) is None


def test_one_answer_gives_a_first_estimate() -> None:
    """Its time in the slot, shared out over the slots."""
    speed = Throughput()
    speed.ended(10.0, 8.0, waiting=False)
    assert speed.expected_wait(0, 4, 10.0) == 2.0
    assert speed.expected_wait(3, 4, 10.0) == 8.0


def test_under_load_the_wait_is_what_the_queue_takes_to_empty() -> None:
    """Answers that take 40 seconds each, but end twice a second, empty a queue of 60 in half a minute."""
    speed = Throughput()
    for number in range(20):
        speed.ended(number / 2, 40.0, waiting=True)
    assert speed.expected_wait(59, 8, 9.5) == pytest.approx(30.0)


def test_an_engine_that_hangs_is_no_fast_one() -> None:
    """Silence after quick answers counts, so that the wait grows with it."""
    speed = Throughput()
    for number in range(20):
        speed.ended(number / 2, 1.0, waiting=True)
    waits = [speed.expected_wait(9, 8, now) or 0.0 for now in (9.5, 20.0, 60.0)]
    assert waits == sorted(waits)
    assert waits[0] < waits[2]


def test_a_rate_from_idle_times_is_not_a_rate_of_the_queue() -> None:
    """What ends while nobody waits says how often people ask, not how fast the engine is."""
    speed = Throughput()
    for number in range(10):
        speed.ended(number * 100.0, 1.0, waiting=False)
    assert speed.expected_wait(0, 1, 1000.0) == pytest.approx(1.0)

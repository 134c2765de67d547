"""The moving average."""

import pytest

from gateway.upstream.moving_average import MovingAverage


def test_nothing_measured_yet_is_no_value() -> None:
    """Before the first measurement there is no value, so nobody takes a zero for one."""
    assert MovingAverage(0.5).value is None


def test_the_first_measurement_is_the_average_and_later_ones_move_it_by_their_weight() -> None:
    """With a weight of a quarter, the average moves a quarter of the way to each new measurement."""
    average = MovingAverage(0.25)
    average.add(8.0)
    assert average.value == 8.0
    average.add(4.0)
    assert average.value == pytest.approx(7.0)
    average.add(7.0)
    assert average.value == pytest.approx(7.0)

"""What counts as growth: a floor that rises and goes on to; neither a wave, nor a step, nor noise."""

import itertools
import math
import random
from collections.abc import Callable

import pytest

from tests.bench.soak.growth import Allowed, growth

ALLOWED = Allowed(once=4.0, hour=8.0)
DICE = random.Random(1)


@pytest.mark.parametrize(
    ("value", "grows"),
    [
        (lambda at: 150.0, False),
        (lambda at: 150 + 40 * abs(math.sin(at / 30)), False),
        (lambda at: 150 + DICE.random() * 30, False),
        (lambda at: 100 + 60 * (1 - math.exp(-at / 60)), False),
        (lambda at: 150.0 if at < 1500 else 180.0, False),
        (lambda at: 180 - at / 60, False),
        (lambda at: 150 + at / 1800, False),
        (lambda at: 150 + 20 * at / 3600, True),
        (lambda at: 150 + 40 * abs(math.sin(at / 30)) + 20 * at / 3600, True),
        (lambda at: 20 + at // 120, True),
    ],
)
def test_only_a_floor_that_goes_on_rising_is_a_leak(value: Callable[[float], float], grows: bool) -> None:
    """Over an hour: steady, waves, noise, a start, one step, falling, a little; then three leaks."""
    samples = [(float(at), value(float(at))) for at in range(3600)]
    assert growth(samples, ALLOWED).grows is grows


def test_too_few_samples_say_nothing() -> None:
    """A soak of some seconds is refused, not passed."""
    with pytest.raises(ValueError, match="too few samples"):
        growth(list(zip(itertools.count(), (1.0, 1.0, 1.0), strict=False)), ALLOWED)

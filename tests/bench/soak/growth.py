"""Decide from samples whether something grows. Pure.

What a process holds goes up and down, so neither its last sample nor its highest says much. A leak raises the *floor*:
the least that is held over a while. Samples behind the warm-up are cut into eight windows, and a line is laid through
the floors of these. Something grows where that line rises by more than is allowed over the whole time, and goes on to:
the floors of the second half rise as well, for one step up, as of a cache that fills itself once, is no leak.
"""

import statistics
from collections.abc import Sequence

import msgspec

WARM_UP = 0.2  # share of the time in which caches fill
WINDOWS = 8


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """By how much a measure's floor may rise: once, and for each hour."""

    once: float
    hour: float

    def over(self, seconds: float) -> float:
        """Return how much is allowed over so many seconds."""
        return self.once + self.hour * seconds / 3600


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one measure."""

    first: float  # the floor of the first window
    last: float  # the floor of the last window
    rise: float  # of the line through the floors, over the whole time
    still: float  # the same of the second half
    allowed: float

    @property
    def grows(self) -> bool:
        """Whether that is a leak."""
        return self.rise > self.allowed and self.still > self.allowed / 4


def growth(samples: Sequence[tuple[float, float]], allowed: Allowed) -> Growth:
    """Return what became of a measure.

    Args:
        samples: (seconds since the beginning, value), in order.
        allowed: What it may grow by.

    Raises:
        ValueError: There are too few samples to say anything.
    """
    begun, end = samples[0][0], samples[-1][0]
    start = begun + WARM_UP * (end - begun)
    width = (end - start) / WINDOWS
    floors: list[float] = []
    for number in range(WINDOWS):
        low, high = start + number * width, start + (number + 1) * width
        inside = [value for at, value in samples if low <= at <= high]
        if not inside:
            raise ValueError("too few samples: measure for longer")
        floors.append(min(inside))
    return Growth(
        first=floors[0],
        last=floors[-1],
        rise=_rise(floors),
        still=_rise(floors[WINDOWS // 2 :]),
        allowed=allowed.over(end - start),
    )


def _rise(floors: Sequence[float]) -> float:
    """Return by how much a line through the floors rises from the first to the last."""
    return statistics.linear_regression(range(len(floors)), floors).slope * (len(floors) - 1)

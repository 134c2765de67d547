"""Says when links were written, as far as the chain's order tells: a clock can be set, that order can't. Pure."""

import bisect
import math
from collections.abc import Iterable, Sequence

_MINUTE = 60
_JUMP = 3600  # seconds by which a time may be late or early: a request waits for its attachments, clocks are set


class Clock:
    """Times of links and checkpoints, and which of them the others contradict.

    Right is the longest row of times that never goes back. Each minute counts once in it, so that neither one wrong
    time nor a thousand of them in a moment make those of the other days wrong.
    """

    def __init__(self, times: Iterable[tuple[int, int]]) -> None:
        """Take numbers and times (Unix seconds), in the order of the numbers."""
        minutes: dict[int, tuple[int, int]] = {}
        for number, at in times:
            minutes.setdefault(at // _MINUTE, (number, at))
        right = _longest_ascending([*minutes.values()])
        self._numbers = [number for number, _ in right]
        self._times = [at for _, at in right]

    def written(self, number: int, at: int) -> tuple[float, float]:
        """Return from when to when a link can have been written: at its own time, where nothing contradicts that."""
        place = bisect.bisect_left(self._numbers, number)
        earliest = self._times[place - 1] if place else -math.inf
        latest = self._times[place] if place < len(self._times) else math.inf
        if earliest - _JUMP <= at <= latest + _JUMP:
            return at, at
        return earliest, latest


def _longest_ascending(points: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the most of these (number, time), in their order, whose times ascend. Source: patience sorting."""
    ends: list[int] = []  # smallest last time of a row with so many members
    end_places: list[int] = []
    before: list[int] = []
    for place, (_, at) in enumerate(points):
        length = bisect.bisect_right(ends, at)
        before.append(end_places[length - 1] if length else -1)
        ends[length : length + 1] = [at]
        end_places[length : length + 1] = [place]
    found = []
    place = end_places[-1] if end_places else -1
    while place >= 0:
        found.append(points[place])
        place = before[place]
    return found[::-1]

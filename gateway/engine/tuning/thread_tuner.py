"""Find, while answers are generated, with how many CPU threads a step is quickest now. Pure: fed with times.

What is best depends on what else wants the cores, and changes with it: threads that must share a core wait for each
other in every step, and with them every number above that is equally slow. So now and then a few steps run with another
number, any of them, and are compared with the steps before and after them. Cheap when there is nothing to gain: failed
trials become rarer and rarer; trials start again when steps become slower.
"""

import statistics
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto

_SAMPLES = 5  # steps whose median counts
_GAIN = 0.92  # a trial must be at least this much quicker than the steps before and after it
_WINS = 2  # trials in a row that must be won
_HOPELESS = 2.5  # a step that takes so many times longer ends a trial
_SLOWER = 1.5  # steps became so many times slower: something changed
_AT_ONCE, _SOON, _SELDOM = 16, 48, 6144  # steps between trials


def choices(cores: int) -> tuple[int, ...]:
    """Return the numbers of threads worth trying on so many cores, rising."""
    halves = [cores >> shift for shift in range(cores.bit_length())]
    return tuple(sorted({*halves, cores * 3 // 4, cores - 1, cores} - {0}))


class _Phase(Enum):
    REST = auto()
    TRIAL = auto()
    BACK = auto()


class ThreadTuner:
    """Tuner of the number of CPU threads. `threads` is the number for the next step."""

    def __init__(self, numbers: Sequence[int], start: int) -> None:
        self._numbers = tuple(sorted({*numbers, start}))
        self._best = self.threads = start
        self._untried = self._others()
        self._phase = _Phase.REST
        self._rows = 0
        self._recent: deque[float] = deque(maxlen=_SAMPLES)
        self._before = self._during = 0.0
        self._wait = _SOON
        self._rested = 0
        self._wins = 0
        self._usual: dict[int, float] = {}  # rows → seconds when last looked at

    def _others(self) -> list[int]:
        """Return all other numbers, the nearest ones first."""
        return sorted(set(self._numbers) - {self._best}, key=lambda number: (abs(number - self._best), number))

    def took(self, rows: int, seconds: float) -> None:
        """Note how many seconds a step of `rows` single tokens took with `threads`."""
        if rows != self._rows:  # steps of different sizes can't be compared
            self._rows = rows
            self._return()
            return
        self._recent.append(seconds)
        match self._phase:
            case _Phase.REST:
                self._rest()
            case _Phase.TRIAL:
                self._try(seconds)
            case _Phase.BACK:
                self._compare()

    def _return(self) -> None:
        """Go back to the best number, with fresh measurements."""
        self._phase = _Phase.REST
        self.threads = self._best
        self._recent.clear()

    def _rest(self) -> None:
        self._rested += 1
        if len(self._recent) < _SAMPLES:
            return
        seconds = statistics.median(self._recent)
        if seconds > _SLOWER * self._usual.setdefault(self._rows, seconds):
            self._usual[self._rows] = seconds
            self._wait, self._untried = _AT_ONCE, self._others()
        if self._rested >= self._wait and self._untried:
            self._before = seconds
            self._phase = _Phase.TRIAL
            self.threads = self._untried[0]
            self._recent.clear()

    def _try(self, seconds: float) -> None:
        if seconds > _HOPELESS * self._before and len(self._recent) > 1:  # the first one pays for starting threads
            self._lost()
        elif len(self._recent) == _SAMPLES:
            self._during = statistics.median(self._recent)
            self._phase = _Phase.BACK
            self.threads = self._best
            self._recent.clear()

    def _compare(self) -> None:
        if len(self._recent) < _SAMPLES:
            return
        after = statistics.median(self._recent)
        self._usual[self._rows] = after
        if self._during > _GAIN * min(self._before, after):
            self._lost()
            return
        self._wins += 1
        self._rested = self._wait  # the next trial comes at once
        if self._wins >= _WINS:
            self._best, self._wins, self._wait, self._rested = self._untried[0], 0, _SOON, 0
            self._untried = self._others()
            self._usual = {self._rows: self._during}  # it must keep what it promised
        self._return()

    def _lost(self) -> None:
        self._wins, self._rested = 0, 0
        self._wait = max(_SOON, self._wait)
        del self._untried[0]
        if not self._untried:
            self._untried = self._others()
            self._wait = min(_SELDOM, 2 * self._wait)
        self._return()

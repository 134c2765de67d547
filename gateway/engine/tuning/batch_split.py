"""Find in which parts a decode step is cheapest on this machine: measured at load, and compared again at work.

A batch is no bargain everywhere: on a CPU, two rows of some quantisations cost four times as much as one, because other
kernels compute them. There, the rows of a step are computed one by one, or in two batches. On a GPU a batch pays. Pure,
but for the clock of `measure_batches`.
"""

import statistics
import time
from collections.abc import Iterator, Mapping
from typing import Protocol

from gateway.engine.scheduler.step import Row

_RUNS = 3
_SECONDS = 0.5  # for all measuring; what is not reached is computed in one piece
_WORTH = 0.95  # several pieces must cost less than this share of one
_SAMPLES = 3  # steps whose median counts
_AGAIN = 256  # steps after which both ways are compared again


class Decoding(Protocol):
    """Model whose steps are measured: `gateway.engine.llama.model.Model`."""

    def decode(self, rows: tuple[Row, ...], /) -> object:
        """Compute one step."""

    def trim(self, slot: int, length: int, /) -> bool:
        """Forget a sequence from position `length` on."""


def measure_batches(model: Decoding, slots: int, *, seconds: float = _SECONDS) -> dict[int, float]:
    """Measure steps of one row, of two and so on. Return rows in a step → seconds, the best of three.

    Leaves all sequences empty.

    Raises:
        EngineFault: a step failed.
    """
    costs: dict[int, float] = {}
    clock = time.perf_counter
    until = clock() + seconds
    for count in range(1, slots + 1):
        rows = tuple(Row(slot=slot, position=0, tokens=(0,), outputs=1, request=slot) for slot in range(count))
        times = []
        for _ in range(_RUNS + (count == 1)):  # the very first one also warms up
            began = clock()
            model.decode(rows)
            times.append(clock() - began)
            for slot in range(count):
                model.trim(slot, 0)
        costs[count] = min(times)
        if clock() > until:
            break
    return costs


def measure_draft_tokens(model: Decoding, most: int, *, seconds: float = _SECONDS) -> dict[int, float]:
    """Measure steps with draft tokens. Return draft tokens behind one token → seconds that they cost more.

    Of two measurements the better one counts.

    Raises:
        EngineFault: a step failed.
    """
    times: dict[int, float] = {}
    clock = time.perf_counter
    until = clock() + seconds
    for count in (0, 2, 4, 8, 16):
        if count <= most and clock() < until:
            row = Row(slot=0, position=0, tokens=(0,) * (1 + count), outputs=1 + count, drafted=count)
            for _ in range(2):
                began = clock()
                model.decode((row,))
                times[count] = min(times.get(count, seconds * 1000), clock() - began)
                model.trim(0, 0)
    return {count: max(0.0, taken - times[0]) for count, taken in times.items() if count}


class _SplitChoice:
    """Choice for one number of rows: compute them whole, or in the parts that were cheaper at load.

    Other work on the machine can mislead a measurement, so both ways are timed with the first steps, and again now and
    then.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self._sizes = sizes
        self._whole: list[float] = []
        self._parted: list[float] = []
        self._steps = 0
        self.parts = False

    def next(self) -> tuple[int, ...] | None:
        """Return the sizes of the parts of the next step; None: compute it whole."""
        if len(self._whole) < _SAMPLES:
            self.parts = False
        elif len(self._parted) < _SAMPLES:
            self.parts = True
        else:
            self.parts = statistics.median(self._parted) < _WORTH * statistics.median(self._whole)
        return self._sizes if self.parts else None

    def took(self, seconds: float) -> None:
        """Note how many seconds the step took."""
        times = self._parted if self.parts else self._whole
        if len(times) < _SAMPLES:
            times.append(seconds)
        self._steps += 1
        if self._steps == _AGAIN:
            self._steps = 0
            self._whole.clear()
            self._parted.clear()


class BatchSplitter:
    """Decides how many rows each part of a step has. Call `took` after each step that `of` divided."""

    def __init__(self, costs: Mapping[int, float] | None = None) -> None:
        self._choices = {rows: _SplitChoice(sizes) for rows, sizes in _table(costs or {}).items()}

    def of(self, rows: tuple[Row, ...]) -> Iterator[tuple[Row, ...]]:
        """Yield the rows of a decode step, sorted by slot, in the parts in which they are computed."""
        choice = self._choices.get(len(rows))
        at = 0
        for size in (choice.next() if choice else None) or (len(rows),):
            yield rows[at : at + size]
            at += size

    def with_drafts(self, rows: tuple[Row, ...]) -> Iterator[tuple[Row, ...]]:
        """Yield the rows of a step that reads draft tokens, in the parts in which they are computed.

        Where parts are cheaper, each row with draft tokens is a batch of its own.
        """
        choice = self._choices.get(len(rows))
        if choice is None or not choice.parts:
            yield rows
            return
        for row in rows:
            if row.drafted:
                yield (row,)
        others = tuple(row for row in rows if not row.drafted)
        if others:
            yield from self.of(others)

    def took(self, rows: int, seconds: float) -> None:
        """Note how many seconds a step of so many rows took."""
        choice = self._choices.get(rows)
        if choice is not None:
            choice.took(seconds)


def _table(costs: Mapping[int, float]) -> dict[int, tuple[int, ...]]:
    """Return rows → sizes of the parts, largest first, where several parts are clearly cheaper than one."""
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for rows in sorted(costs):
        cheapest: tuple[float, tuple[int, ...]] = (costs[rows] * _WORTH, (rows,))
        for size in range(1, rows):
            seconds, pieces = best[rows - size]
            cheapest = min(cheapest, (costs[size] + seconds, (size, *pieces)))
        best[rows] = (costs[rows] if cheapest[1] == (rows,) else cheapest[0]), tuple(sorted(cheapest[1], reverse=True))
    return {rows: pieces for rows, (_, pieces) in best.items() if len(pieces) > 1}

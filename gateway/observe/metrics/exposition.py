"""Counters and histograms that cost about a microsecond to feed, and their text exposition.

Ours rather than prometheus_client's because of two figures: a chunk may cost 2 µs, and rendering must not hold the
interpreter for milliseconds while answers stream. Feeding happens on the event loop's thread alone; rendering may
happen in another one. prometheus_client's parser reads the result back in the tests.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

# A family never has more label sets than this; what comes after is counted under `other`.
MAX_SERIES = 20_000

Key = tuple[str, ...]


class Family(Protocol):
    """Metric with all its label sets."""

    @property
    def name(self) -> str:
        """Return the metric's name."""
        ...

    def lines(self) -> Iterator[str]:
        """Yield the metric's lines in the text format."""
        ...


def escape(value: str) -> str:
    """Return a label value as it stands between the quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """Return a sample's value as text; whole numbers without a fraction."""
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _braces(labels: Sequence[str], key: Key, extra: str = "") -> str:
    inside = [f'{name}="{escape(value)}"' for name, value in zip(labels, key, strict=True)]
    if extra:
        inside.append(extra)
    return f"{{{','.join(inside)}}}" if inside else ""


def _head(name: str, help_text: str, kind: str) -> tuple[str, str]:
    return f"# HELP {name} {help_text}\n", f"# TYPE {name} {kind}\n"


class Counter:
    """Count that only grows. It counts `steps` a unit inside: money in micro-dollars, so that sums are exact."""

    def __init__(self, name: str, help_text: str, labels: Key = (), *, steps: int = 1, known: Iterable[Key] = ()):
        self.name = name
        self._labels = labels
        self._head = _head(name, help_text, "counter")
        self._steps = steps
        self._values: dict[Key, int | float] = {}
        self._texts: dict[Key, str] = {}
        self.know(() if labels else [()])
        self.know(known)

    def know(self, keys: Iterable[Key]) -> None:
        """Let label sets that can occur start at 0: `increase()` misses a counter that is born at 1."""
        for key in keys:
            self._values.setdefault(key, 0)

    def add(self, *key: str, by: float = 1) -> None:
        """Add to the count of one label set; beyond `MAX_SERIES` of them, to `other`."""
        values = self._values
        if key in values:
            values[key] += by
        elif len(values) < MAX_SERIES:
            values[key] = by
        else:
            other = ("other",) * len(self._labels)
            values[other] = values.get(other, 0) + by

    def value(self, *key: str) -> float:
        """Return the count of one label set, for tests."""
        return self._values.get(key, 0) / self._steps

    def total(self) -> float:
        """Return the sum over all label sets."""
        return sum(list(self._values.values())) / self._steps

    def lines(self) -> Iterator[str]:
        """Yield the counter's lines in the text format."""
        yield from self._head
        for key, value in list(self._values.items()):
            text = self._texts.get(key)
            if text is None:
                text = self._texts[key] = self.name + _braces(self._labels, key)
            yield f"{text} {number(value if self._steps == 1 else value / self._steps)}\n"


class Histogram:
    """Counts of values by upper bound. Every label set has its own list of counts, one more than bounds."""

    def __init__(self, name: str, help_text: str, labels: Key, bounds: Sequence[float], *, known: Iterable[Key] = ()):
        self.name = name
        self._labels = labels
        self._bounds = tuple(bounds)
        self._head = _head(name, help_text, "histogram")
        self._series: dict[Key, tuple[list[int], list[float]]] = {}
        self._texts: dict[Key, tuple[str, ...]] = {}
        self.know(known)

    def know(self, keys: Iterable[Key]) -> None:
        """Let label sets that can occur start at 0."""
        for key in keys:
            if key not in self._series:
                self._series[key] = ([0] * (len(self._bounds) + 1), [0.0])

    def observe(self, value: float, *key: str) -> None:
        """Count one value."""
        counts, total = self._series.get(key) or self._of(key)
        counts[bisect_left(self._bounds, value)] += 1
        total[0] += value

    def observe_each(self, values: Iterable[tuple[str, float]]) -> None:
        """Count one value of each of these label sets, which have one label."""
        bounds, series = self._bounds, self._series
        for label, value in values:
            counts, total = series.get((label,)) or self._of((label,))
            counts[bisect_left(bounds, value)] += 1
            total[0] += value

    def observe_many(self, values: Sequence[float], *key: str) -> None:
        """Count many values of one label set."""
        counts, total = self._of(key)
        bounds = self._bounds
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        total[0] += sum(values)

    def count(self, *key: str) -> int:
        """Return how many values of a label set were counted."""
        return sum(self._series[key][0]) if key in self._series else 0

    def lines(self) -> Iterator[str]:
        """Yield the lines in the text format; counts are copied at once, so that a scrape's sums always add up."""
        yield from self._head
        for key, (live, total) in list(self._series.items()):
            counts, seconds = live[:], total[0]
            running = 0
            texts = self._texts.get(key) or self._render(key)
            for text, count in zip(texts, counts, strict=False):
                running += count
                yield f"{text} {running}\n"
            yield f"{texts[-2]} {number(seconds)}\n"
            yield f"{texts[-1]} {running}\n"

    def _of(self, key: Key) -> tuple[list[int], list[float]]:
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= MAX_SERIES:
                key = ("other",) * len(self._labels)
            self.know([key])
            series = self._series[key]
        return series

    def _render(self, key: Key) -> tuple[str, ...]:
        ends = [repr(float(bound)) for bound in self._bounds] + ["+Inf"]
        limits = [f'le="{end}"' for end in ends]
        buckets = [f"{self.name}_bucket{_braces(self._labels, key, limit)}" for limit in limits]
        plain = _braces(self._labels, key)
        texts = (*buckets, f"{self.name}_sum{plain}", f"{self.name}_count{plain}")
        self._texts[key] = texts
        return texts

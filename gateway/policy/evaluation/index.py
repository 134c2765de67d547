"""Which rows of conditions hold, for all rules at once: one bit a row, one lookup a fact.

Each fact's values fall into few cells (between two bounds that some rule names, or a word that some rule names). For
each cell the index knows beforehand the bits of all rows which that cell does not rule out; a decision is the
intersection over the facts in use. So its cost grows with the number of different facts, hardly with that of rules.
"""

import functools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeAlias, assert_never

import msgspec

from gateway.policy.evaluation.fact_values import getter
from gateway.policy.evaluation.request_view import RequestView
from gateway.policy.language.conditions import (
    INFINITY,
    Condition,
    ConditionRow,
    FactRef,
    Flag,
    Interval,
    Matches,
    Overlap,
    Test,
    Words,
    holds,
    regex,
    rows,
    truth,
)

Probe: TypeAlias = Callable[[RequestView], int]
MAX_ROWS = 64  # a condition that needs more is asked as a whole
MOVING = frozenset({"label", "tags"})  # facts that rules change while a request is decided


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One condition to index. `restricts`: unknown counts as true, else as false."""

    condition: Condition
    restricts: bool


class Index:
    """Compiled conditions. `fixed(view)` and `moving(view)` give the rows that hold; `entry_bits[n]` are entry n's."""

    def __init__(self, entries: Sequence[IndexEntry]) -> None:
        self.entry_bits: list[int] = []
        self.entry_of: list[int] = []  # row number → entry number
        groups: dict[tuple[FactRef, str], list[_Use]] = defaultdict(list)
        probes: list[tuple[bool, Probe]] = []
        for number, entry in enumerate(entries):
            found = rows(entry.condition, MAX_ROWS)
            bits = 0
            for row in found if found is not None else ((),):
                bit = 1 << len(self.entry_of)
                bits |= bit
                self.entry_of.append(number)
                _file(row, bit, entry.restricts, groups)
            if found is None:
                probes.append((True, _whole(entry, bits)))
            self.entry_bits.append(bits)
        self.everything = (1 << len(self.entry_of)) - 1
        for (fact, _), uses in groups.items():
            probes.append((fact.name in MOVING, _probe(fact, uses, self.everything)))
        self._fixed = tuple(probe for moves, probe in probes if not moves)
        self._moving = tuple(probe for moves, probe in probes if moves)

    def fixed(self, view: RequestView) -> int:
        """Return the bits of the rows that are left standing by the facts which can't change any more."""
        bits = self.everything
        for probe in self._fixed:
            bits &= probe(view)
            if not bits:
                break
        return bits

    def moving(self, view: RequestView, bits: int) -> int:
        """Return those of `bits` that hold with the label and tags of now."""
        for probe in self._moving:
            if not bits:
                break
            bits &= probe(view)
        return bits


class _Use(msgspec.Struct, frozen=True):
    """A literal of a row, on one fact."""

    bit: int
    test: Test
    positive: bool
    restricts: bool


def _file(row: ConditionRow, bit: int, restricts: bool, groups: dict[tuple[FactRef, str], list[_Use]]) -> None:
    for atom, positive in row:
        group = f"matches {atom.test.pattern}" if isinstance(atom.test, Matches) else ""
        groups[atom.fact, group].append(_Use(bit, atom.test, positive, restricts))


def _whole(entry: IndexEntry, bits: int) -> Probe:
    def probe(view: RequestView) -> int:
        value = truth(entry.condition, lambda fact: getter(fact)(view))
        return -1 if value or (value is None and entry.restricts) else ~bits

    return probe


def _probe(fact: FactRef, uses: list[_Use], everything: int) -> Probe:
    test = uses[0].test
    unknown = everything
    for use in uses:
        if not use.restricts:
            unknown &= ~use.bit
    match test:
        case Interval():
            return _numbers(fact, uses, everything, unknown)
        case Words() | Flag() | Matches():
            return _values(fact, uses, everything, unknown)
        case Overlap():
            return _sets(fact, uses, everything)
        case _:
            assert_never(test)


def _numbers(fact: FactRef, uses: list[_Use], everything: int, unknown: int) -> Probe:
    """Return the probe of a number: its cells are the bounds themselves (odd) and the gaps between them (even)."""
    ends = {end for use in uses if isinstance(use.test, Interval) for end in (use.test.low, use.test.high)}
    bounds = sorted(ends - {INFINITY, -INFINITY})
    spans: list[tuple[int, int, int]] = []
    last = 2 * len(bounds) + 1
    for use in uses:
        assert isinstance(use.test, Interval)
        first, end = _run(use.test, bounds)
        if use.positive:
            spans.extend(((0, first, use.bit), (end, last, use.bit)))
        else:
            spans.append((first, end, use.bit))
    table = _sweep(spans, last, everything)
    get = getter(fact)

    def probe(view: RequestView) -> int:
        value = get(view)
        if value is None or value != value:
            return unknown
        place = bisect_left(bounds, value)
        return table[2 * place + (place < len(bounds) and bounds[place] == value)]

    return probe


def _run(interval: Interval, bounds: list[float]) -> tuple[int, int]:
    """Return the first cell inside the interval, and the first one after it."""
    first = 0
    if interval.low > -INFINITY:
        first = 2 * bisect_left(bounds, interval.low) + (1 if interval.low_in else 2)
    end = 2 * len(bounds) + 1
    if interval.high < INFINITY:
        end = 2 * bisect_left(bounds, interval.high) + (2 if interval.high_in else 1)
    return first, max(first, end)


def _sweep(spans: list[tuple[int, int, int]], last: int, everything: int) -> list[int]:
    """Return for each cell the rows that are not ruled out.

    A row with several literals may be ruled out by several at once.
    """
    count: dict[int, int] = defaultdict(int)
    events: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for begin, end, bit in spans:
        if begin < end:
            events[begin].append((bit, 1))
            events[end].append((bit, -1))
    table: list[int] = []
    standing = everything
    for cell in range(last):
        for bit, change in events.get(cell, ()):
            count[bit] += change
            standing = standing & ~bit if count[bit] else standing | bit
        table.append(standing)
    return table


def _values(fact: FactRef, uses: list[_Use], everything: int, unknown: int) -> Probe:
    """Return the probe of a fact with one word or a flag, or of a single pattern: a table from value to bits."""
    get = getter(fact)
    first = uses[0].test
    if isinstance(first, Matches):
        search = regex(first.pattern).search
        hit = _standing(uses, everything, lambda _: True)
        miss = _standing(uses, everything, lambda _: False)

        def matching(view: RequestView) -> int:
            value = get(view)
            return hit if isinstance(value, str) and search(value) is not None else unknown if value is None else miss

        return matching
    table: dict[object, int] = {None: unknown}
    if isinstance(first, Flag):
        for flag in (True, False):
            table[flag] = _standing(uses, everything, functools.partial(_is_true, flag))
        return lambda view: table[get(view)]
    other = _standing(uses, everything, lambda _: False)
    mentioned: dict[str, set[int]] = defaultdict(set)
    by_bit: dict[int, list[_Use]] = defaultdict(list)
    for use in uses:
        assert isinstance(use.test, Words)
        by_bit[use.bit].append(use)
        for word in use.test.values:
            mentioned[word].add(use.bit)
    for word, touched in mentioned.items():
        bits = other
        for bit in touched:
            good = all(bool(holds(use.test, word)) is use.positive for use in by_bit[bit])
            bits = bits | bit if good else bits & ~bit
        table[word] = bits
    return lambda view: table.get(get(view), other)


def _is_true(flag: bool, test: Test) -> bool:
    return bool(holds(test, flag))


def _standing(uses: list[_Use], everything: int, true: Callable[[Test], bool]) -> int:
    bits = everything
    for use in uses:
        if true(use.test) is not use.positive:
            bits &= ~use.bit
    return bits


def _sets(fact: FactRef, uses: list[_Use], everything: int) -> Probe:
    """Return the probe of a fact that is a set.

    A row's first plain literal is in layer 0, its second in layer 1, and so on.
    """
    layers: list[dict[str, int]] = []
    rest: list[int] = []
    depth: dict[int, int] = defaultdict(int)
    forbidden: dict[str, int] = defaultdict(int)
    for use in uses:
        assert isinstance(use.test, Overlap)
        if not use.positive:
            for word in use.test.values:
                forbidden[word] |= use.bit
            continue
        layer = depth[use.bit]
        depth[use.bit] += 1
        if layer == len(layers):
            layers.append(defaultdict(int))
            rest.append(everything)
        rest[layer] &= ~use.bit
        for word in use.test.values:
            layers[layer][word] |= use.bit
    plain = tuple((dict(layer), left) for layer, left in zip(layers, rest, strict=True))
    banned = dict(forbidden)
    get = getter(fact)

    def probe(view: RequestView) -> int:
        words: frozenset[str] = get(view)  # type: ignore[assignment]  # a set fact's value is a set
        result = everything
        for table, bits in plain:
            for word in words:
                bits |= table.get(word, 0)
            result &= bits
        for word in words:
            result &= ~banned.get(word, 0)
        return result

    return probe

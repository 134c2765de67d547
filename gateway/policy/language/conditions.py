"""Conditions as data, and their three-valued meaning. Owns no YAML and no facts.

Unknown facts make an atom unknown. Kleene's logic carries that upwards: `not unknown` is unknown, `all` is false as
soon as one part is, `any` is true as soon as one part is.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias, assert_never

import msgspec
import re2

INFINITY = float("inf")
FactValue: TypeAlias = "float | str | bool | frozenset[str] | None"


class FactRef(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A fact, with the parameter of those that have one (`price` on `big`: name `price`, of `big`)."""

    name: str
    of: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.of})" if self.of else self.name


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers between two bounds. `low_in`/`high_in`: the bound itself belongs to it."""

    low: float = -INFINITY
    high: float = INFINITY
    low_in: bool = False
    high_in: bool = False

    def contains(self, value: float) -> bool:
        """Return whether `value` lies inside."""
        above = value >= self.low if self.low_in else value > self.low
        return above and (value <= self.high if self.high_in else value < self.high)


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Test of a fact that is one word: the word is one of these."""

    values: frozenset[str]


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """Test of a fact that is a set of words: one of these is in it."""

    values: frozenset[str]


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """Test of a fact that is true or false."""

    value: bool


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """Test of a text: an RE2 pattern is found in it."""

    pattern: str


Test: TypeAlias = Interval | Words | Overlap | Flag | Matches


class Atom(msgspec.Struct, frozen=True, kw_only=True):
    """One test of one fact."""

    fact: FactRef
    test: Test


class All(msgspec.Struct, frozen=True, kw_only=True):
    """Condition that is true when every part is. Without parts it is always true."""

    items: "tuple[Condition, ...]" = ()


class Any(msgspec.Struct, frozen=True, kw_only=True):
    """Condition that is true when one part is."""

    items: "tuple[Condition, ...]"


class Not(msgspec.Struct, frozen=True, kw_only=True):
    """Condition that is true when its part is false."""

    item: "Condition"


Condition: TypeAlias = Atom | All | Any | Not
ALWAYS = All()


class Regex(Protocol):
    """A compiled RE2 pattern, as far as it is used here."""

    def search(self, text: str) -> object | None:
        """Return the first match; None: there is none."""


@functools.lru_cache(maxsize=4096)
def regex(pattern: str) -> Regex:
    """Compile an RE2 pattern, which takes linear time on a text, whatever is written.

    Raises:
        ValueError: RE2 does not know the pattern.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        compiled: Regex = re2.compile(pattern, options)  # type: ignore[no-untyped-call]
    except re2.error as error:
        reason = error.args[0] if error.args else "unknown reason"
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(reason)) from error
    return compiled


def holds(test: Test, value: FactValue) -> bool | None:
    """Return whether a test is true of a value; None: the value is unknown or of another kind."""
    if value is None:
        return None
    match test:
        case Interval():
            return test.contains(value) if isinstance(value, int | float) else None
        case Words():
            return value in test.values if isinstance(value, str) else None
        case Overlap():
            return not test.values.isdisjoint(value) if isinstance(value, frozenset) else None
        case Flag():
            return value is test.value if isinstance(value, bool) else None
        case Matches():
            return regex(test.pattern).search(value) is not None if isinstance(value, str) else None
        case _:
            assert_never(test)


def truth(condition: Condition, value_of: Callable[[FactRef], FactValue]) -> bool | None:
    """Return Kleene's value of a condition; None: unknown."""
    match condition:
        case Atom():
            return holds(condition.test, value_of(condition.fact))
        case Not():
            inner = truth(condition.item, value_of)
            return None if inner is None else not inner
        case All():
            values = [truth(item, value_of) for item in condition.items]
            return False if False in values else None if None in values else True
        case Any():
            values = [truth(item, value_of) for item in condition.items]
            return True if True in values else None if None in values else False
        case _:
            assert_never(condition)


def atoms(condition: Condition) -> Iterator[Atom]:
    """Yield every atom of a condition, in order."""
    match condition:
        case Atom():
            yield condition
        case Not():
            yield from atoms(condition.item)
        case All() | Any():
            for item in condition.items:
                yield from atoms(item)
        case _:
            assert_never(condition)


Literal: TypeAlias = tuple[Atom, bool]  # the atom, and whether it stands plain (True) or negated
ConditionRow: TypeAlias = tuple[Literal, ...]


def rows(condition: Condition, limit: int) -> tuple[ConditionRow, ...] | None:
    """Return the condition as "one of these rows, all literals of it": its disjunctive normal form.

    None when that would take more than `limit` rows. An unknown literal counts by the reader's polarity, which gives
    the same answer as Kleene's value of the whole: negation was pushed down to the atoms.
    """
    return _rows(condition, True, limit)


def _rows(condition: Condition, positive: bool, limit: int) -> tuple[ConditionRow, ...] | None:
    match condition:
        case Atom():
            return (((condition, positive),),)
        case Not():
            return _rows(condition.item, not positive, limit)
        case All() | Any():
            parts: list[tuple[ConditionRow, ...]] = []
            for item in condition.items:
                part = _rows(item, positive, limit)
                if part is None:
                    return None
                parts.append(part)
            return _product(parts, limit) if isinstance(condition, All) is positive else _sum(parts, limit)
        case _:
            assert_never(condition)


def _sum(parts: list[tuple[ConditionRow, ...]], limit: int) -> tuple[ConditionRow, ...] | None:
    joined = tuple(row for part in parts for row in part)
    return joined if len(joined) <= limit else None


def _product(parts: list[tuple[ConditionRow, ...]], limit: int) -> tuple[ConditionRow, ...] | None:
    result: tuple[ConditionRow, ...] = ((),)
    for part in parts:
        if len(result) * len(part) > limit:
            return None
        result = tuple(left + right for left in result for right in part)
    return result

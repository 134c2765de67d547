"""What has to be changed in a document so that it says what is wanted, and how that is taken back. Pure.

Documents are plain data here: mappings, lists, texts, numbers. In a list of mappings an item is known by its name.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any, TypeAlias

import msgspec

_IDENTITY = ("name", "model_id")  # keys by which items of a list are told apart

Step: TypeAlias = str | dict[str, str]  # a key of a mapping, or {key: value} that tells an item of a list
Path: TypeAlias = tuple[Step, ...]


class Missing(Enum):
    """What stands where nothing stands."""

    MISSING = "missing"


MISSING = Missing.MISSING


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One value that is put into a document."""

    path: Path
    before: Any
    """`MISSING` where nothing stood there."""
    after: Any

    @property
    def foreign(self) -> bool:
        """Return whether it takes the place of a value that somebody else wrote."""
        return self.before is not MISSING

    @property
    def words(self) -> str:
        """Return the path as people write it."""
        return ".".join(step if isinstance(step, str) else next(iter(step.values())) for step in self.path)


def edits_towards(old: Any, wanted: Any, path: Path = ()) -> Iterator[Edit]:
    """Yield the fewest edits after which the document `old` says all that `wanted` says."""
    if isinstance(old, dict) and isinstance(wanted, dict):
        for key, value in wanted.items():
            yield from edits_towards(old.get(key, MISSING), value, (*path, key))
    elif isinstance(old, list) and (key := _identity(wanted)):
        for item in wanted:
            step = {key: item[key]}
            yield from edits_towards(look(old, (step,)), item, (*path, step))
    elif not same(old, wanted):
        yield Edit(path=path, before=old, after=wanted)


def _identity(wanted: Any) -> str | None:
    if not isinstance(wanted, list) or not wanted or not all(isinstance(item, dict) for item in wanted):
        return None
    return next((key for key in _IDENTITY if all(key in item for item in wanted)), None)


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal; unlike Python's `==`, true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def look(data: Any, path: Path) -> Any:
    """Return the value at a path, or `MISSING`."""
    for step in path:
        place = index(data, step)
        if place is None:
            return MISSING
        data = data[place]
    return data


def index(data: Any, step: Step) -> str | int | None:
    """Return the key or the index that a step means here; None: there is no such thing."""
    if isinstance(step, str):
        return step if isinstance(data, dict) and step in data else None
    (key, value), *_ = step.items()
    items = enumerate(data) if isinstance(data, list) else ()
    return next((i for i, item in items if isinstance(item, dict) and item.get(key) == value), None)


def reverted(now: Any, edit: Edit) -> tuple[list[Edit], list[Path]]:
    """Return the edits that take an edit back, and the paths that somebody has changed since, which stay.

    An edit whose `after` is `MISSING` takes the value out.
    """
    found = look(now, edit.path)
    if found is MISSING:
        return [], []
    if same(found, edit.after):
        return [Edit(path=edit.path, before=found, after=edit.before)], []
    if edit.before is MISSING and isinstance(found, dict) and isinstance(edit.after, dict):
        back, kept = [], []
        for key, value in edit.after.items():
            some, others = reverted(now, Edit(path=(*edit.path, key), before=MISSING, after=value))
            back += some
            kept += others
        return back, kept
    return [], [edit.path]

"""Name the fields of a body that its translation leaves out, so that the answer can say so. Pure.

Every dialect that is translated has a shape: what of a body is in the translated document. Whatever a body has
besides, known field or not, is named by its path without numbers (`messages[].content[].citations`), never by its
value.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

from gateway.core.document import Json, JsonObject

_MOST = 32  # names; more of them would say no more
_PLAIN = re.compile(r"(?!.*[0-9]{9})[A-Za-z][A-Za-z0-9_]{0,47}")  # other names could be content
_EMPTY: tuple[Json, ...] = (None, False, "", (), {})


class Whole:
    """Shape of a value that is carried with everything in it."""


class Words(frozenset[str]):
    """Shape of a text, or of texts in an array, of which only these values are carried."""


class Part(dict[str, "Shape"]):
    """Shape of an object of which only these fields are carried, each in its own shape."""


class Open(Part):
    """Shape of an object of which all fields are carried, these ones in their shapes."""


class Kinds(dict[str, "Shape"]):
    """Shape of an object for each value of its field `by`; without one, that of the empty text."""

    by = "type"


class Roles(Kinds):
    """Shape of a message for each value of its `role`."""

    by = "role"


Shape: TypeAlias = Whole | Words | Part | Kinds
WHOLE = Whole()


def part(*whole: str, **fields: Shape) -> Part:
    """Return the shape of an object of which `whole` is carried as it is, and `fields` in shapes of their own."""
    return Part(dict.fromkeys(whole, WHOLE) | fields)


def left_out(document: JsonObject, shape: Shape) -> tuple[str, ...]:
    """Return the paths of what `document` has and `shape` has not, each once, in the document's order."""
    found: dict[str, None] = {}
    _walk(document, shape, "", found)
    return tuple(found)


def marks_in(document: JsonObject, shape: Shape, marked: Shape) -> tuple[str, ...]:
    """Return the paths of what `marked` carries and `shape` does not; never nothing where there is such a thing."""
    lost = left_out(document, marked)
    found = left_out(document, shape)
    marks = tuple([name for name in found if name not in lost])
    return marks or (("cache_control",) if len(found) >= _MOST else ())


def kept(value: Json, shape: Shape) -> Json:
    """Return what of `value` the shape has: all that `left_out` does not name."""
    if isinstance(shape, Whole):
        return value
    if isinstance(value, tuple):
        return tuple([kept(item, shape) for item in value if not _unknown(item, shape)])
    if isinstance(shape, Words):
        return value if value in shape else None
    if not isinstance(value, Mapping):
        return value
    if isinstance(shape, Part):
        open_ = isinstance(shape, Open)
        return {
            name: kept(item, shape.get(name, WHOLE))
            for name, item in value.items()
            if (name in shape or open_) and item is not None
        }
    return {} if _unknown(value, shape) else kept(value, shape[_kind(value, shape)])


def _unknown(value: Json, shape: Shape) -> bool:
    return isinstance(shape, Kinds) and isinstance(value, Mapping) and _kind(value, shape) not in shape


def _kind(value: JsonObject, shape: Kinds) -> str:
    kind = value.get(shape.by)
    return kind if isinstance(kind, str) else ""


def _walk(value: Json, shape: Shape, path: str, found: dict[str, None]) -> None:
    if isinstance(shape, Whole) or len(found) >= _MOST:
        return
    if isinstance(value, tuple):
        for item in value:
            _walk(item, shape, f"{path}[]", found)
    elif isinstance(shape, Words):
        if value not in _EMPTY and value not in shape:
            found[path] = None
    elif isinstance(value, Mapping):
        if isinstance(shape, Part):
            _fields(value, shape, path, found)
            return
        word = _kind(value, shape)
        if word in shape:
            _walk(value, shape[word], path, found)
        else:
            found[f"{path}.{_named(word)}"] = None


def _fields(value: JsonObject, shape: Part, path: str, found: dict[str, None]) -> None:
    for name, item in value.items():
        here = f"{path}.{_named(name)}" if path else _named(name)
        if name in shape:
            _walk(item, shape[name], here, found)
        elif item not in _EMPTY and not isinstance(shape, Open):
            found[here] = None


def _named(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else "?"

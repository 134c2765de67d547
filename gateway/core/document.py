"""The JSON document of a request, deeply immutable.

What is inspected, what is decided on and what is sent are the same object. `freeze` copies every container, so
nobody else can hold a reference through which it could change afterwards.
"""

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias, TypeGuard

import msgspec

Json: TypeAlias = "bool | int | float | str | tuple[Json, ...] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]


def freeze(value: object) -> Json:
    """Return a deeply immutable copy of parsed JSON (dict → read-only mapping, list → tuple).

    The depth is bounded by the parser that made `value`.

    Raises:
        TypeError: The value is not JSON.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict() | MappingProxyType():
            return MappingProxyType({key: freeze(item) for key, item in value.items()})
        case list() | tuple():
            return tuple(freeze(item) for item in value)
        case _:
            raise TypeError(f"not a JSON value: {type(value).__name__}")


def thaw(value: Json) -> object:
    """Return a mutable copy (read-only mapping → dict, tuple → list) for libraries that want plain containers."""
    match value:
        case tuple():
            return [thaw(item) for item in value]
        case Mapping():
            return {key: thaw(item) for key, item in value.items()}
        case _:
            return value


def freeze_object(value: Mapping[str, object]) -> JsonObject:
    """Return a deeply immutable copy of a JSON object, as `freeze` does.

    Raises:
        TypeError: A value inside is not JSON.
    """
    return MappingProxyType({key: freeze(item) for key, item in value.items()})


def _plain(value: object) -> object:
    if is_object(value):
        return dict(value)
    raise TypeError(f"not a JSON value: {type(value).__name__}")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def encode(document: Json) -> bytes:
    """Return the document as UTF-8 JSON bytes."""
    return _ENCODER.encode(document)


_LONG_NUMBER = 1_000_000

Step: TypeAlias = str | int
Place: TypeAlias = "tuple[Place, Step] | None"
"""Where a value stands, from the inside out: its key or index, then the same of what holds it. None: the document."""
Leaf: TypeAlias = "str | int | float | tuple[int | float | bool | None, ...] | None"
KEY = -1
"""The step from a value to its own key."""
_AMBIGUOUS = re.compile(r"[.\[~ ]")  # of a key: written as it is, it could be taken for several steps


def path_of(place: Place, root: str = "$") -> str:
    """Return a place as people write it, such as `$.messages[2].content`; places are many and paths few.

    INVARIANT: two places of a document never have the same path, or what was seen at one would count for the other.
    """
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append("~key" if step == KEY else _written(step))
    return root + "".join(reversed(steps))


def inside(path: str, step: Step) -> str:
    """Return the path of what stands in the value at a path, as `path_of` does."""
    return path + _written(step)


def _written(step: Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f"[{json.dumps(step, ensure_ascii=False)}]" if _AMBIGUOUS.search(step) else f".{step}"


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Return whether a value is a JSON object. Its usual type is asked for first: an ABC is slow to ask."""
    kind = type(value)
    return kind is MappingProxyType or (kind not in _NO_OBJECTS and isinstance(value, Mapping))


def leaves(value: object, place: Place = None) -> Iterator[tuple[Place, Leaf, bool]]:
    """Yield every value that holds no others as `(place, value, whether it is a key)`, in the document's order.

    An array of numbers alone is one leaf. A key's own place is that of its value with `~key` behind it. Lists and
    plain dictionaries count as well.
    """
    stack: list[tuple[Place, object, bool]] = [(place, value, False)]
    while stack:
        here, item, is_key = stack.pop()
        if isinstance(item, str):
            yield here, item, is_key
        elif isinstance(item, tuple | list):
            if item and _NUMBERS.issuperset(map(type, item)):
                yield here, tuple(item), False
            else:
                stack.extend([((here, i), item[i], False) for i in range(len(item) - 1, -1, -1)])
        elif isinstance(item, MappingProxyType | Mapping):  # the type first: an ABC is slow to ask
            if _FLAT.issuperset(map(type, item.values())):  # most objects, messages above all
                for key, child in item.items():
                    yield ((here, key), KEY), key, True
                    yield (here, key), child, False
                continue
            children: list[tuple[Place, object, bool]] = []
            for key, child in item.items():
                children.append((((here, key), KEY), key, True))
                children.append(((here, key), child, False))
            stack.extend(reversed(children))
        elif item is None or isinstance(item, int | float):
            yield here, item, False


def strings(value: Json, path: str = "$") -> Iterator[tuple[str, str]]:
    """Yield every text of the document as `(path, text)`, in its order: strings, keys, and long numbers written out.

    A number of seven digits or more can be an identifier (a card, an account), whatever its JSON type. Paths read like
    `$.messages[2].content`; a key's own text has the path of its value with `~key` behind it.
    """
    for place, leaf, _ in leaves(value):
        if isinstance(leaf, str):
            yield path_of(place, path), leaf
        elif isinstance(leaf, tuple):
            for index, number in long_numbers(leaf):
                yield f"{path_of(place, path)}[{index}]", number
        else:
            for _, number in long_numbers((leaf,)):
                yield path_of(place, path), number


def long_numbers(numbers: "tuple[int | float | bool | None, ...]") -> Iterator[tuple[int, str]]:
    """Yield the numbers that are long enough for an identifier, written out, each with its index."""
    for index, number in enumerate(numbers):
        if number is not None and abs(number) >= _LONG_NUMBER:
            yield index, str(int(number)) if number == number // 1 else repr(number)


_NUMBERS = frozenset({int, float, bool, type(None)})
_FLAT = frozenset({str, *_NUMBERS})
_NO_OBJECTS = frozenset({tuple, *_FLAT})

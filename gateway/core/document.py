"""The JSON document of a request, deeply immutable.

What is inspected, what is decided on and what is sent are the same object. `freeze` copies every container, so
nobody else can hold a reference through which it could change afterwards.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

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
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"not a JSON value: {type(value).__name__}")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def encode(document: Json) -> bytes:
    """Return the document as UTF-8 JSON bytes."""
    return _ENCODER.encode(document)


_LONG_NUMBER = 1_000_000


def strings(value: Json, path: str = "$") -> Iterator[tuple[str, str]]:
    """Yield every text of the document as `(path, text)`, in its order: strings, keys, and long numbers written out.

    A number of seven digits or more can be an identifier (a card, an account), whatever its JSON type. Paths read like
    `$.messages[2].content`; a key's own text has the path of its value with `~key` behind it.
    """
    stack: list[tuple[str, Json]] = [(path, value)]
    while stack:
        here, item = stack.pop()
        if isinstance(item, str):
            yield here, item
        elif isinstance(item, tuple):
            stack.extend((f"{here}[{i}]", item[i]) for i in range(len(item) - 1, -1, -1))
        elif isinstance(item, MappingProxyType | Mapping):  # the type first: an ABC is slow to ask
            if _FLAT.issuperset(map(type, item.values())):  # most objects, messages above all
                for key, child in item.items():
                    yield f"{here}.{key}~key", key
                    for text in (child,) if isinstance(child, str) else _text(child):
                        yield f"{here}.{key}", text
                continue
            children: list[tuple[str, Json]] = []
            for key, child in item.items():
                children.append((f"{here}.{key}~key", key))
                children.append((f"{here}.{key}", child))
            stack.extend(reversed(children))
        else:
            for text in _text(item):
                yield here, text


_FLAT = frozenset({str, int, float, bool, type(None)})


def _text(value: Json) -> tuple[str, ...]:
    """Return the text of a value that holds no other values; nothing for short numbers, booleans and null."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, int | float) and abs(value) >= _LONG_NUMBER:
        return (str(int(value)) if value == value // 1 else repr(value),)
    return ()

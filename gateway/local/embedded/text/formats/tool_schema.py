"""JSON schemas to which calls of tools are held, made of the tools' parameters. Pure.

References within a tool's parameters count from their root (`#/$defs/Step`, `#/properties/a`), so where they stand
within a larger schema their references are led there.
"""

import json
from collections.abc import Mapping

from gateway.core.document import Json, thaw

_WHOLE = "parameters"
# Where these stand, an object's own list of fields may not be all that it has.
_OPEN = frozenset(
    {
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
        "propertyNames",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "$ref",
        "dependentSchemas",
        "minProperties",
    }
)
_JOINING = frozenset({"allOf", "if", "not", "dependentSchemas"})  # what they hold is a part of another schema
_AS_THEY_ARE = frozenset({"const", "enum", "default", "examples"})  # values, no schemas


def parameter_schema(parameters: Json, key: str) -> object:
    """Return the schema of one of a tool's parameters, by itself: all that it refers to is with it."""
    whole = arguments_schema(parameters, f"#/$defs/{_WHOLE}")
    properties = whole.get("properties")
    schema = properties.get(key) if isinstance(properties, dict) else None
    if not isinstance(schema, dict) or "$ref" not in json.dumps(schema):
        return schema
    return {**schema, "$defs": {_WHOLE: whole}}


def arguments_schema(parameters: Json, root: str = "#") -> dict[str, object]:
    """Return the schema of a tool's arguments, to stand at `root` of a larger one.

    Objects whose fields are listed have no others, unless their schema says so: models would invent some.
    """
    if not isinstance(parameters, Mapping):
        return {"type": "object"}
    closed = not _joins(parameters)
    moved = _moved(parameters, root, closed)
    assert isinstance(moved, dict)
    moved.pop("$schema", None)
    moved.pop("$id", None)  # references would count from there
    return moved if moved.keys() - {"description", "title"} else {"type": "object"}


def _joins(schema: Json) -> bool:
    """Say whether parts of the schema are joined to others: none of them can be closed by itself."""
    stack = [schema]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, Mapping):
            if any(name in _JOINING and isinstance(value, Mapping | tuple) for name, value in item.items()):
                return True
            stack.extend(item.values())
    return False


def _moved(item: Json, root: str, closed: bool, *, names: bool = False) -> object:
    """Return a schema with its references led to `root`; `names`: its keys are names of fields or definitions."""
    if isinstance(item, tuple):
        return [_moved(one, root, closed) for one in item]
    if not isinstance(item, Mapping):
        return item
    moved: dict[str, object] = {}
    for name, value in item.items():
        if not names and name == "$ref" and isinstance(value, str) and value.startswith("#"):
            moved[name] = root + value[1:]
        elif not names and name in _AS_THEY_ARE:
            moved[name] = thaw(value)
        else:
            inner = not names and name in ("properties", "$defs", "definitions", "patternProperties")
            moved[name] = _moved(value, root, closed, names=inner)
    if closed and not names and isinstance(item.get("properties"), Mapping) and not _OPEN & item.keys():
        moved["additionalProperties"] = False
    return moved

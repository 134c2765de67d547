"""Values of arguments that stand as plain text between tags: text or JSON, as the tool's schema says."""

import ast
import json
from collections.abc import Mapping

from gateway.core.document import Json

_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}


def types_of(parameters: Mapping[str, Json], key: str) -> frozenset[str]:
    """Return the JSON types that an argument may have; none: the schema doesn't say."""
    properties = parameters.get("properties")
    schema = properties.get(key) if isinstance(properties, Mapping) else None
    return _types(parameters, schema, 0)


def _types(root: Mapping[str, Json], schema: Json, depth: int) -> frozenset[str]:
    if not isinstance(schema, Mapping) or depth > 8:
        return frozenset()
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        found: Json = root
        for part in reference[2:].split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        return _types(root, found, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, str):
        return frozenset({kind})
    if isinstance(kind, tuple):
        return frozenset(one for one in kind if isinstance(one, str))
    values = schema.get("enum", (schema["const"],) if "const" in schema else None)
    if isinstance(values, tuple):
        return frozenset("string" if isinstance(value, str) else "other" for value in values)
    for word in ("anyOf", "oneOf"):
        several = schema.get(word)
        if isinstance(several, tuple):
            kinds = [_types(root, one, depth + 1) for one in several]
            return frozenset().union(*kinds) if all(kinds) else frozenset()
    return frozenset()


def value_as_json(text: str, types: frozenset[str]) -> str:
    """Return the JSON of a value that was written as text.

    A value that may be text and something else is what it reads as, if the schema allows that; Python's literals are
    read too, for some templates show models those.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = python_value(text)
        except ValueError:
            return json.dumps(text, ensure_ascii=False)
        if isinstance(value, str) and "string" in types:
            return json.dumps(text, ensure_ascii=False)
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and "string" in types:
        return json.dumps(text, ensure_ascii=False)
    if types and not _fits(value, types) and "string" in types:
        return json.dumps(text, ensure_ascii=False)
    return text.strip()


def python_value(text: str) -> object:
    """Return the value of a Python literal; `true`, `false` and `null` are understood too.

    Raises:
        ValueError: it is none.
    """
    try:
        return _literal(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise ValueError("no literal") from error


def _literal(node: ast.expr) -> object:
    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.Name(id=name) if name in _WORDS:
            return _WORDS[name]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_literal(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            pairs = [
                (_literal(key), _literal(value)) for key, value in zip(keys, values, strict=True) if key is not None
            ]
            return {key if isinstance(key, str) else json.dumps(key): value for key, value in pairs}
        case _:
            raise ValueError("no literal")


def _fits(value: object, types: frozenset[str]) -> bool:
    match value:
        case None:
            return "null" in types
        case bool():
            return "boolean" in types
        case int() | float():
            return bool(types & {"number", "integer"})
        case list():
            return "array" in types
        case dict():
            return "object" in types
        case _:
            return "string" in types

"""Values that fit a JSON schema, as small as they can be. Pure."""

from typing import Any

Document = dict[str, Any]
_SIMPLE = {"integer": 3, "number": 0.5, "boolean": False, "null": None}


def instance(schema: Any, root: Document, word: str) -> Any:
    """Return a value that fits a JSON schema, as small as it can be.

    Args:
        schema: What the value must fit.
        root: The document that its references point into.
        word: What texts are filled with.
    """
    if not isinstance(schema, dict):
        return word
    if "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return instance(found, root, word)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return instance(schema[key][0], root, word)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: instance(one, root, word) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema.get("items", {}), root, word)] * max(1, schema.get("minItems", 0))
    return word if kind == "string" else _SIMPLE[kind]

"""Schemas of forced tool calls: every nested model of pydantic and zod can be enforced, and adds no fields."""

from typing import Any

import pytest

from gateway.core.document import freeze, thaw
from gateway.engine.sampling.grammar import json_grammar
from gateway.local.embedded.text.formats.tool_schema import arguments_schema, parameter_schema

STEP = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
NESTED: dict[str, dict[str, Any]] = {
    "pydantic": {"type": "object", "$defs": {"Step": STEP}, "properties": {"a": {"$ref": "#/$defs/Step"}}},
    "pydantic 1": {
        "type": "object",
        "definitions": {"Step": STEP},
        "properties": {"a": {"allOf": [{"$ref": "#/definitions/Step"}]}},
    },
    "zod": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"a": STEP, "b": {"$ref": "#/properties/a"}},
    },
    "with an id": {
        "$id": "https://example.org/plan.json",
        "type": "object",
        "$defs": {"Step": STEP},
        "properties": {"a": {"$ref": "#/$defs/Step"}},
    },
    "itself": {"type": "object", "properties": {"a": STEP, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}},
    "a field called $ref": {"type": "object", "properties": {"$ref": {"type": "string"}}},
    "nothing": {},
}


@pytest.mark.parametrize("name", NESTED)
def test_references_of_tools_lead_to_their_own_definitions(name: str) -> None:
    """The arguments of a tool, and each parameter by itself, can be enforced whatever their schemas refer to."""
    parameters = freeze(NESTED[name])
    assert json_grammar(arguments_schema(parameters))
    for key in NESTED[name].get("properties", {}):
        assert json_grammar(parameter_schema(parameters, key))


@pytest.mark.parametrize(
    ("given", "closed"),
    [
        (STEP, True),
        (STEP | {"additionalProperties": True}, False),
        (STEP | {"additionalProperties": {"type": "string"}}, False),
        (STEP | {"allOf": [STEP]}, False),
        ({"type": "object"}, False),
        ({"type": "object", "properties": {"a": {"anyOf": [STEP, {"type": "null"}]}}}, True),
    ],
)
def test_listed_fields_are_all_unless_said_otherwise(given: dict[str, Any], closed: bool) -> None:
    """Models add no fields to a tool's arguments, where its schema does not allow for more."""
    found = arguments_schema(freeze(given), "#")
    assert (found.get("additionalProperties") is False) is closed


def test_values_in_a_schema_are_no_schemas() -> None:
    """A default or an enumeration that looks like a schema stays as it is."""
    value = {"$ref": "#/x", "properties": {}}
    given = {"type": "object", "properties": {"a": {"default": value, "enum": [value]}}}
    found: Any = arguments_schema(freeze(given), "#/$defs/tool_0")
    assert found["properties"]["a"] == {"default": value, "enum": [value]}
    assert thaw(freeze(given)) == given

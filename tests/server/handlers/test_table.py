"""The table of routes is whole: no handler without an address, no address without its row and its description."""

import inspect
import json
import re
from collections import Counter
from typing import get_type_hints

import jsonschema
import pytest

from gateway.core.document import thaw
from gateway.server.handlers.description import description
from gateway.server.handlers.table import ROUTES, Access, HttpRoute, Work
from gateway.server.handlers.table import Handlers as Served
from gateway.server.handlers.table.route import Reading

KINDS = {name: kind for name, kind in get_type_hints(Served).items() if kind is not Reading}
"""Every kind of handlers that rows may take theirs from."""


class Named:
    """Handlers of every kind, whose methods are their own names."""

    def __getattr__(self, name: str) -> object:
        return Handlers(name)


class Name(str):
    """The name of a handler, which may also make one."""

    def __call__(self, *_: object) -> "Name":
        return self


class Handlers:
    """Handlers of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __getattr__(self, name: str) -> Name:
        return Name(f"{self.kind}.{name}")


def answers(name: str, function: object) -> bool:
    """Say whether a method is a handler, and no part that several handlers share."""
    if name.startswith("_") or not inspect.iscoroutinefunction(function):
        return False
    return [*inspect.signature(function).parameters] == ["self", "http"]


def test_every_handler_has_an_address() -> None:
    """A handler that nobody could reach, or that was forgotten in the table, is a mistake."""
    served = {str(route.handler(Named())) for route in ROUTES}  # type: ignore[arg-type]
    for name, kind in KINDS.items():
        public = {f"{name}.{method}" for method, function in vars(kind).items() if answers(method, function)}
        assert public <= served, kind
        assert public, kind


def test_an_address_has_one_row() -> None:
    """No path is served twice with one method."""
    addresses = Counter((route.method, path) for route in ROUTES for path in route.paths)
    assert [address for address, count in addresses.items() if count > 1] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_row_says_what_it_must(route: HttpRoute) -> None:
    """Whatever hands content to a target needs a key and a body; only POST is repeated; a summary is a sentence."""
    assert route.work is not Work.ANSWERS or (route.access is Access.KEY and route.example)
    assert route.access is not Access.OPEN or route.work is Work.WATCHES
    assert not route.once or route.method == "POST"
    assert re.fullmatch(r"[A-Z].*\.", route.summary)
    json.dumps(thaw(route.example))


SCHEMA = {
    "type": "object",
    "required": ["openapi", "info", "paths", "components"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"]},
        "paths": {
            "type": "object",
            "patternProperties": {
                "^/": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "required": ["operationId", "summary", "responses", "security", "tags", "x-aduana-work"],
                        "properties": {
                            "responses": {"type": "object", "minProperties": 1},
                            "parameters": {
                                "type": "array",
                                "items": {"type": "object", "required": ["name", "in", "required", "schema"]},
                            },
                        },
                    },
                }
            },
            "additionalProperties": False,
        },
    },
}
"""What of the OpenAPI specification 3.1 this description uses."""


def test_the_description_has_every_address() -> None:
    """It has each path and method of the table, each parameter of a path, and an id of its own for each operation."""
    found = description(ROUTES)
    jsonschema.validate(found, SCHEMA)
    operations = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    plain = {
        (route.method, re.sub(r"\{(\w+)(:.*?)?\}(?=/|$)", r"{\1}", path)) for route in ROUTES for path in route.paths
    }
    assert operations == plain
    ids = [operation["operationId"] for methods in found["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
    for path, methods in found["paths"].items():
        for operation in methods.values():
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))
    for name in re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(found)):
        at = found
        for step in name.split("/"):
            at = at[step]


def test_patterns_of_paths_are_in_the_description() -> None:
    """Where the router takes only some names, the description says which."""
    found = description(ROUTES)["paths"]["/v1/responses/{id}"]["get"]["parameters"][0]
    assert re.fullmatch(found["schema"]["pattern"], "resp_0123456789abcdef")
    assert not re.fullmatch(found["schema"]["pattern"], "a/b")

"""`/openapi.json`: the table of routes as an OpenAPI description, for tools and people that ask what is served.

Bodies are described by their least example: their fields are those of the providers' own references, which apps know.
Source: the OpenAPI specification, version 3.1.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from gateway import __version__
from gateway.core.document import thaw
from gateway.core.request import Dialect
from gateway.server.handlers.table import Access, HttpRoute, Work

_PLACE = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})*))?\}")
_TEXT = {"type": "string"}
_DECIDED = {
    "type": "object",
    "description": "What was decided about the request that failed; absent where nothing was.",
    "properties": {
        "decision": {"enum": ["refused", "permitted"]},
        "label": {"enum": ["public", "internal", "sensitive"]},
        "rule": _TEXT,
        "categories": {"type": "array", "items": _TEXT},
        "reasons": {"type": "array", "items": _TEXT},
    },
}
_ERRORS: dict[Dialect, dict[str, Any]] = {
    Dialect.OPENAI: {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "message": _TEXT,
                    "type": _TEXT,
                    "param": {"type": ["string", "null"]},
                    "code": {"type": ["string", "null"]},
                    "aduana": _DECIDED,
                },
                "required": ["message", "type", "param", "code"],
            }
        },
        "required": ["error"],
    },
    Dialect.ANTHROPIC: {
        "type": "object",
        "properties": {
            "type": {"const": "error"},
            "error": {
                "type": "object",
                "properties": {"type": _TEXT, "message": _TEXT, "aduana": _DECIDED},
                "required": ["type", "message"],
            },
            "request_id": _TEXT,
        },
        "required": ["type", "error", "request_id"],
    },
    Dialect.OLLAMA: {"type": "object", "properties": {"error": _TEXT, "aduana": _DECIDED}, "required": ["error"]},
    Dialect.A1111: {
        "type": "object",
        "properties": {"error": _TEXT, "detail": _TEXT, "errors": _TEXT, "aduana": _DECIDED},
        "required": ["error", "detail"],
    },
    Dialect.LLAMACPP: {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {"code": {"type": "integer"}, "message": _TEXT, "type": _TEXT, "aduana": _DECIDED},
                "required": ["code", "message", "type"],
            }
        },
        "required": ["error"],
    },
}
_HEADERS = {
    "x-aduana-label": "public, internal or sensitive",
    "x-aduana-rule": "the rule that chose the target",
    "x-aduana-decision": "of an error: refused or permitted",
    "x-aduana-reasons": "what gives the request its label: categories, doubts, tags",
    "x-aduana-target": "the target that answered",
    "x-aduana-zone": "where it runs: local or cloud",
    "x-aduana-dropped": "fields of the body that the target was not sent",
}
_WORKS = {
    Work.ANSWERS: "Inspected, labelled and decided on; written down before anything is sent, and settled.",
    Work.MEASURES: "Sent nowhere.",
    Work.KEEPS: "Only for the key that made it; needs `responses: {store: on}`, or `batches: {store: on}`.",
    Work.LISTS: "",
    Work.MANAGES: "For keys with `admin: true`.",
    Work.WATCHES: "",
}


def description(routes: Iterable[HttpRoute]) -> dict[str, Any]:
    """Return the OpenAPI description of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for path in route.paths:
            paths.setdefault(_PLACE.sub(r"{\1}", path), {})[route.method.lower()] = _operation(route, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aduana",
            "version": __version__,
            "summary": "One address between your apps, your own GPU and the cloud: sensitive data stays local.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "api-key": {"type": "apiKey", "in": "header", "name": "api-key"},
            },
            "schemas": {f"{dialect}_error": schema for dialect, schema in _ERRORS.items()},
            "headers": {name: {"description": what, "schema": _TEXT} for name, what in _HEADERS.items()},
        },
    }


class Description:
    """Handler of `/openapi.json`, which is the same for everybody and made once."""

    def __init__(self, routes: Iterable[HttpRoute]) -> None:
        self._body = msgspec.json.encode(description(routes))

    async def read(self, _: web.Request) -> web.StreamResponse:
        """Answer GET /openapi.json."""
        return web.Response(body=self._body, content_type="application/json")


def _operation(route: HttpRoute, path: str) -> dict[str, Any]:
    answered = route.work is Work.ANSWERS
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS} if answered else {}
    error = {"application/json": {"schema": {"$ref": f"#/components/schemas/{route.dialect}_error"}}}
    operation: dict[str, Any] = {
        "operationId": _operation_id(route, path),
        "summary": route.summary,
        "description": _WORKS[route.work],
        "tags": [_tag(route)],
        "security": _security(route.access),
        "parameters": _parameters(route, path),
        "responses": {
            "200": {"description": "The answer.", "headers": headers},
            "default": {"description": "An error in this dialect's shape.", "headers": headers, "content": error},
        },
        "x-aduana-work": route.work.value,
    }
    if route.example:
        schema = {"type": "object", "required": list(route.example)}
        example = thaw(route.example)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        }
    return operation


def _tag(route: HttpRoute) -> str:
    return route.dialect.value if route.work not in (Work.MANAGES, Work.WATCHES) else "gateway"


def _operation_id(route: HttpRoute, path: str) -> str:
    plain = _PLACE.sub(r"\1", path)
    return "_".join([route.method.lower(), *re.findall(r"[A-Za-z0-9]+", plain)]) if plain != "/" else "get_page"


def _security(access: Access) -> list[dict[str, list[str]]]:
    keys: list[dict[str, list[str]]] = [{"bearer": []}, {"x-api-key": []}, {"api-key": []}]
    return [] if access is Access.OPEN else keys


def _parameters(route: HttpRoute, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": place[1],
            "in": "path",
            "required": True,
            "schema": _TEXT | ({"pattern": f"^{place[2]}$"} if place[2] else {}),
        }
        for place in _PLACE.finditer(path)
    ]
    if route.work is Work.ANSWERS:
        found.append(_header("x-aduana-tags", "tags of this request, with commas between them"))
        found.append(_header("x-aduana-key", "a key of this gateway, beside the caller's own for a provider"))
        found.append(_header("x-aduana-explain", "1, with an administrator's key: the decision in place of an answer"))
    if route.once:
        found.append(_header("Idempotency-Key", "the same request sent again gets the same answer"))
    return found


def _header(name: str, meaning: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": _TEXT}

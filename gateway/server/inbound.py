"""Turns an HTTP request's head into an `Inbound`: who asks, with which tags, under which id."""

import re
import secrets
from collections.abc import Sequence

from aiohttp import web

from gateway.core.errors import BadRequest
from gateway.core.request import AnyRequest, Caller, Inbound
from gateway.core.target import Catalog

TAGS_HEADER = "x-aduana-tags"
_TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_MAX_TAGS = 32


def new_request_id() -> str:
    """A fresh id; what a client sends as its own id is never taken over."""
    return "req_" + secrets.token_hex(12)


def parse_tags(value: str | None) -> frozenset[str]:
    """Tags of the header. Raises BadRequest: a tag that can't be read must not be dropped, it might have protected."""
    if value is None or not value.strip():
        return frozenset()
    tags = [tag.strip().lower() for tag in value.split(",") if tag.strip()]
    bad = next((tag for tag in tags if not _TAG.match(tag)), None)
    if bad is not None or len(tags) > _MAX_TAGS:
        raise BadRequest(
            f"{TAGS_HEADER}: write up to {_MAX_TAGS} tags with commas between them; each has lower-case letters, "
            "digits, '.', '_' or '-', as in 'health, client-acme'.",
            param=TAGS_HEADER,
            code="invalid_tags",
        )
    return frozenset(tags)


class InboundBuilder:
    """Knows the aliases' tags and the header names that policies may see."""

    def __init__(self, catalog: Catalog, header_facts: Sequence[str]) -> None:
        self._catalog = catalog
        self._header_facts = tuple(name.lower() for name in header_facts)

    def inbound(self, http: web.Request, request_id: str, caller: Caller, request: AnyRequest, size: int) -> Inbound:
        """The request with its circumstances: tags are the union of header, key and alias."""
        alias = self._catalog.resolve(request.model)
        tags = parse_tags(http.headers.get(TAGS_HEADER)) | caller.tags | (alias.tags if alias else frozenset())
        return Inbound(
            id=request_id,
            request=request,
            caller=caller,
            tags=tags,
            headers=tuple(
                (name, ", ".join(http.headers.getall(name))) for name in self._header_facts if name in http.headers
            ),
            size=size,
        )

"""From an HTTP request's head to an `Inbound`: who asks, with which tags, under which id."""

import itertools
import re
import secrets
from collections.abc import Sequence

from aiohttp import web

from gateway.core.errors import BadRequest
from gateway.core.request import AnyRequest, Caller, Inbound, Inherited
from gateway.core.secret import Credential
from gateway.core.target import Catalog
from gateway.server.headers import TAGS

_TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_MAX_TAGS = 32
_RUN = secrets.token_hex(8)  # drawn once: the system's random numbers cost more than the rest of an id
_NUMBERS = itertools.count(secrets.randbelow(2**16))


def new_request_id() -> str:
    """Return a new id. What a client sends as an id of its own is never taken over.

    Ids are unique, not secret: knowing one opens nothing.
    """
    return f"req_{_RUN}{next(_NUMBERS):08x}"


def parse_tags(value: str | None) -> frozenset[str]:
    """Return the tags of the header `x-aduana-tags`.

    Raises:
        BadRequest: One can't be read. It must not be dropped: it might have kept the request at home.
    """
    if value is None or not value.strip():
        return frozenset()
    tags = [tag.strip().lower() for tag in value.split(",") if tag.strip()]
    bad = next((tag for tag in tags if not _TAG.match(tag)), None)
    if bad is not None or len(tags) > _MAX_TAGS:
        raise BadRequest(
            f"{TAGS}: write up to {_MAX_TAGS} tags with commas between them; each has lower-case letters, "
            "digits, '.', '_' or '-', as in 'health, client-acme'.",
            param=TAGS,
            code="invalid_tags",
        )
    return frozenset(tags)


def _readable(value: str) -> str:
    """Return a header's value with a replacement character for bytes that are no UTF-8, which arrive as surrogates."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class InboundBuilder:
    """Builder of `Inbound`s that knows the aliases' tags and the header names that policies may see."""

    def __init__(self, catalog: Catalog, header_facts: Sequence[str], *, refuse_built_in_tools: bool = False) -> None:
        self._catalog = catalog
        self._refuse_built_in_tools = refuse_built_in_tools
        self.header_facts = tuple(name.lower() for name in header_facts)

    def given(self, http: web.Request) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
        """Return the tags of a request's header, and the headers that policies look at.

        Raises:
            BadRequest: The tags can't be read.
        """
        given = http.headers
        facts = [(name, _readable(", ".join(given.getall(name)))) for name in self.header_facts if name in given]
        return parse_tags(given.get(TAGS)), tuple(facts)

    def built(
        self,
        request_id: str,
        caller: Caller,
        request: AnyRequest,
        *,
        size: int,
        tags: frozenset[str],
        headers: tuple[tuple[str, str], ...],
        parse_seconds: float = 0.0,
        inherited: Inherited | None = None,
        credentials: tuple[Credential, ...] = (),
    ) -> Inbound:
        """Return the request with what its head had; its tags are those of header, key and alias together.

        Raises:
            BadRequest: There are tools that can't be run here and the owner wants none.
        """
        if request.built_in_tools and self._refuse_built_in_tools:
            raise BadRequest(
                f"{', '.join(request.built_in_tools)[:200]}: only the provider's own service runs this, and this "
                "gateway refuses such tools. Take them out of 'tools'.",
                param="tools",
                code="built_in_tools",
            )
        alias = self._catalog.resolve(request.model)
        return Inbound(
            id=request_id,
            request=request,
            caller=caller,
            tags=tags | caller.tags | (alias.tags if alias else frozenset()),
            headers=headers,
            size=size,
            parse_seconds=parse_seconds,
            inherited=inherited,
            credentials=credentials,
        )

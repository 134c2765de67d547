"""OpenAI's conversations: made, shown, changed, deleted. Responses lengthen them (`handlers/responses.py`)."""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from gateway.core.errors import BadRequest, NotFound
from gateway.core.request import Caller, Inherited
from gateway.server.answers import json_answer
from gateway.server.endpoint import INLINE_BYTES, REQUEST_ID, HttpEndpoint
from gateway.server.handlers.paging import wanted_page
from gateway.stored import Conversation, ResponseStore
from gateway.wire.responses import conversations as wire
from gateway.wire.responses.stored_items import id_of, listed_items, missing, page

T = TypeVar("T")
_OFF = "Nothing is stored here. The owner of this gateway turns it on with 'responses: {store: on}'."


class ConversationHandlers:
    """Handlers of the routes below `/v1/conversations`. Holds no state but its parts."""

    def __init__(
        self, endpoint: HttpEndpoint, store: ResponseStore | None, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._endpoint = endpoint
        self._store = store
        self._wall = wall

    async def create(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/conversations."""
        caller, store = self._owner(http)
        metadata, items = await self._given(http, _new)
        conversation = Conversation(
            id=f"conv_{secrets.token_hex(24)}",
            created=int(self._wall()),
            metadata=metadata,
            items=items,
            inherited=self._handed(http, caller),
        )
        await store.keep(caller.owner, conversation)
        return _shown(http, conversation)

    async def read(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/conversations/{id}."""
        return _shown(http, await self._stored(http))

    async def update(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/conversations/{id}: other metadata."""
        self._owner(http)
        metadata = wire.parse_metadata(await self._endpoint.body(http))
        changed = await self._changed(http, lambda found: msgspec.structs.replace(found, metadata=metadata))
        return _shown(http, changed)

    async def delete(self, http: web.Request) -> web.StreamResponse:
        """Answer DELETE /v1/conversations/{id}: all its items go; responses in it stay until they are deleted."""
        caller, store = self._owner(http)
        found = await self._stored(http)
        await store.delete(caller.owner, found.id)
        return json_answer(wire.deleted_body(found.id, "conversation.deleted"), _id(http))

    async def add_items(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/conversations/{id}/items with the items that were added."""
        caller, _ = self._owner(http)
        items = await self._given(http, _added)
        handed = self._handed(http, caller)
        await self._changed(http, lambda found: found.grown(items, handed))
        return json_answer(page(items, after=None, order="asc", limit=len(items)), _id(http))

    async def items(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/conversations/{id}/items."""
        order, limit, after = wanted_page(http)
        found = await self._stored(http)
        body = await asyncio.to_thread(page, found.items, after=after, order=order, limit=limit)
        return json_answer(body, _id(http))

    async def item(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/conversations/{id}/items/{item}.

        Raises:
            NotFound: There is no such item.
        """
        found, name = await self._stored(http), http.match_info["item"]
        item = await asyncio.to_thread(lambda: next((one for one in found.items if id_of(one) == name), None))
        if item is not None:
            return json_answer(item, _id(http))
        raise NotFound(missing("Item", name), code="item_not_found")

    async def delete_item(self, http: web.Request) -> web.StreamResponse:
        """Answer DELETE /v1/conversations/{id}/items/{item} with the conversation, whose label stays as it was.

        Raises:
            NotFound: There is no such item.
        """
        name = http.match_info["item"]

        def without(found: Conversation) -> Conversation:
            items = tuple([item for item in found.items if id_of(item) != name])
            if len(items) == len(found.items):
                raise NotFound(missing("Item", name), code="item_not_found")
            return msgspec.structs.replace(found, items=items)

        return _shown(http, await self._changed(http, without))

    def _handed(self, http: web.Request, caller: Caller) -> Inherited:
        """Return what items hand down that no model has seen yet: the tags and headers under which they came.

        Raises:
            BadRequest: The tags can't be read.
        """
        tags, headers = self._endpoint.given(http)
        return Inherited(tags=tags | caller.tags, heads=(headers,) if headers else ())

    def _owner(self, http: web.Request) -> tuple[Caller, ResponseStore]:
        """Return who asks, and the store.

        Raises:
            BadRequest: Nothing is stored here.
        """
        caller = self._endpoint.caller(http)
        if self._store is None:
            raise BadRequest(_OFF, code="store_off")
        return caller, self._store

    async def _given(self, http: web.Request, parse: Callable[[bytes], T]) -> T:
        """Return what the body gives; a long one is parsed in a thread.

        Raises:
            BadRequest: It is not as it must be.
        """
        body = await self._endpoint.body(http)
        return await asyncio.to_thread(parse, body) if len(body) > INLINE_BYTES else parse(body)

    async def _stored(self, http: web.Request) -> Conversation:
        """Return the conversation that the path names.

        Raises:
            NotFound: This caller has no such conversation.
        """
        caller, store = self._owner(http)
        found = await store.conversation(caller.owner, http.match_info["id"])
        if found is None:
            raise NotFound(missing("Conversation", http.match_info["id"]), code="conversation_not_found")
        return found

    async def _changed(self, http: web.Request, change: Callable[[Conversation], Conversation]) -> Conversation:
        """Change the conversation that the path names, and return it.

        Raises:
            NotFound: This caller has no such conversation.
        """
        caller, store = self._owner(http)
        changed = await store.change(caller.owner, http.match_info["id"], change)
        if changed is None:
            raise NotFound(missing("Conversation", http.match_info["id"]), code="conversation_not_found")
        return changed


def _new(body: bytes) -> tuple[dict[str, str], tuple[bytes, ...]]:
    metadata, items = wire.parse_new(body)
    return metadata, _listed(items)


def _added(body: bytes) -> tuple[bytes, ...]:
    return _listed(wire.parse_added(body))


def _listed(items: list[object]) -> tuple[bytes, ...]:
    unique = secrets.token_hex(24)
    return listed_items(items, lambda prefix, number: f"{prefix}_{unique}_{number}")


def _shown(http: web.Request, found: Conversation) -> web.StreamResponse:
    return json_answer(wire.conversation_body(found.id, found.created, found.metadata), _id(http))


def _id(http: web.Request) -> dict[str, str]:
    return {"x-request-id": http[REQUEST_ID]}

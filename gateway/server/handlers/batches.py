"""OpenAI's batches: made, shown, cancelled. The queue answers them (`gateway/batches`)."""

import msgspec
from aiohttp import web

from gateway.batches import Batch, BatchQueue, FileStore
from gateway.batches.batch import encoded
from gateway.batches.message_batch import is_message_batch
from gateway.core.errors import BadRequest, Forbidden, NotFound
from gateway.core.request import Caller
from gateway.server.answers import json_answer
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.server.handlers.files import STORE_OFF
from gateway.server.handlers.paging import listed, wanted_page
from gateway.wire.openai.batches import parse_new_batch


class Batches(msgspec.Struct, frozen=True, kw_only=True):
    """Files and the batches made of them."""

    files: FileStore
    queue: BatchQueue


class BatchHandlers:
    """Handlers of the routes below `/v1/batches`. Holds no state but its parts; without a queue all are refused."""

    def __init__(self, endpoint: HttpEndpoint, queue: BatchQueue | None) -> None:
        self._endpoint = endpoint
        self._queue = queue

    async def create(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/batches."""
        caller, queue = self._owner(http)
        require_key(caller)
        new = parse_new_batch(await self._endpoint.body(http))
        tags, headers = self._endpoint.given(http)
        return _shown(http, await queue.create(caller.owner, new, tags, headers))

    async def list(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/batches, newest first."""
        caller, queue = self._owner(http)
        _, limit, after = wanted_page(http)
        found = [batch.shown() for batch in await queue.all(caller.owner) if not is_message_batch(batch)]
        return json_answer(listed(found, limit, after), _id(http))

    async def read(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/batches/{id}."""
        return _shown(http, await self._found(http))

    async def cancel(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/batches/{id}/cancel."""
        caller, queue = self._owner(http)
        found = await self._found(http)
        return _shown(http, await queue.cancel(caller.owner, found.id) if found is not None else None)

    async def _found(self, http: web.Request) -> Batch | None:
        """Return the batch that the path names; None: this caller has none, or it is one of Anthropic's messages."""
        caller, queue = self._owner(http)
        batch = await queue.find(caller.owner, http.match_info["id"])
        return None if batch is None or is_message_batch(batch) else batch

    def _owner(self, http: web.Request) -> tuple[Caller, BatchQueue]:
        """Return who asks, and the queue.

        Raises:
            BadRequest: No batches are served here.
        """
        caller = self._endpoint.caller(http)
        if self._queue is None:
            raise BadRequest(STORE_OFF, code="store_off")
        return caller, self._queue


def require_key(caller: Caller) -> None:
    """Refuse a batch of somebody who is known by a token or a front end's word: both are over when it runs.

    Raises:
        Forbidden: The caller is such a person.
    """
    if caller.account:
        raise Forbidden(
            "A batch runs later, with the rights that a key has then. Send it with a key of this gateway, and without "
            "a user's token or header.",
            code="key_required",
        )


def _shown(http: web.Request, batch: Batch | None) -> web.StreamResponse:
    """Answer with a batch.

    Raises:
        NotFound: There is none.
    """
    if batch is None:
        name = http.match_info.get("id", "")
        raise NotFound(f"No batch found with id '{name}'.", code="batch_not_found")
    return json_answer(encoded(batch), _id(http))


def _id(http: web.Request) -> dict[str, str]:
    return {"x-request-id": http[REQUEST_ID]}

"""OpenAI's Responses API: parse, put what it continues before it, ask the pipeline, encode, keep.

INVARIANT: stored items reach the pipeline only together with what they hand down (`Inbound.inherited`).
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import msgspec
import structlog
from aiohttp import web

from gateway.core.errors import AduanaError, BadRequest, NotFound, TargetProtocolError
from gateway.core.request import Caller, Inbound
from gateway.pipeline import Answer
from gateway.server.answers import json_answer, route_headers
from gateway.server.endpoint import INLINE_BYTES, REQUEST_ID, Finished, HttpEndpoint
from gateway.server.handlers.continuation import Continuation, Earlier
from gateway.server.handlers.paging import wanted_page
from gateway.server.headers import EXPLAIN
from gateway.stored import ResponseStore, SealedSummaries, StoredResponse, Summary
from gateway.wire import responses
from gateway.wire.responses.answers import ResponsesStream
from gateway.wire.responses.compaction import compacted_body, user_messages
from gateway.wire.responses.conversations import deleted_body
from gateway.wire.responses.stored_items import listed_items, missing, new_items, page

LOG = structlog.get_logger("aduana.server")


class ResponsesHandlers:
    """Handlers of the routes below `/v1/responses`. Holds no state but its parts; without a store nothing is kept."""

    def __init__(
        self,
        endpoint: HttpEndpoint,
        store: ResponseStore | None,
        summaries: SealedSummaries,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._store = store
        self._summaries = summaries
        self._continuation = Continuation(store, summaries)
        self._wall = wall
        self._storing = store is not None
        self._parse = partial(responses.parse_asked, storing=self._storing)

    async def create(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/responses."""
        caller, asked, request, earlier, size = await self._asked(http)
        inbound = self._endpoint.inbound(http, caller, request.chat, size, earlier.inherited)
        answer_id = responses.answer_id(inbound.id.removeprefix("req_"))
        encoder = responses.stream(request, id=answer_id, created=int(self._wall()))
        finished: Finished | None = None
        if request.store:
            finished = partial(self._keep, inbound, asked, earlier, encoder)
        return await self._endpoint.generate(
            http,
            inbound,
            request.chat,
            stream=lambda: encoder,
            assembly=lambda: responses.whole(encoder),
            finished=finished,
        )

    async def input_tokens(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/responses/input_tokens."""
        caller, _, request, earlier, size = await self._asked(http)
        inbound = self._endpoint.inbound(http, caller, request.chat, size, earlier.inherited)
        tokens = await self._endpoint.prompt_tokens(inbound)
        return json_answer(responses.input_tokens_body(tokens), _id(http))

    async def compact(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/responses/compact: a target summarises the conversation, and its client keeps the summary.

        Raises:
            TargetProtocolError: The target said nothing.
        """
        parse = partial(responses.parse_compact, storing=self._storing)
        caller, (asked, lost), size = await self._endpoint.parsed(http, parse)
        earlier, request, size = await self._continued(caller, asked, size)
        chat = msgspec.structs.replace(request.chat, left_out=lost)
        inbound = self._endpoint.inbound(http, caller, chat, size, earlier.inherited)
        if http.headers.get(EXPLAIN, "0") != "0":
            return await self._endpoint.explained(inbound)
        said = await self._endpoint.said(inbound, chat)
        if not said.text.strip():
            raise TargetProtocolError("The target wrote no summary.")
        unique = inbound.id.removeprefix("req_")
        items = [*earlier.items, *_listed(asked, earlier, unique)]
        sealed = self._summaries.seal(caller.owner, Summary(text=said.text, inherited=said.bequest))
        created = int(self._wall())
        body = compacted_body(user_messages(items), sealed, said.usage, unique=unique, created=created)
        return json_answer(body, route_headers(said.route))

    async def read(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/responses/{id}.

        Raises:
            BadRequest: It is to be streamed.
            NotFound: This caller has no such response.
        """
        stored = await self._stored(http)
        if http.query.get("stream", "").lower() not in ("", "0", "false"):
            raise BadRequest(
                "Only responses of the background are streamed again, and there are none here. Leave 'stream' out.",
                param="stream",
                code="not_streamable",
            )
        return json_answer(stored.body, _id(http))

    async def delete(self, http: web.Request) -> web.StreamResponse:
        """Answer DELETE /v1/responses/{id}.

        Raises:
            NotFound: This caller has no such response.
        """
        caller, stored = self._endpoint.caller(http), await self._stored(http)
        assert self._store is not None
        await self._store.delete(caller.owner, stored.id)
        return json_answer(deleted_body(stored.id, "response"), _id(http))

    async def cancel(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/responses/{id}/cancel, which no response here can be: none runs in the background.

        Raises:
            BadRequest: Always, where there is such a response.
            NotFound: This caller has no such response.
        """
        await self._stored(http)
        raise BadRequest("Cannot cancel a synchronous response.", code="not_cancellable")

    async def input_items(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/responses/{id}/input_items with what the model got: what was continued, and what was new.

        Raises:
            NotFound: This caller has no such response, or something that it continued is gone.
        """
        order, limit, after = wanted_page(http)
        caller = self._endpoint.caller(http)
        turns = await self._store.turns(caller.owner, http.match_info["id"]) if self._store is not None else None
        if not turns:
            raise NotFound(missing("Response", http.match_info["id"]), code="response_not_found")
        items = [item for turn in turns[:-1] for item in (*turn.items, *turn.output)]
        body = await asyncio.to_thread(page, [*items, *turns[-1].items], after=after, order=order, limit=limit)
        return json_answer(body, _id(http))

    async def _stored(self, http: web.Request) -> StoredResponse:
        """Return the response that the path names.

        Raises:
            NotFound: This caller has no such response.
        """
        caller, name = self._endpoint.caller(http), http.match_info["id"]
        found = await self._store.response(caller.owner, name) if self._store is not None else None
        if found is None:
            raise NotFound(missing("Response", name), code="response_not_found")
        return found

    async def _asked(
        self, http: web.Request
    ) -> tuple[Caller, responses.Asked, responses.ResponsesRequest, Earlier, int]:
        """Return who asks, the body, the request with all that it continues, that, and the size of both together."""
        caller, asked, size = await self._endpoint.parsed(http, self._parse)
        if asked.request is not None:
            return caller, asked, asked.request, Earlier(), size
        earlier, request, size = await self._continued(caller, asked, size)
        return caller, asked, request, earlier, size

    async def _continued(
        self, caller: Caller, asked: responses.Asked, size: int
    ) -> tuple[Earlier, responses.ResponsesRequest, int]:
        """Return what a body continues, the request with it, and the size of both together."""
        earlier = await self._continuation.earlier(caller.owner, asked.refers)
        size += sum(map(len, (*earlier.items, *earlier.referenced.values())))
        items, referenced = earlier.items, earlier.referenced
        parse = partial(responses.parse_continued, asked, items, referenced, storing=self._storing)
        return earlier, await asyncio.to_thread(parse) if size > INLINE_BYTES else parse(), size

    async def _keep(
        self,
        inbound: Inbound,
        asked: responses.Asked,
        earlier: Earlier,
        encoder: ResponsesStream,
        answer: Answer,
    ) -> None:
        """Keep a whole answer. Where that fails, the answer is given all the same, and says `store: false`."""
        assert self._store is not None
        final = encoder.final()
        unique = inbound.id.removeprefix("req_")

        def record() -> StoredResponse:
            return StoredResponse(
                id=final["id"],
                items=_listed(asked, earlier, unique),
                output=tuple([msgspec.json.encode(item) for item in final["output"]]),
                body=msgspec.json.encode(final),
                inherited=answer.bequest,
                previous=asked.refers.previous,
                conversation=asked.refers.conversation,
            )

        try:
            await self._store.keep(inbound.caller.owner, await asyncio.to_thread(record), renewed=earlier.renewed)
        except AduanaError as error:
            LOG.warning("responses.not_stored", request_id=inbound.id, code=error.code)
            encoder.not_stored()


def _listed(asked: responses.Asked, earlier: Earlier, unique: str) -> tuple[bytes, ...]:
    """Return the new items of a body in the form in which they are stored and listed."""
    items = new_items(asked.document, earlier.referenced)
    return listed_items(items, lambda prefix, number: f"{prefix}_{unique}_in{number}")


def _id(http: web.Request) -> dict[str, str]:
    return {"x-request-id": http[REQUEST_ID]}

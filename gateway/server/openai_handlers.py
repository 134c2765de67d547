"""OpenAI endpoints: parse, ask the pipeline, encode."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from aiohttp import web

from gateway.core.errors import AduanaError, Forbidden, NotFound
from gateway.core.request import AnyRequest, Caller, GenerateRequest, Inbound
from gateway.core.target import Catalog
from gateway.pipeline import Answer, Pipeline
from gateway.pipeline.settling import ClientGone
from gateway.server.access import Access, KeyRing
from gateway.server.answers import json_answer, public_error, route_headers
from gateway.server.bodies import BodyReader
from gateway.server.identity import Identifier
from gateway.server.streaming import EventStream
from gateway.wire import openai
from gateway.wire.dialect import AnswerStream

LOG = structlog.get_logger("aduana.server")
REQUEST_ID = web.RequestKey("request_id", str)
EXPLAIN_HEADER = "x-aduana-explain"  # asks for the decision instead of an answer
# Parsing costs about 5 ms a megabyte: larger bodies are parsed in a thread, so that other streams keep flowing.
INLINE_BYTES = 128 * 1024

R = TypeVar("R", bound=AnyRequest)


class OpenAIHandlers:
    """One handler for each route. Holds no state but its parts."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        catalog: Catalog,
        access: Access,
        keys: KeyRing,
        bodies: BodyReader,
        identifier: Identifier,
        write_seconds: float,
        started: int,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._pipeline = pipeline
        self._catalog = catalog
        self._access = access
        self._keys = keys
        self._bodies = bodies
        self._identifier = identifier
        self._write_seconds = write_seconds
        self._started = started
        self._wall = wall

    async def chat(self, http: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        inbound, request = await self._inbound(http, openai.parse_chat)
        return await self._generate(http, inbound, request)

    async def completions(self, http: web.Request) -> web.StreamResponse:
        """POST /v1/completions."""
        inbound, request = await self._inbound(http, openai.parse_completion)
        return await self._generate(http, inbound, request)

    async def embeddings(self, http: web.Request) -> web.StreamResponse:
        """POST /v1/embeddings."""
        inbound, request = await self._inbound(http, openai.parse_embeddings)
        embedded = await self._pipeline.embed(inbound, request)
        body = openai.embeddings_body(request, embedded.vectors)
        return json_answer(body, route_headers(embedded.route))

    async def models(self, http: web.Request) -> web.StreamResponse:
        """GET /v1/models."""
        return json_answer(openai.models_body(self._visible(self._caller(http)), created=self._started), self._id(http))

    async def model(self, http: web.Request) -> web.StreamResponse:
        """GET /v1/models/{id}."""
        name = http.match_info["id"]
        if name not in self._visible(self._caller(http)):
            raise NotFound(f"The model {name[:100]!r} does not exist here.", code="model_not_found", param="model")
        return json_answer(openai.model_body(name, created=self._started), self._id(http))

    async def explain(self, http: web.Request) -> web.StreamResponse:
        """POST /admin/explain: the whole decision for a chat request, sending nothing. Admin keys only."""
        inbound, _ = await self._inbound(http, openai.parse_chat)
        return await self._explained(inbound)

    async def _explained(self, inbound: Inbound) -> web.Response:
        if not inbound.caller.admin:
            raise Forbidden("This needs a key with 'admin: true'.", code="admin_only")
        explanation = await self._pipeline.explain(inbound)
        return json_answer(explanation.json(), {"x-request-id": inbound.id})

    def _caller(self, http: web.Request) -> Caller:
        self._access.check(http)
        return self._keys.caller(http.headers)

    def _visible(self, caller: Caller) -> list[str]:
        return [name for name in self._catalog.aliases if caller.models is None or name in caller.models]

    @staticmethod
    def _id(http: web.Request) -> dict[str, str]:
        return {"x-request-id": http[REQUEST_ID]}

    async def _inbound(self, http: web.Request, parse: Callable[[bytes], R]) -> tuple[Inbound, R]:
        caller = self._caller(http)
        body = await self._bodies.read(http)
        request = await asyncio.to_thread(parse, body) if len(body) > INLINE_BYTES else parse(body)
        return self._identifier.inbound(http, http[REQUEST_ID], caller, request, len(body)), request

    async def _generate(self, http: web.Request, inbound: Inbound, request: GenerateRequest) -> web.StreamResponse:
        if http.headers.get(EXPLAIN_HEADER, "0") != "0":
            return await self._explained(inbound)
        async with self._pipeline.generate(inbound, request) as answer:
            unique = inbound.id.removeprefix("req_")
            answer_id = openai.answer_id(request, unique)
            headers = route_headers(answer.route)
            if request.stream:
                encoder = openai.stream(request, id=answer_id, created=int(self._wall()))
                events = EventStream(http, headers, write_seconds=self._write_seconds)
                return await self._stream(answer, encoder, events, inbound.id)
            assembly = openai.assembly(request, id=answer_id, created=int(self._wall()))
            async for delta in answer.deltas:
                assembly.add(delta)
            return json_answer(assembly.body(), headers)

    async def _stream(
        self, answer: Answer, encoder: AnswerStream, events: EventStream, request_id: str
    ) -> web.StreamResponse:
        await events.open()
        waiting = encoder.start()  # goes out together with the first text
        try:
            async for delta in answer.deltas:
                frame = encoder.encode(delta)
                if frame:
                    await events.send(waiting + frame if waiting else frame)
                    waiting = b""
            await events.send(waiting + encoder.end())
        except (ClientGone, asyncio.CancelledError):
            raise
        except Exception as error:
            # The head is out: the error goes into the stream, and on to the settlement.
            public = public_error(error, request_id)
            await events.send(encoder.error(public))
            await events.close()
            if isinstance(error, AduanaError):
                raise StreamBroken(events.response, error) from error
            raise StreamBroken(events.response, public) from error
        await events.close()
        return events.response


class StreamBroken(AduanaError):
    """An answer that failed after its head was sent: the client has been told in the stream."""

    def __init__(self, response: web.StreamResponse, error: AduanaError) -> None:
        super().__init__(error.message, code=error.code, status=error.status)
        self.response = response

"""OpenAI's endpoints: parse, ask the pipeline, encode."""

import time
from collections.abc import Callable, Coroutine

import msgspec
from aiohttp import web

from gateway.core.errors import TargetProtocolError
from gateway.core.request import DecisionsRequest, EmbeddingsRequest, GenerateRequest, Inbound, ModerationRequest
from gateway.pipeline import Route
from gateway.server.answers import json_answer, route_headers
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint, Said
from gateway.server.handlers.listing import Listing
from gateway.server.headers import EXPLAIN
from gateway.wire import openai
from gateway.wire.openai import decisions, moderations, rerank


class OpenAIHandlers:
    """Handlers of OpenAI's routes, one for each. Holds no state but its parts."""

    def __init__(
        self, endpoint: HttpEndpoint, listing: Listing, *, started: int, wall: Callable[[], float] = time.time
    ) -> None:
        self._endpoint = endpoint
        self._listing = listing
        self._started = started
        self._wall = wall

    async def chat(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/chat/completions."""
        caller, request, size = await self._endpoint.parsed(http, openai.parse_chat)
        return await self.generate(http, self._endpoint.inbound(http, caller, request, size), request)

    async def completions(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/completions."""
        caller, request, size = await self._endpoint.parsed(http, openai.parse_completion)
        return await self.generate(http, self._endpoint.inbound(http, caller, request, size), request)

    async def embeddings(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/embeddings."""
        caller, request, size = await self._endpoint.parsed(http, openai.parse_embeddings)
        return await self.embed(self._endpoint.inbound(http, caller, request, size), request)

    async def embed(self, inbound: Inbound, request: EmbeddingsRequest) -> web.StreamResponse:
        """Answer an embeddings request."""
        embedded = await self._endpoint.embed(inbound, request)
        return json_answer(openai.embeddings_body(request, embedded.vectors), route_headers(embedded.route))

    async def rerank(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/rerank."""
        caller, request, size = await self._endpoint.parsed(http, rerank.parse_rerank)
        inbound = self._endpoint.inbound(http, caller, request, size)
        ranked = await self._endpoint.rerank(inbound, request)
        body = rerank.rerank_body(request, ranked.ranking, id=f"rerank-{_unique(inbound)}")
        return json_answer(body, route_headers(ranked.route))

    async def systemone(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/systemone."""
        return await self._decided(http, decisions.parse_systemone)

    async def decisions(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/decisions."""
        return await self._decided(http, decisions.parse_decisions)

    async def _decided(self, http: web.Request, parse: Callable[[bytes, str], DecisionsRequest]) -> web.StreamResponse:
        caller, request, size = await self._endpoint.parsed(http, parse)
        inbound = self._endpoint.inbound(http, caller, request, size)
        decided = await self._endpoint.decide(inbound, request)
        return json_answer(decisions.decisions_body(request, decided.decisions), route_headers(decided.route))

    async def moderations(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/moderations: a local model is asked about one input after the other.

        The headers tell of the input with the highest label.
        """
        caller, questions, size = await self._endpoint.parsed(http, moderations.parse_moderations)
        results: list[bytes] = []
        ways: list[Route] = []
        for number, question in enumerate(questions):
            inbound = self._endpoint.inbound(http, caller, question, size)
            if number:  # each has a receipt of its own
                inbound = msgspec.structs.replace(inbound, id=f"{inbound.id}-{number}")
            if http.headers.get(EXPLAIN, "0") != "0":
                return await self._endpoint.explained(inbound)
            said = await self._endpoint.said(inbound, question)
            results.append(_result(question, said))
            ways.append(said.route)
        headers = route_headers(max(ways, key=lambda way: way.label)) | self._id(http)
        name = f"modr-{http[REQUEST_ID].removeprefix('req_')}"
        return json_answer(moderations.moderations_body(results, id=name, model=questions[0].model), headers)

    async def models(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/models."""
        models = self._listing.all(self._endpoint.caller(http))
        return json_answer(openai.models_body(models, created=self._started), self._id(http))

    async def model(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/models/{id}.

        Raises:
            NotFound: There is no such model for this caller.
        """
        name = http.match_info["id"]
        traits = self._listing.one(self._endpoint.caller(http), name)
        return json_answer(openai.model_body(name, traits, created=self._started), self._id(http))

    async def explain(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /admin/explain with the whole decision about a chat request, and send nothing."""
        caller, request, size = await self._endpoint.parsed(http, openai.parse_chat)
        return await self._endpoint.explained(self._endpoint.inbound(http, caller, request, size))

    @staticmethod
    def _id(http: web.Request) -> dict[str, str]:
        return {"x-request-id": http[REQUEST_ID]}

    def generate(
        self, http: web.Request, inbound: Inbound, request: GenerateRequest
    ) -> Coroutine[None, None, web.StreamResponse]:
        """Return the answering of a chat or completion request."""
        answer_id, created = openai.answer_id(request, _unique(inbound)), int(self._wall())
        return self._endpoint.generate(
            http,
            inbound,
            request,
            stream=lambda: openai.stream(request, id=answer_id, created=created),
            assembly=lambda: openai.assembly(request, id=answer_id, created=created),
        )


def _unique(inbound: Inbound) -> str:
    return inbound.id.removeprefix("req_")


def _result(question: ModerationRequest, said: Said) -> bytes:
    """Return the result of one input.

    Raises:
        TargetProtocolError: The model's answer is not what it was held to; the error tells which model's.
    """
    try:
        return moderations.result(question, said.text)
    except TargetProtocolError as error:
        error.route = said.route
        raise

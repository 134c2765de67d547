"""Ollama's endpoints: the same pipeline in another dialect."""

import asyncio
import time
from collections.abc import Callable

import msgspec
from aiohttp import web

from gateway.core.request import Caller, GenerateRequest
from gateway.server.answers import json_answer, route_headers
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.server.handlers.models import LONGEST_LOAD, Models
from gateway.wire import ollama


class OllamaHandlers:
    """Handlers of Ollama's routes that ask a model, one for each. Holds no state but its parts."""

    def __init__(self, endpoint: HttpEndpoint, models: Models, *, wall: Callable[[], float] = time.time) -> None:
        self._endpoint = endpoint
        self._models = models
        self._wall = wall

    async def chat(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /api/chat."""
        caller, (request, wish), size = await self._endpoint.parsed(http, ollama.parse_chat)
        return await self._answer(http, caller, request, wish, size, generate=False)

    async def generate(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /api/generate."""
        caller, (request, wish), size = await self._endpoint.parsed(http, ollama.parse_generate)
        return await self._answer(http, caller, request, wish, size, generate=True)

    async def embed(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /api/embed and /api/embeddings."""
        begun = time.perf_counter()
        caller, (request, wish), size = await self._endpoint.parsed(http, ollama.parse_embed)
        if request is None:
            if caller.admin:
                await self._prepare(wish)
            return json_answer(ollama.no_vectors_body(wish.model), self._id(http))
        embedded = await self._endpoint.embed(self._endpoint.inbound(http, caller, request, size), request)
        if http.path.endswith("/embeddings"):
            body = ollama.embedding_body(embedded.vectors)
        else:
            seconds = time.perf_counter() - begun
            body = ollama.embed_body(embedded.vectors, model=request.model, seconds=seconds)
        return json_answer(body, route_headers(embedded.route))

    async def _answer(
        self,
        http: web.Request,
        caller: Caller,
        request: GenerateRequest | None,
        wish: ollama.Wish,
        size: int,
        *,
        generate: bool,
    ) -> web.StreamResponse:
        if request is None:
            if caller.admin:
                await self._prepare(wish)
            body = ollama.ready_body(wish.model, generate=generate, now=self._wall(), gone=wish.keep == 0)
            return json_answer(body, self._id(http))
        clock = time.perf_counter
        response = await self._endpoint.generate(
            http,
            self._endpoint.inbound(http, caller, request, size),
            request,
            stream=lambda: ollama.stream(request, generate=generate, wall=self._wall, clock=clock),
            assembly=lambda: ollama.assembly(request, generate=generate, wall=self._wall, clock=clock),
            content_type=ollama.STREAM_CONTENT_TYPE,
            waiting=b"",  # every line is read as JSON
        )
        if caller.admin and not isinstance(wish.keep, msgspec.UnsetType):
            self._models.keep_alive(response.headers.get("x-aduana-target", ""), wish.keep)
        return response

    async def _prepare(self, wish: ollama.Wish) -> None:
        """Load the first model of this name here; with `keep_alive: 0`, unload all of them once they are idle."""
        alias = self._endpoint.catalog.resolve(wish.model)
        models = [model.target for model in self._models.report().models]
        named = [name for name in models if alias is not None and (alias.targets is None or name in alias.targets)]
        if not isinstance(wish.keep, msgspec.UnsetType) and wish.keep == 0:
            for name in named:
                self._models.keep_alive(name, 0.0)
        elif named:
            await self._models.load(named[0], asyncio.get_running_loop().time() + LONGEST_LOAD)
            if not isinstance(wish.keep, msgspec.UnsetType):
                self._models.keep_alive(named[0], wish.keep)

    @staticmethod
    def _id(http: web.Request) -> dict[str, str]:
        return {"x-request-id": http[REQUEST_ID]}

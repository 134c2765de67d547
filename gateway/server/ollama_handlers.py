"""Ollama endpoints: the same pipeline, another dialect."""

import time
from collections.abc import Callable

from aiohttp import web

from gateway.core.errors import NotFound
from gateway.core.request import Caller, GenerateRequest
from gateway.core.target import Catalog, TargetInfo
from gateway.server.answers import json_answer, route_headers
from gateway.server.front import REQUEST_ID, Front
from gateway.wire import ollama

_UNKNOWN_WINDOW = 8192  # for show, where the configuration does not say


class OllamaHandlers:
    """One handler for each route. Holds no state but its parts."""

    def __init__(self, front: Front, *, started: float, wall: Callable[[], float] = time.time) -> None:
        self._front = front
        self._started = started
        self._wall = wall

    async def version(self, http: web.Request) -> web.StreamResponse:
        """GET /api/version."""
        self._front.caller(http)
        return json_answer(ollama.version_body(), self._id(http))

    async def tags(self, http: web.Request) -> web.StreamResponse:
        """GET /api/tags and /api/ps."""
        names = self._front.visible(self._front.caller(http))
        return json_answer(ollama.tags_body(dict.fromkeys(names, "aduana"), created=self._started), self._id(http))

    async def show(self, http: web.Request) -> web.StreamResponse:
        """POST /api/show."""
        caller, name, _ = await self._front.parsed(http, ollama.parse_show)
        info = first_target(self._front.catalog, name)
        if info is None or name not in self._front.visible(caller):
            raise NotFound(f"model {name[:100]!r} not found", code="model_not_found", param="model")
        body = ollama.show_body("aduana", info.context or _UNKNOWN_WINDOW, info.capabilities, created=self._started)
        return json_answer(body, self._id(http))

    async def chat(self, http: web.Request) -> web.StreamResponse:
        """POST /api/chat."""
        caller, request, size = await self._front.parsed(http, ollama.parse_chat)
        return await self._answer(http, caller, request, size, generate=False)

    async def generate(self, http: web.Request) -> web.StreamResponse:
        """POST /api/generate."""
        caller, request, size = await self._front.parsed(http, ollama.parse_generate)
        return await self._answer(http, caller, request, size, generate=True)

    async def embed(self, http: web.Request) -> web.StreamResponse:
        """POST /api/embed and /api/embeddings."""
        begun = time.perf_counter()
        caller, request, size = await self._front.parsed(http, ollama.parse_embed)
        embedded = await self._front.embed(self._front.inbound(http, caller, request, size), request)
        if http.path.endswith("/embeddings"):
            body = ollama.embedding_body(embedded.vectors)
        else:
            seconds = time.perf_counter() - begun
            body = ollama.embed_body(embedded.vectors, model=request.model, seconds=seconds)
        return json_answer(body, route_headers(embedded.route))

    async def _answer(
        self, http: web.Request, caller: Caller, request: GenerateRequest | None, size: int, *, generate: bool
    ) -> web.StreamResponse:
        if request is None:
            body = ollama.ready_body("auto", generate=generate, now=self._wall())
            return json_answer(body, self._id(http))
        clock = time.perf_counter
        return await self._front.generate(
            http,
            self._front.inbound(http, caller, request, size),
            request,
            stream=lambda: ollama.stream(request, generate=generate, wall=self._wall, clock=clock),
            assembly=lambda: ollama.assembly(request, generate=generate, wall=self._wall, clock=clock),
            content_type=ollama.STREAM_CONTENT_TYPE,
        )

    @staticmethod
    def _id(http: web.Request) -> dict[str, str]:
        return {"x-request-id": http[REQUEST_ID]}


def first_target(catalog: Catalog, model: str) -> TargetInfo | None:
    """The target that stands for a model name when its facts are asked for; None: no such name."""
    alias = catalog.aliases.get(model)
    if alias is None:
        return None
    name = next(iter(alias.targets or catalog.targets), None)
    return catalog.targets.get(name) if name is not None else None

"""OpenAI's endpoints for pictures: parse, ask the pipeline, encode."""

import time
from collections.abc import Callable
from functools import partial

from aiohttp import web

from gateway.core.request import MediaWork
from gateway.server.endpoint import HttpEndpoint
from gateway.wire.openai import images


class ImageHandlers:
    """Handlers of the routes below `/v1/images`, one for each. Holds no state but its parts."""

    def __init__(self, endpoint: HttpEndpoint, *, wall: Callable[[], float] = time.time) -> None:
        self._endpoint = endpoint
        self._wall = wall

    async def generations(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/images/generations."""
        return await self._answer(http, MediaWork.GENERATIONS)

    async def edits(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/images/edits."""
        return await self._answer(http, MediaWork.EDITS)

    async def variations(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/images/variations."""
        return await self._answer(http, MediaWork.VARIATIONS)

    async def _answer(self, http: web.Request, work: MediaWork) -> web.StreamResponse:
        parse = partial(images.parse_images, work)
        caller, request, size = await self._endpoint.parsed_document(http, parse, files=images.FILES)
        created = int(self._wall())
        return await self._endpoint.generate(
            http,
            self._endpoint.inbound(http, caller, request, size),
            request,
            stream=lambda: images.ImagesStream(work, created=created),
            assembly=lambda: images.ImagesAssembly(created=created),
        )

"""AUTOMATIC1111's endpoints for pictures (`/sdapi/v1`): the same pipeline in that dialect."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.core.errors import BadRequest
from gateway.core.request import Caller, Endpoint, ImagesRequest, MediaWork
from gateway.server.answers import json_answer
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.server.handlers.listing import Listing
from gateway.wire import a1111
from gateway.wire.openai.images import ImagesStream


class Running(Protocol):
    """One request that runs, as far as it is known."""

    @property
    def endpoint(self) -> Endpoint:
        """Return what is asked for."""

    @property
    def share(self) -> float | None:
        """Return how much is done, 0 to 1."""

    @property
    def remaining(self) -> float | None:
        """Return the seconds that it still takes."""


class A1111Handlers:
    """Handlers of AUTOMATIC1111's routes. Holds no state but its parts."""

    def __init__(self, endpoint: HttpEndpoint, listing: Listing, running: Callable[[str], Sequence[Running]]) -> None:
        """Keep the parts.

        Args:
            endpoint: The way of every request.
            listing: Knows what each model can.
            running: Returns what runs for a key.
        """
        self._endpoint = endpoint
        self._listing = listing
        self._running = running

    async def txt2img(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /sdapi/v1/txt2img."""
        return await self._answer(http, MediaWork.GENERATIONS)

    async def img2img(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /sdapi/v1/img2img."""
        return await self._answer(http, MediaWork.EDITS)

    async def progress(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /sdapi/v1/progress: how far the oldest of this key's pictures is."""
        caller = self._endpoint.caller(http)
        works = [work for work in self._running(caller.key) if work.endpoint is Endpoint.IMAGES]
        first = works[0] if works else None
        share, remaining = (first.share, first.remaining) if first is not None else (None, None)
        return json_answer(a1111.progress_body(share, remaining, len(works)), self._id(http))

    async def models(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /sdapi/v1/sd-models."""
        return json_answer(a1111.models_body(self._painters(self._endpoint.caller(http))), self._id(http))

    async def options(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /sdapi/v1/options."""
        return json_answer(a1111.options_body(self._unnamed(self._endpoint.caller(http))), self._id(http))

    async def set_options(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /sdapi/v1/options: nothing is changed for others, so only what stands already can be wished.

        Raises:
            BadRequest: Another model is wished.
        """
        caller, wanted, _ = await self._endpoint.parsed(http, a1111.parse_options)
        if wanted not in ("", self._unnamed(caller)):
            raise BadRequest(
                "A model is chosen by each request here, as 'override_settings': {'sd_model_checkpoint': NAME}.",
                code="not_supported",
                param="sd_model_checkpoint",
            )
        return json_answer(b"null", self._id(http))

    def listed(self, name: str) -> Handler:
        """Return the handler of a list that is the same for everybody."""

        async def answer(http: web.Request) -> web.StreamResponse:
            self._endpoint.caller(http)
            return json_answer(a1111.LISTS[name], self._id(http))

        return answer

    async def _answer(self, http: web.Request, work: MediaWork) -> web.StreamResponse:
        caller = self._endpoint.caller(http)
        unnamed = self._unnamed(caller)

        def parse(body: bytes, _: str) -> ImagesRequest:
            return a1111.parse_pictures(work, body, unnamed)

        caller, request, size = await self._endpoint.parsed(http, parse)
        return await self._endpoint.generate(
            http,
            self._endpoint.inbound(http, caller, request, size),
            request,
            stream=partial(ImagesStream, work, created=0),  # never asked for: the dialect has no streams
            assembly=lambda: a1111.PicturesAssembly(request),
        )

    def _painters(self, caller: Caller) -> tuple[str, ...]:
        """Return the models that make pictures for this caller, as they stand in the configuration."""
        return tuple([name for name, can in self._listing.all(caller).items() if Endpoint.IMAGES in can.endpoints])

    def _unnamed(self, caller: Caller) -> str:
        """Return the model for a request that names none: that for unknown names where it draws, else the first one."""
        names = self._painters(caller)
        unknown = self._endpoint.catalog.unknown_model or ""
        return unknown if unknown in names or not names else names[0]

    @staticmethod
    def _id(http: web.Request) -> dict[str, str]:
        return {"x-request-id": http[REQUEST_ID]}

"""Ollama's endpoints about models: what there is, what is loaded, and what only the configuration may change."""

import time
from collections.abc import Callable

from aiohttp import web

from gateway.core.errors import Forbidden, NotFound
from gateway.server.answers import json_answer
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.server.handlers.listing import Listing
from gateway.server.handlers.models import Models, loaded
from gateway.wire import ollama


class OllamaModelHandlers:
    """Handlers of Ollama's routes that answer without a model. Holds no state but its parts."""

    def __init__(
        self,
        endpoint: HttpEndpoint,
        models: Models,
        listing: Listing,
        *,
        started: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._models = models
        self._listing = listing
        self._started = started
        self._wall = wall

    async def version(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /api/version."""
        self._endpoint.caller(http)
        return json_answer(ollama.version_body(), _id(http))

    async def tags(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /api/tags."""
        models = self._listing.all(self._endpoint.caller(http))
        return json_answer(ollama.tags_body(models, created=self._started), _id(http))

    async def loaded(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /api/ps: models in memory, each under the first name that stands for it alone."""
        visible = self._listing.all(self._endpoint.caller(http))
        aliases = self._endpoint.catalog.aliases
        residents = [
            ollama.Resident(
                name=name,
                memory=model.memory,
                gpu_memory=model.gpu_memory,
                context=model.context,
                unloads_in=model.unloads_in,
            )
            for model in loaded(self._models.report())
            for name in [next((name for name in visible if aliases[name].targets == (model.target,)), None)]
            if name is not None
        ]
        return json_answer(ollama.ps_body(residents, now=self._wall()), _id(http))

    async def show(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /api/show.

        Raises:
            NotFound: There is no such model for this caller.
        """
        caller, name, _ = await self._endpoint.parsed(http, ollama.parse_show)
        try:
            traits = self._listing.one(caller, name)
        except NotFound:
            raise NotFound(f"model {name[:100]!r} not found", code="model_not_found", param="model") from None
        return json_answer(ollama.show_body(traits, created=self._started), _id(http))

    async def pull(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /api/pull: at once for a model that is there, with an error for any other.

        Raises:
            NotFound: There is no such model; which there are, the configuration says.
        """
        caller, wanted, _ = await self._endpoint.parsed(http, ollama.parse_pull)
        models = self._listing.all(caller)
        if wanted.model not in models:
            raise NotFound(
                f"pull model manifest: {wanted.model[:100]!r} is no model of this gateway, and it downloads none. "
                f"There are: {', '.join(models)}. Its owner adds models in the configuration.",
                code="model_not_found",
                param="model",
            )
        answer = json_answer(ollama.pulled_body(stream=wanted.stream), _id(http))
        if wanted.stream:
            answer.content_type = ollama.STREAM_CONTENT_TYPE
        return answer

    async def configured(self, http: web.Request) -> web.StreamResponse:
        """Answer the routes that would change models.

        Raises:
            Forbidden: Always: models are set in the configuration.
        """
        self._endpoint.caller(http)
        raise Forbidden(
            "Models are not created, copied, pushed or deleted through this gateway: its configuration says which "
            "there are.",
            code="models_are_configured",
        )


def _id(http: web.Request) -> dict[str, str]:
    return {"x-request-id": http[REQUEST_ID]}

"""A server like Ollama, on loopback: it lists one model, and that one answers."""

from aiohttp import web

from tests.standins.cloud import StandInCloud


class StandInOllama(StandInCloud):
    """`async with StandInOllama() as ollama:` then `ollama.host` is what OLLAMA_HOST would say."""

    def add_routes(self, app: web.Application) -> None:
        """Serve a list of models as well."""
        super().add_routes(app)
        app.router.add_get("/api/tags", self._tags)
        app.router.add_get("/v1/models", self._models)

    @property
    def host(self) -> str:
        """Return its address without path."""
        return self.base_url.removeprefix("http://").removesuffix("/v1")

    async def _tags(self, request: web.Request) -> web.Response:
        return web.json_response({"models": [{"model": "qwen3:14b", "details": {"family": "qwen3"}}]})

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "qwen3:14b", "owned_by": "library"}]})

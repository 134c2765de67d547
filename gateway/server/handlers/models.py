"""Endpoints for administrators: which models on this machine are loaded; load one, unload one."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec
from aiohttp import web

from gateway.core.errors import Forbidden, NotFound
from gateway.server.answers import json_answer
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint

LONGEST_LOAD = 600.0  # seconds


class ModelReport(msgspec.Struct, frozen=True, kw_only=True):
    """State of one model on this machine. Sizes in bytes, estimated or as configured; times in seconds."""

    target: str
    model: str
    state: str  # loaded, loading, unloading, unloaded, failed
    progress: float | None  # of the load that is under way, 0 to 1
    memory: int
    gpu_memory: int
    context: int | None  # tokens of one conversation; None: not known
    slots: int
    busy: int  # requests that work with it
    waiting: int  # requests that wait for its turn
    load: str  # start, on_demand
    load_seconds: float | None
    idle_seconds: float | None
    unloads_in: float | None  # None: not by itself
    gives_way: tuple[str, ...] | None  # who would be unloaded for it; None: it can't fit
    problem: str
    sequences: str | None  # attention, sliding_window, recurrent, hybrid; None: not loaded, or it makes no text
    checkpoint_bytes: int  # of one checkpoint of a sequence; 0: it needs none
    drafts: bool  # whether tokens are drafted
    draft_head: str  # of its file: `used`, or a sentence why it is not; empty: there is none
    thinks: bool  # whether its template has a place for thoughts; not known before it was loaded


class TemplateText(msgspec.Struct, frozen=True, kw_only=True):
    """Chat template of a model, and its tokens that begin and end a text; all empty before the model was loaded."""

    source: str = ""
    bos: str = ""
    eos: str = ""


class ModelsReport(msgspec.Struct, frozen=True, kw_only=True):
    """State of all models on this machine, and of the memory that they share. None: no limit."""

    models: tuple[ModelReport, ...]
    memory: int | None
    gpu_memory: int | None
    memory_used: int
    gpu_memory_used: int


class Models(Protocol):
    """Owner of the models on this machine. Targets are named as in the configuration."""

    def report(self) -> ModelsReport:
        """Describe every model and the memory that they share."""

    def template(self, target: str) -> TemplateText:
        """Return a model's chat template."""

    async def load(self, target: str, deadline: float) -> None:
        """Load a model, and return when it can answer; `deadline` is in the loop's clock."""

    async def unload(self, target: str) -> None:
        """Give a model's memory back, and return when that is done."""

    def keep_alive(self, target: str, seconds: float | None) -> None:
        """Unload a model when it has been idle for so long; None: not by itself."""


class ModelHandlers:
    """Handlers of `/admin/models`, for administrators' keys only."""

    def __init__(self, endpoint: HttpEndpoint, models: Models) -> None:
        self._endpoint = endpoint
        self._models = models

    async def list(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /admin/models."""
        self._admin(http)
        return self._told(http, self._models.report())

    async def load(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /admin/models/{target}/load once the model is loaded."""
        self._admin(http)
        target = self._known(http.match_info["target"])
        await self._models.load(target, asyncio.get_running_loop().time() + LONGEST_LOAD)
        return self._told(http, self._one(target))

    async def unload(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /admin/models/{target}/unload once its memory is back; with 409 while it works."""
        self._admin(http)
        target = self._known(http.match_info["target"])
        await self._models.unload(target)
        return self._told(http, self._one(target))

    def _admin(self, http: web.Request) -> None:
        if not self._endpoint.caller(http).admin:
            raise Forbidden("This needs a key with 'admin: true'.", code="admin_only")

    def _known(self, target: str) -> str:
        names = [model.target for model in self._models.report().models]
        if target not in names:
            listed = ", ".join(sorted(names)) or "none"
            raise NotFound(
                f"There is no target {target[:100]!r} whose model is loaded here. There are: {listed}.",
                code="model_not_found",
            )
        return target

    def _one(self, target: str) -> ModelReport:
        return next(model for model in self._models.report().models if model.target == target)

    @staticmethod
    def _told(http: web.Request, report: ModelReport | ModelsReport) -> web.StreamResponse:
        return json_answer(msgspec.json.encode(report), {"x-request-id": http[REQUEST_ID]})


def loaded(report: ModelsReport) -> Sequence[ModelReport]:
    """Return the models that are in memory."""
    return [model for model in report.models if model.state == "loaded"]

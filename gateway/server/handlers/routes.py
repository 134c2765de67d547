"""The application: the table of routes with its handlers."""

from collections.abc import Callable, Sequence

from aiohttp import web

from gateway import __version__
from gateway.core.kept_answers import IdempotencyStore
from gateway.server.application import Application
from gateway.server.auth import HostGuard
from gateway.server.endpoint import HttpEndpoint
from gateway.server.handlers.anthropic import AnthropicHandlers
from gateway.server.handlers.batches import Batches, BatchHandlers
from gateway.server.handlers.conversations import ConversationHandlers
from gateway.server.handlers.description import Description
from gateway.server.handlers.files import FileHandlers
from gateway.server.handlers.idempotent import Idempotent
from gateway.server.handlers.listing import Listing
from gateway.server.handlers.llamacpp import LlamaCppHandlers
from gateway.server.handlers.media.a1111 import A1111Handlers, Running
from gateway.server.handlers.media.audio import AudioHandlers, Voices
from gateway.server.handlers.media.images import ImageHandlers
from gateway.server.handlers.message_batches import MessageBatchHandlers
from gateway.server.handlers.models import ModelHandlers, Models
from gateway.server.handlers.ollama import OllamaHandlers
from gateway.server.handlers.ollama_models import OllamaModelHandlers
from gateway.server.handlers.openai import OpenAIHandlers
from gateway.server.handlers.operations import Operations
from gateway.server.handlers.responses import ResponsesHandlers
from gateway.server.handlers.table import ROUTES, ConsolePages, Handlers
from gateway.server.idempotency import KeptAnswers
from gateway.stored import ResponseStore, SealedSummaries


def build_application(
    endpoint: HttpEndpoint,
    operations: Operations,
    host_guard: HostGuard,
    models: Models,
    console: ConsolePages,
    *,
    started: int,
    voices: Voices,
    summaries: SealedSummaries,
    store: ResponseStore | None = None,
    batches: Batches | None = None,
    running: Callable[[str], Sequence[Running]] = lambda _: (),
    answers: KeptAnswers | None = None,
) -> Application:
    """Return the application, which serves the table of routes and nothing else."""

    def dress(http: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["Server"] = "aduana"
        if "Origin" in http.headers:
            response.headers.update(host_guard.cors_headers(http))

    application = Application(
        dress=dress, expect=endpoint.expect if endpoint.expects else None, turned_away=endpoint.turned_away
    )
    listing, once = Listing(endpoint.catalog, models), Idempotent(endpoint, answers or IdempotencyStore())
    openai = OpenAIHandlers(endpoint, listing, started=started)
    handlers = Handlers(
        openai=openai,
        responses=ResponsesHandlers(endpoint, store, summaries),
        conversations=ConversationHandlers(endpoint, store),
        files=FileHandlers(endpoint, batches.files if batches is not None else None),
        images=ImageHandlers(endpoint),
        a1111=A1111Handlers(endpoint, listing, running),
        audio=AudioHandlers(endpoint, listing, voices),
        batches=BatchHandlers(endpoint, batches.queue if batches is not None else None),
        message_batches=MessageBatchHandlers(endpoint, batches),
        anthropic=AnthropicHandlers(endpoint),
        ollama=OllamaHandlers(endpoint, models),
        llama=LlamaCppHandlers(endpoint, listing, openai, operations.readiness, version=__version__),
        shown=OllamaModelHandlers(endpoint, models, listing, started=started),
        administration=ModelHandlers(endpoint, models),
        operations=operations,
        description=Description(ROUTES),
        console=console,
    )
    for route in ROUTES:
        handler = route.handler(handlers)
        for path in route.paths:
            application.serve(route.method, path, once(handler) if route.once else handler)
    return application

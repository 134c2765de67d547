"""The application: the table of routes with its handlers, and the one place where errors become answers."""

from collections.abc import Callable, Sequence

from aiohttp import HttpVersion11, web
from aiohttp.typedefs import Handler

from gateway import __version__
from gateway.core.errors import AduanaError, BadRequest, NotFound
from gateway.core.kept_answers import IdempotencyStore
from gateway.server.addresses import advice, dialect_of
from gateway.server.answers import error_answer, public_error
from gateway.server.auth import HostGuard
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint, StreamBroken
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
from gateway.server.inbound import new_request_id
from gateway.stored import ResponseStore, SealedSummaries


@web.middleware
async def shape_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give each request its id, and each error the shape of the client's dialect.

    This is no step of the guarantee: those are all in the pipeline.

    Raises:
        ConnectionResetError: The client is gone; aiohttp handles it.
    """
    request[REQUEST_ID] = new_request_id()
    if "websocket" in request.headers.get("Upgrade", "").lower():
        return _plain_http_only(request)
    if request.method == "OPTIONS":
        # Needs no key: which page may call is told by the CORS headers, or by their absence.
        return web.Response(status=204, headers={"Allow": "GET, HEAD, POST, DELETE, OPTIONS"})
    try:
        return await handler(request)
    except StreamBroken as broken:
        return broken.response
    except ConnectionResetError:
        raise
    except web.HTTPNotFound:
        known = [resource.canonical for resource in request.app.router.resources()]
        return _error(NotFound(advice(request.path, known), code="route_not_found"), request, request[REQUEST_ID])
    except Exception as error:  # noqa: BLE001 - the last boundary: mapped, logged by type, answered
        answer = _error(public_error(error, request[REQUEST_ID]), request, request[REQUEST_ID])
        if isinstance(error, web.HTTPMethodNotAllowed):
            answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return answer


def _error(error: AduanaError, request: web.Request, request_id: str) -> web.Response:
    return error_answer(error, request_id, dialect_of(request.path, request.headers))


def _plain_http_only(request: web.Request) -> web.Response:
    """Answer a WebSocket handshake: clients that try WebSockets first fall back to HTTP on this status."""
    error = BadRequest(
        "There are no WebSockets here. Send the request as plain HTTP, with 'stream: true' for a stream.",
        code="websocket_not_supported",
        status=426,
    )
    answer = _error(error, request, request[REQUEST_ID])
    answer.headers.update({"Upgrade": "HTTP/1.1", "Connection": "close, Upgrade"})
    answer.force_close()
    return answer


async def _expected(request: web.Request) -> web.Response | None:
    """Answer the header `Expect`: go on for a client that waits before it sends its body, else 417."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        error = BadRequest("The header 'Expect' may only say '100-continue'.", code="unknown_expectation", status=417)
        return _error(error, request, new_request_id())
    if request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # so that the answer's own head is written
    return None


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
) -> web.Application:
    """Return the application, which serves the table of routes and nothing else."""

    @web.middleware
    async def expect_caller(request: web.Request, handler: Handler) -> web.StreamResponse:
        await endpoint.expect(request)
        return await handler(request)

    application = web.Application(middlewares=[shape_errors, *((expect_caller,) if endpoint.expects else ())])

    async def add_headers(http: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["Server"] = "aduana"
        if "Origin" in http.headers:
            response.headers.update(host_guard.cors_headers(http))

    application.on_response_prepare.append(add_headers)
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
            _add(application.router, route.method, path, once(handler) if route.once else handler)
    return application


def _add(router: web.UrlDispatcher, method: str, path: str, handler: Handler) -> None:
    """Serve an address; HEAD wherever GET is."""
    if method == "GET":
        router.add_get(path, handler, expect_handler=_expected)
    else:
        router.add_route(method, path, handler, expect_handler=_expected)

"""The table of routes, and the one place where errors become answers."""

from functools import partial

from aiohttp import HttpVersion11, web
from aiohttp.typedefs import Handler

from gateway import __version__
from gateway.core.errors import AduanaError, BadRequest, NotFound
from gateway.server.addresses import advice, dialect_of
from gateway.server.answers import error_answer, public_error
from gateway.server.auth import HostGuard
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint, StreamBroken
from gateway.server.handlers.anthropic import AnthropicHandlers
from gateway.server.handlers.conversations import ConversationHandlers
from gateway.server.handlers.idempotent import Idempotent
from gateway.server.handlers.listing import Listing
from gateway.server.handlers.llamacpp import LlamaCppHandlers
from gateway.server.handlers.models import ModelHandlers, Models
from gateway.server.handlers.ollama import OllamaHandlers
from gateway.server.handlers.ollama_models import OllamaModelHandlers
from gateway.server.handlers.openai import OpenAIHandlers
from gateway.server.handlers.operations import Operations
from gateway.server.handlers.responses import ResponsesHandlers
from gateway.server.idempotency import IdempotencyStore
from gateway.server.inbound import new_request_id
from gateway.stored import ResponseStore

_ID = "[A-Za-z0-9_-]{1,128}"


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
    *,
    started: int,
    store: ResponseStore | None = None,
) -> web.Application:
    """Return the application with all routes of all dialects; OpenAI's with and without `/v1`."""
    application = web.Application(middlewares=[shape_errors])

    async def add_headers(http: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["Server"] = "aduana"
        if "Origin" in http.headers:
            response.headers.update(host_guard.cors_headers(http))

    application.on_response_prepare.append(add_headers)
    router = application.router
    post = partial(router.add_post, expect_handler=_expected)
    get = partial(router.add_get, expect_handler=_expected)
    delete = partial(router.add_delete, expect_handler=_expected)
    once = Idempotent(endpoint, IdempotencyStore())
    listing = Listing(endpoint.catalog, models)
    openai = OpenAIHandlers(endpoint, listing, started=started)
    responses, conversations = ResponsesHandlers(endpoint, store), ConversationHandlers(endpoint, store)
    for prefix in ("/v1", ""):
        post(f"{prefix}/chat/completions", once(openai.chat))
        post(f"{prefix}/embeddings", once(openai.embeddings))
        for name in ("rerank", "reranking"):  # llama-server's second name
            post(f"{prefix}/{name}", once(openai.rerank))
        post(f"{prefix}/moderations", once(openai.moderations))
        post(f"{prefix}/responses", once(responses.create))
        post(f"{prefix}/responses/input_tokens", responses.input_tokens)
        one = f"{prefix}/responses/{{id:{_ID}}}"
        get(one, responses.read)
        delete(one, responses.delete)
        post(f"{one}/cancel", responses.cancel)
        get(f"{one}/input_items", responses.input_items)
        post(f"{prefix}/conversations", conversations.create)
        one = f"{prefix}/conversations/{{id:{_ID}}}"
        get(one, conversations.read)
        post(one, conversations.update)
        delete(one, conversations.delete)
        get(f"{one}/items", conversations.items)
        post(f"{one}/items", conversations.add_items)
        get(f"{one}/items/{{item:{_ID}}}", conversations.item)
        delete(f"{one}/items/{{item:{_ID}}}", conversations.delete_item)
        get(f"{prefix}/models", openai.models)
        get(f"{prefix}/models/{{id:.+}}", openai.model)
    post("/v1/completions", once(openai.completions))
    llama = LlamaCppHandlers(endpoint, listing, openai, operations.readiness, version=__version__)
    post("/completions", once(llama.completions))
    post("/completion", once(llama.completion))
    post("/infill", once(llama.infill))
    post("/tokenize", llama.tokenize)
    post("/detokenize", llama.detokenize)
    post("/apply-template", llama.apply_template)
    get("/props", llama.props)
    get("/slots", llama.slots)
    for path in ("/health", "/v1/health"):
        get(path, llama.health)
    post("/v2/rerank", once(openai.rerank))  # where Cohere's clients ask
    anthropic = AnthropicHandlers(endpoint)
    post("/v1/messages", once(anthropic.messages))
    post("/v1/messages/count_tokens", anthropic.count_tokens)
    shown = OllamaModelHandlers(endpoint, models, listing, started=started)
    get("/api/version", shown.version)
    get("/api/tags", shown.tags)
    get("/api/ps", shown.loaded)
    post("/api/show", shown.show)
    post("/api/pull", shown.pull)
    for name in ("create", "copy", "push", "blobs/{digest}"):
        post(f"/api/{name}", shown.configured)
    router.add_delete("/api/delete", shown.configured, expect_handler=_expected)
    ollama = OllamaHandlers(endpoint, models)
    post("/api/chat", once(ollama.chat))
    post("/api/generate", once(ollama.generate))
    post("/api/embed", once(ollama.embed))
    post("/api/embeddings", once(ollama.embed))
    post("/admin/explain", openai.explain)
    administration = ModelHandlers(endpoint, models)
    get("/admin/models", administration.list)
    post("/admin/models/{target}/load", administration.load)
    post("/admin/models/{target}/unload", administration.unload)
    get("/healthz", operations.healthz)
    get("/readyz", operations.readyz)
    get("/metrics", operations.metrics)
    get("/", operations.page)
    return application

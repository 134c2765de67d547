"""The route table, and the one place where errors become answers."""

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.server.access import Access
from gateway.server.answers import error_answer, public_error
from gateway.server.identity import new_request_id
from gateway.server.openai_handlers import REQUEST_ID, OpenAIHandlers, StreamBroken
from gateway.server.operations import Operations


@web.middleware
async def shape_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives each request its id, and each error the client's shape. Not a safety step: those are in the pipeline."""
    request[REQUEST_ID] = new_request_id()
    if request.method == "OPTIONS":
        # Needs no key: which page may call is told by the CORS headers, or by their absence.
        return web.Response(status=204, headers={"Allow": "GET, HEAD, POST, OPTIONS"})
    try:
        return await handler(request)
    except StreamBroken as broken:
        return broken.response
    except ConnectionResetError:
        raise
    except Exception as error:  # noqa: BLE001 - the last boundary: mapped, logged by type, answered
        return error_answer(public_error(error, request[REQUEST_ID]), request[REQUEST_ID])


def build_application(openai: OpenAIHandlers, operations: Operations, access: Access) -> web.Application:
    """All routes, with and without `/v1`."""
    application = web.Application(middlewares=[shape_errors])

    async def add_headers(http: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["Server"] = "aduana"
        if "Origin" in http.headers:
            response.headers.update(access.cors_headers(http))

    application.on_response_prepare.append(add_headers)
    router = application.router
    for prefix in ("/v1", ""):
        router.add_post(f"{prefix}/chat/completions", openai.chat)
        router.add_post(f"{prefix}/completions", openai.completions)
        router.add_post(f"{prefix}/embeddings", openai.embeddings)
        router.add_get(f"{prefix}/models", openai.models)
        router.add_get(f"{prefix}/models/{{id:.+}}", openai.model)
    router.add_post("/admin/explain", openai.explain)
    router.add_get("/healthz", operations.healthz)
    router.add_get("/readyz", operations.readyz)
    router.add_get("/metrics", operations.metrics)
    router.add_get("/", operations.page)
    return application

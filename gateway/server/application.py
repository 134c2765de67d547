"""What is served at which address, and the one place where errors become answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import HttpVersion11, StreamReader, web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.typedefs import Handler

from gateway.core.errors import AduanaError, BadRequest, NotFound, RateLimited, TargetBusy
from gateway.server.addresses import advice, dialect_of
from gateway.server.answers import error_answer, public_error
from gateway.server.endpoint import REQUEST_ID, StreamBroken
from gateway.server.inbound import new_request_id

Dress = Callable[[web.BaseRequest, web.StreamResponse], None]


def _as_it_is(_: web.BaseRequest, __: web.StreamResponse) -> None:
    """Leave an answer as it is."""


def _unnoted(_: web.Request) -> None:
    """Note nothing."""


class ClientRequest(web.Request):
    """A client's request, whose answers have the headers that every answer has."""

    ATTRS = web.Request.ATTRS | {"dress"}
    dress: Dress

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        """Do what aiohttp asks for ahead of the head of every answer."""
        self.dress(self, response)

    def get(self, key: Any, default: Any = None) -> Any:  # the mapping's own raises an error inside to say no
        """Return what stands under a key."""
        return self._state.get(key, default)


async def _nobody(_: web.Request) -> web.StreamResponse:
    """Stand for a handler, where aiohttp wants one that it knows for a coroutine's.

    Raises:
        HTTPNotFound: Always.
    """
    raise web.HTTPNotFound


class Application:
    """Handlers by address, which answer every request.

    Most addresses are looked up; those with a pattern, and those that are not served, take aiohttp's own way.
    """

    def __init__(
        self,
        *,
        dress: Dress = _as_it_is,
        expect: Callable[[web.Request], Awaitable[None]] | None = None,
        turned_away: Callable[[web.Request], None] = _unnoted,
    ) -> None:
        """Serve nothing yet.

        Args:
            dress: Puts the headers of every answer on it.
            expect: Gets ready to say who asks. None: that takes no time.
            turned_away: Hears of requests that found no place.
        """
        self._dress = dress
        self._expect = expect
        self._turned_away = turned_away
        self._addresses: dict[tuple[str, str], tuple[Handler, web.UrlMappingMatchInfo]] = {}  # by method and path
        self._all = web.UrlDispatcher()
        self._handlers: dict[web.AbstractRoute, Handler] = {}

    def serve(self, method: str, path: str, handler: Handler) -> None:
        """Serve an address; HEAD wherever GET is."""
        for one in ("HEAD", "GET") if method == "GET" else (method,):
            route = self._all.add_route(one, path, _nobody)
            self._handlers[route] = handler
            if "{" not in path:
                self._addresses[one, path] = handler, web.UrlMappingMatchInfo({}, route)

    def request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: Any,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        """Return the request of a head and a body that come."""
        request = ClientRequest(message, payload, protocol, writer, task, task.get_loop())
        request.dress = self._dress
        return request

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request: it gets its id, and each error the shape of the client's dialect.

        This is no step of the guarantee: those are all in the pipeline.

        Raises:
            ConnectionResetError: The client is gone, or was cut off within its answer.
        """
        http = cast(web.Request, request)
        request_id = http[REQUEST_ID] = new_request_id()
        headers = http.headers
        try:
            if headers.get("Expect"):
                await _go_on(http)
            if "Upgrade" in headers and "websocket" in headers["Upgrade"].lower():
                return _plain_http_only(http, request_id)
            if http.method == "OPTIONS":
                # Needs no key: which page may call is told by the CORS headers, or by their absence.
                return web.Response(status=204, headers={"Allow": "GET, HEAD, POST, DELETE, OPTIONS"})
            known = self._addresses.get((http.method, http.raw_path))
            if known is None:
                http._match_info = found = await self._all.resolve(http)
                handler = self._handlers.get(found.route, found.handler)  # of one that is not served, it says so
            else:
                handler, http._match_info = known
            if self._expect is not None:
                await self._expect(http)
            return await handler(http)
        except StreamBroken as broken:
            return broken.response
        except ConnectionResetError:
            raise
        except web.HTTPNotFound:
            served = [resource.canonical for resource in self._all.resources()]
            return _error(NotFound(advice(http.path, served), code="route_not_found"), http, request_id)
        except Exception as error:  # the last boundary: mapped, logged by type, answered
            if isinstance(error, TargetBusy | RateLimited):
                self._turned_away(http)
            answer = _error(public_error(error, request_id), http, request_id)
            if http.writer.output_size:
                _cut_off(http)
                raise ConnectionResetError("The client was cut off within its answer.") from error
            if isinstance(error, web.HTTPMethodNotAllowed):
                answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
            return answer


def _error(error: AduanaError, http: web.Request, request_id: str) -> web.StreamResponse:
    return error_answer(error, request_id, dialect_of(http.path, http.headers))


def _cut_off(http: web.Request) -> None:
    """End a connection within an answer: a second head would stand in it, and a clean end would call it whole."""
    if http.transport is not None:
        http.transport.abort()


def _plain_http_only(http: web.Request, request_id: str) -> web.StreamResponse:
    """Answer a WebSocket handshake: clients that try WebSockets first fall back to HTTP on this status."""
    error = BadRequest(
        "There are no WebSockets here. Send the request as plain HTTP, with 'stream: true' for a stream.",
        code="websocket_not_supported",
        status=426,
    )
    answer = _error(error, http, request_id)
    answer.headers.update({"Upgrade": "HTTP/1.1", "Connection": "close, Upgrade"})
    answer.force_close()
    return answer


async def _go_on(http: web.Request) -> None:
    """Tell a client that waits before it sends its body to go on.

    Raises:
        BadRequest: It expects something else (417).
    """
    if http.headers["Expect"].lower() != "100-continue":
        raise BadRequest("The header 'Expect' may only say '100-continue'.", code="unknown_expectation", status=417)
    if http.version >= HttpVersion11:
        await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        http.writer.output_size = 0  # so that the answer's own head is written

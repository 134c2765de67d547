"""Anthropic's endpoints: the same pipeline in another dialect."""

from functools import partial
from typing import TypedDict

import msgspec
from aiohttp import web

from gateway.core.target import Api
from gateway.server.answers import json_answer, route_headers
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.wire import anthropic


class _Asked(TypedDict):
    """What headers say of a body."""

    version: str
    wanted: anthropic.Wanted


class AnthropicHandlers:
    """Handlers of Anthropic's routes, one for each. Holds no state but its parts."""

    def __init__(self, endpoint: HttpEndpoint) -> None:
        self._endpoint = endpoint
        native = [info for info in endpoint.catalog.targets.values() if info.api is Api.MESSAGES]
        self._wanted = anthropic.Wanted(words=bool(native), provider_tools=any(info.provider_tools for info in native))

    async def messages(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/messages."""
        parse = partial(anthropic.parse_messages, **self._asked(http))
        caller, request, size = await self._endpoint.parsed(http, parse)
        inbound = self._endpoint.inbound(http, caller, request, size)
        answer_id = anthropic.answer_id(inbound.id.removeprefix("req_"))
        tokens = await self._endpoint.prompt_tokens(inbound) if request.stream else 0
        return await self._endpoint.generate(
            http,
            inbound,
            request,
            stream=lambda: anthropic.stream(request, id=answer_id, request_id=inbound.id, input_tokens=tokens),
            assembly=lambda: anthropic.assembly(request, id=answer_id),
            waiting=anthropic.PING,
        )

    async def count_tokens(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/messages/count_tokens."""
        parse = partial(anthropic.parse_count, **self._asked(http))
        caller, request, size = await self._endpoint.parsed(http, parse)
        tokens, route = await self._endpoint.count_tokens(self._endpoint.inbound(http, caller, request, size))
        headers = {"x-request-id": http[REQUEST_ID]} if route is None else route_headers(route)
        return json_answer(anthropic.count_body(tokens), headers)

    def _asked(self, http: web.Request) -> _Asked:
        """Return what the headers of a request say of its body, and what of it is kept in the client's own words."""
        betas = anthropic.betas_of(",".join(http.headers.getall("anthropic-beta", ())))
        wanted = msgspec.structs.replace(self._wanted, betas=betas if self._wanted.words else ())
        return _Asked(version=http.headers.get("anthropic-version", ""), wanted=wanted)

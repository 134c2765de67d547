"""Anthropic's endpoints: the same pipeline in another dialect."""

from functools import partial

from aiohttp import web

from gateway.server.answers import json_answer
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.wire import anthropic


class AnthropicHandlers:
    """Handlers of Anthropic's routes, one for each. Holds no state but its parts."""

    def __init__(self, endpoint: HttpEndpoint) -> None:
        self._endpoint = endpoint

    async def messages(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/messages."""
        parse = partial(anthropic.parse_messages, version=http.headers.get("anthropic-version", ""))
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
        parse = partial(anthropic.parse_count, version=http.headers.get("anthropic-version", ""))
        caller, request, size = await self._endpoint.parsed(http, parse)
        tokens = await self._endpoint.prompt_tokens(self._endpoint.inbound(http, caller, request, size))
        return json_answer(anthropic.count_body(tokens), {"x-request-id": http[REQUEST_ID]})

"""A small chat to try a model. Its words go the way of every request, by the visitor's key, and are kept nowhere."""

import asyncio
import time
from collections.abc import Sequence

from aiohttp import web

from gateway.console.door import Door, refuse_foreign, require_caller
from gateway.console.views.view import Ask, Shown
from gateway.core.request import ChatRequest
from gateway.server.endpoint import INLINE_BYTES, HttpEndpoint
from gateway.wire import openai


class Chat:
    """The view with the chat."""

    def __init__(self, models: Sequence[str]) -> None:
        self._models = tuple(models)

    async def show(self, ask: Ask) -> Shown:
        """Return the page; the names of models are those that the visitor may ask for."""
        caller = ask.visitor.caller
        models = [name for name in self._models if caller is None or caller.may_use(name, name)]
        return Shown(template="chat.html", title="Try a model", values={"models": models})


class ChatRequests:
    """Handler of what the chat asks: a chat completion like any other, asked by the session's key."""

    def __init__(self, door: Door, endpoint: HttpEndpoint) -> None:
        self._door = door
        self._endpoint = endpoint

    async def chat(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /console/chat.

        Raises:
            AduanaError: The visitor may not ask, or the request fails before its first word.
        """
        caller = require_caller(self._door.visitor(http))
        refuse_foreign(http.headers)
        body = await self._endpoint.body(http)
        long = len(body) > INLINE_BYTES
        request = await asyncio.to_thread(_parsed, body) if long else _parsed(body)
        inbound = self._endpoint.inbound(http, caller, request, len(body))
        answer_id, created = openai.answer_id(request, inbound.id.removeprefix("req_")), int(time.time())
        return await self._endpoint.generate(
            http,
            inbound,
            request,
            stream=lambda: openai.stream(request, id=answer_id, created=created),
            assembly=lambda: openai.assembly(request, id=answer_id, created=created),
        )


def _parsed(body: bytes) -> ChatRequest:
    return openai.parse_chat(body, "")

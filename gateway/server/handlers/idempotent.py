"""A retry with the same `Idempotency-Key` gets the same answer, on every endpoint that generates."""

import asyncio
import hashlib
from collections.abc import Awaitable

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.core.kept_answers import HEADER, Identity, KeptAnswer
from gateway.core.request import Caller
from gateway.server.endpoint import INLINE_BYTES, HttpEndpoint
from gateway.server.forms import FORM
from gateway.server.headers import EXPLAIN, TAGS
from gateway.server.idempotency import KeptAnswers, Recording, checked_key
from gateway.server.streaming import RECORDING
from gateway.server.whole_answer import WholeAnswer

REPLAYED = "idempotent-replayed"
# What else an answer depends on, besides caller, path and body.
_HEADERS = (TAGS, EXPLAIN, "anthropic-version")
_OF_THE_CONNECTION = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})


class Idempotent:
    """Maker of handlers that repeat an answer instead of generating it a second time."""

    def __init__(self, endpoint: HttpEndpoint, store: KeptAnswers) -> None:
        self._endpoint = endpoint
        self._store = store

    def __call__(self, handler: Handler) -> Handler:
        """Return the handler with memory; a request without the header goes straight to it."""

        def answer(http: web.Request) -> Awaitable[web.StreamResponse]:
            given = http.headers.get(HEADER)
            return handler(http) if given is None else self._once(http, handler, given)

        return answer

    async def _once(self, http: web.Request, handler: Handler, given: str) -> web.StreamResponse:
        caller = self._endpoint.caller(http)
        identity = Identity(_who(http, caller), checked_key(given))
        body = await self._endpoint.body(http)
        measured = (http, body, self._endpoint.header_facts)
        fingerprint = await asyncio.to_thread(_digest, *measured) if len(body) > INLINE_BYTES else _digest(*measured)
        kept = await self._store.begin(identity, fingerprint)
        if kept is not None:
            return web.Response(body=kept.body, status=kept.status, headers=[*kept.headers, (REPLAYED, "true")])
        recording = http[RECORDING] = Recording()
        try:
            response = await handler(http)
            if isinstance(response, WholeAnswer):
                recording.add(response.body)
            whole = recording.body()
            if response.status == 200 and whole is not None:
                self._store.keep(identity, _answer(response, whole))
        finally:
            self._store.drop(identity)  # a kept answer stays
        return response


def _who(http: web.Request, caller: Caller) -> tuple[str, ...]:
    """Return who asks: a key's name, or the address of a caller who needs none."""
    return (caller.owner, caller.user or "", http.remote or "" if caller.key == Caller().key else "")


def _digest(http: web.Request, body: bytes, header_facts: tuple[str, ...]) -> bytes:
    digest = hashlib.sha256()
    named = [http.headers.get(name, "") for name in (*_HEADERS, *header_facts)]
    for part in (http.path, *named):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    digest.update(_without_boundary(http, body))
    return digest.digest()


def _without_boundary(http: web.Request, body: bytes) -> bytes:
    """Return a body as it is the same in each try: clients make a new boundary for a form each time."""
    if http.content_type != FORM:
        return body
    boundary = http.headers.get("Content-Type", "").partition("boundary=")[2].partition(";")[0].strip(' "')
    return body.replace(boundary.encode("utf-8", "surrogateescape"), b"") if boundary else body


def _answer(response: web.StreamResponse, body: bytes) -> KeptAnswer:
    kept = [(name, value) for name, value in response.headers.items() if name.lower() not in _OF_THE_CONNECTION]
    headers = tuple((str(name), str(value)) for name, value in kept)  # aiohttp's names are strings of its own
    return KeptAnswer(status=response.status, headers=headers, body=body)

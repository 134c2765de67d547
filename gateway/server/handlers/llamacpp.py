"""llama-server's endpoints: the same pipeline in llama.cpp's own dialect."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import msgspec
from aiohttp import web

from gateway.core.errors import Unavailable
from gateway.core.request import Caller, CompletionRequest, Dialect, Inbound, TokenizeRequest
from gateway.pipeline import Converted
from gateway.server.answers import json_answer, route_headers
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.server.handlers.listing import Listing
from gateway.server.handlers.openai import OpenAIHandlers
from gateway.server.handlers.operations import Readiness
from gateway.wire import llamacpp

_MANY_TOKENS = 10_000  # with their pieces they take 10 ms: longer lists are encoded in a thread


class LlamaCppHandlers:
    """Handlers of llama-server's routes, one for each. Holds no state but its parts."""

    def __init__(
        self,
        endpoint: HttpEndpoint,
        listing: Listing,
        openai: OpenAIHandlers,
        readiness: Callable[[], Readiness],
        *,
        version: str,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Keep the parts.

        Args:
            endpoint: The way of every request.
            listing: Knows what each model can.
            openai: Answers OpenAI's completions at the address that both have.
            readiness: Tells whether the gateway can answer.
            version: The gateway's own version.
            clock: Gives monotonic seconds.
        """
        self._endpoint = endpoint
        self._listing = listing
        self._openai = openai
        self._readiness = readiness
        self._version = version
        self._clock = clock

    async def completion(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /completion."""
        caller, asked, size = await self._endpoint.parsed(http, llamacpp.parse_completion)
        return await self._generate(http, asked, self._endpoint.inbound(http, caller, asked.request, size))

    async def completions(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /completions, in llama.cpp's dialect or in OpenAI's, as the body is written."""
        caller, asked, size = await self._endpoint.parsed(http, llamacpp.parse_unversioned)
        if isinstance(asked, CompletionRequest):
            return await self._openai.generate(http, self._endpoint.inbound(http, caller, asked, size), asked)
        return await self._generate(http, asked, self._endpoint.inbound(http, caller, asked.request, size))

    async def infill(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /infill."""
        caller, asked, size = await self._endpoint.parsed(http, llamacpp.parse_infill)
        return await self._generate(http, asked, self._endpoint.inbound(http, caller, asked.request, size))

    async def embeddings(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /embedding and /embeddings, in llama.cpp's dialect or in OpenAI's, as the body is written."""
        caller, request, size = await self._endpoint.parsed(http, llamacpp.parse_embeddings)
        inbound = self._endpoint.inbound(http, caller, request, size)
        if request.dialect is Dialect.OPENAI:
            return await self._openai.embed(inbound, request)
        embedded = await self._endpoint.embed(inbound, request)
        return json_answer(llamacpp.embeddings_body(embedded.vectors), route_headers(embedded.route))

    async def tokenize(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /tokenize."""
        caller, (request, pieces), size = await self._endpoint.parsed(http, llamacpp.parse_tokenize)
        converted = await self._converted(http, caller, request, size)
        encode = partial(llamacpp.tokens_body, converted.tokenized, pieces=pieces)
        body = await asyncio.to_thread(encode) if len(converted.tokenized.ids) > _MANY_TOKENS else encode()
        return json_answer(body, route_headers(converted.route))

    async def detokenize(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /detokenize."""
        caller, request, size = await self._endpoint.parsed(http, llamacpp.parse_detokenize)
        converted = await self._converted(http, caller, request, size)
        return json_answer(llamacpp.content_body(converted.tokenized), route_headers(converted.route))

    async def apply_template(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /apply-template."""
        caller, request, size = await self._endpoint.parsed(http, llamacpp.parse_template)
        converted = await self._converted(http, caller, request, size)
        return json_answer(llamacpp.prompt_body(converted.tokenized), route_headers(converted.route))

    async def props(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /props, of the model that `?model=` names or that a request without a model gets."""
        return json_answer(llamacpp.props_body(self._properties(http)), self._id(http))

    async def slots(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /slots.

        Raises:
            Unavailable: `?fail_on_no_slot=1`, and all of them work.
        """
        properties = self._properties(http)
        if http.query.get("fail_on_no_slot") == "1" and properties.busy >= properties.slots:
            raise Unavailable("No slot is free.", code="no_slot")
        return json_answer(llamacpp.slots_body(properties), self._id(http))

    async def health(self, _: web.Request) -> web.StreamResponse:
        """Answer GET /health, for which nobody needs a key: only whether requests are answered."""
        if self._readiness().ready:
            return json_answer(llamacpp.ok_body(), {})
        return json_answer(llamacpp.loading_body(), {}, 503)

    async def _generate(
        self, http: web.Request, asked: llamacpp.LlamaCompletion, inbound: Inbound
    ) -> web.StreamResponse:
        return await self._endpoint.generate(
            http,
            inbound,
            asked.request,
            stream=lambda: llamacpp.stream(asked, clock=self._clock),
            assembly=lambda: llamacpp.assembly(asked, clock=self._clock),
        )

    async def _converted(self, http: web.Request, caller: Caller, request: TokenizeRequest, size: int) -> Converted:
        return await self._endpoint.tokenize(self._endpoint.inbound(http, caller, request, size), request)

    def _properties(self, http: web.Request) -> llamacpp.Properties:
        caller, unnamed = self._endpoint.caller(http), self._endpoint.catalog.unknown_model
        names = self._listing.all(caller)
        name = http.query.get("model") or (unnamed if unnamed in names else next(iter(names), "")) or ""
        traits, report = self._listing.one(caller, name), self._listing.running_here(name)
        if report is None:
            return llamacpp.Properties(name=name, traits=traits, version=self._version)
        template = self._listing.template(report.target)
        return llamacpp.Properties(
            name=name,
            file=f"{report.model}.gguf",
            traits=msgspec.structs.replace(traits, context=report.context or traits.context),
            slots=report.slots,
            busy=min(report.busy, report.slots),
            speculative=report.drafts,
            template=template.source,
            bos=template.bos,
            eos=template.eos,
            version=self._version,
        )

    @staticmethod
    def _id(http: web.Request) -> dict[str, str]:
        return {"x-request-id": http[REQUEST_ID]}

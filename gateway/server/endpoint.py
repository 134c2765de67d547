"""What the handlers of all dialects share: who asks, the body, the way through the pipeline, the answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from aiohttp import web

from gateway.core.delta import Reasoning, Text, UsageReport
from gateway.core.document import JsonObject
from gateway.core.errors import AduanaError, Forbidden
from gateway.core.request import (
    AnyMediaRequest,
    AnyRequest,
    Caller,
    DecisionsRequest,
    EmbeddingsRequest,
    GenerateRequest,
    Inbound,
    Inherited,
    RerankRequest,
    TokenizeRequest,
)
from gateway.core.target import Catalog
from gateway.core.usage import Usage
from gateway.pipeline import Answer, Converted, DecidedQuestions, Embedded, Pipeline, Ranked, Route
from gateway.pipeline.settlement import ClientGone
from gateway.policy import Explanation
from gateway.server.answers import json_answer, public_error, route_headers
from gateway.server.auth import HostGuard, KeyRing
from gateway.server.bodies import BodyReader
from gateway.server.callers import Callers, People
from gateway.server.forms import FORM, form_fields
from gateway.server.headers import EXPLAIN
from gateway.server.inbound import InboundBuilder
from gateway.server.retried_bodies import RetriedBodies, name_of
from gateway.server.streaming import COMMENT, EVENTS, EventStream
from gateway.server.whole_answer import JSON, WholeAnswer
from gateway.wire.dialect import AnswerAssembly, AnswerStream
from gateway.wire.form import form_document
from gateway.wire.json_body import parse_request

REQUEST_ID = web.RequestKey("request_id", str)
BODY = web.RequestKey("body", bytes)

# Parsing costs about 5 ms a megabyte: larger bodies are parsed in a thread, so that other streams keep flowing.
INLINE_BYTES = 128 * 1024
_AROUND = 256  # bytes of a frame besides its text, about

T = TypeVar("T")
Finished = Callable[[Answer], Awaitable[None]]


class Parsed(NamedTuple):
    """A body that was parsed, whose it is, and how long that took. `body` None: a form's, which is not kept."""

    owner: str
    body: bytes | None
    request: Any
    seconds: float


PARSED = web.RequestKey("parsed", Parsed)


class StreamBroken(AduanaError):
    """Error of an answer whose head was sent already: the client has been told in the stream."""

    def __init__(self, response: web.StreamResponse, error: AduanaError) -> None:
        super().__init__(error.message, code=error.code, status=error.status)
        self.response = response


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Text of a whole answer, the way of its request, and what whatever continues it inherits."""

    route: Route
    text: str
    usage: Usage
    bequest: Inherited


class HttpEndpoint:
    """One way for all dialects from an HTTP request through the pipeline to an answer. Holds no state but its parts."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        catalog: Catalog,
        host_guard: HostGuard,
        keys: KeyRing,
        bodies: BodyReader,
        inbound_builder: InboundBuilder,
        people: People | None = None,
    ) -> None:
        self._pipeline = pipeline
        self.catalog = catalog
        self._host_guard = host_guard
        self._callers = Callers(keys, people)
        self._bodies = bodies
        self._inbound_builder = inbound_builder
        self._retried = RetriedBodies()
        self._hands_on = any(info.client_credential for info in catalog.targets.values())

    def caller(self, http: web.Request) -> Caller:
        """Check host, origin and key or token, and return who asks.

        Raises:
            BadRequest: Headers contradict each other.
            Forbidden: The host or the origin is not one of ours, or the user may not ask at all.
            Unauthorized: The key or token is wrong or missing.
            Unavailable: A token can't be checked now.
        """
        self._host_guard.check(http)
        return self._callers.caller(http.headers)

    @property
    def expects(self) -> bool:
        """Return whether `expect` has anything to do."""
        return self._callers.expects

    async def expect(self, http: web.Request) -> None:
        """Get ready to say who asks, where that takes a while: a token may be signed with a new key. Refuses nobody."""
        await self._callers.expect(http.headers)

    @property
    def header_facts(self) -> tuple[str, ...]:
        """Return the header names that policies may look at."""
        return self._inbound_builder.header_facts

    async def body(self, http: web.Request) -> bytes:
        """Return the request's whole body; it is read once.

        Raises:
            AduanaError: It is too large, too late or compressed.
        """
        body = http.get(BODY)
        if body is None:
            body = http[BODY] = await self._bodies.read(http)
        return body

    async def parsed(self, http: web.Request, parse: Callable[[bytes, str], T]) -> tuple[Caller, T, int]:
        """Return the caller, the parsed body and its size in bytes.

        The key is checked before a byte of the body is read. A body without a model is for the one that
        `unknown_model` names, if it names one.
        """
        caller = self.caller(http)
        body = await self.body(http)
        begun = time.perf_counter()
        request: T | None = None
        if not self._retried.empty:
            request = self._retried.parsed(name_of(http, caller.owner, body))
        if request is None:
            unnamed = self.catalog.unknown_model or ""
            long = len(body) > INLINE_BYTES
            request = await asyncio.to_thread(parse, body, unnamed) if long else parse(body, unnamed)
        http[PARSED] = Parsed(caller.owner, body, request, time.perf_counter() - begun)
        return caller, request, len(body)

    async def parsed_document(
        self, http: web.Request, parse: Callable[[JsonObject], T], *, files: frozenset[str]
    ) -> tuple[Caller, T, int]:
        """Return the same as `parsed`, of a body that is JSON or a form; `files` are its fields that may hold files."""
        if http.content_type != FORM:
            return await self.parsed(http, lambda body, unnamed: parse(parse_request(body, unnamed)))
        caller = self.caller(http)
        body = await self.body(http)
        begun = time.perf_counter()
        unnamed = self.catalog.unknown_model or ""

        async def parsed() -> T:
            return parse(form_document(await form_fields(http.headers, body), files, unnamed))

        # The reader never waits for anything, so that a loop of its own in a thread does for a long form.
        request = await asyncio.to_thread(asyncio.run, parsed()) if len(body) > INLINE_BYTES else await parsed()
        http[PARSED] = Parsed(caller.owner, None, request, time.perf_counter() - begun)
        http[BODY] = b""  # a large one would be held twice while its answer is made
        return caller, request, len(body)

    def turned_away(self, http: web.Request) -> None:
        """Note that a request found no place, so that its retry costs less."""
        parsed = http.get(PARSED)
        if parsed is not None and parsed.body is not None:
            self._retried.keep(name_of(http, parsed.owner, parsed.body), parsed.request)

    def inbound(
        self, http: web.Request, caller: Caller, request: AnyRequest, size: int, inherited: Inherited | None = None
    ) -> Inbound:
        """Return the request together with who asks, its tags, its headers, its size, and what it inherits.

        The caller's own credentials for providers are in it only where a target wants them.
        INVARIANT: this is the only place where they come in, so that what runs later, without its caller, has none.
        """
        tags, headers = self._inbound_builder.given(http)
        parsed = http.get(PARSED)
        return self._inbound_builder.built(
            http[REQUEST_ID],
            self._callers.named_in(caller, request.document),
            request,
            size=size,
            tags=tags,
            headers=headers,
            parse_seconds=0.0 if parsed is None else parsed.seconds,
            inherited=inherited,
            credentials=self._callers.provider_credentials(http.headers) if self._hands_on else (),
        )

    def given(self, http: web.Request) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
        """Return the tags of a request's header, and the headers that policies look at.

        Raises:
            BadRequest: The tags can't be read.
        """
        return self._inbound_builder.given(http)

    async def explained(self, inbound: Inbound) -> web.StreamResponse:
        """Answer with the whole decision, and send the request nowhere.

        Raises:
            Forbidden: The key is not an administrator's.
        """
        explanation = await self.explanation(inbound)
        return json_answer(explanation.json(), {"x-request-id": inbound.id})

    async def explanation(self, inbound: Inbound) -> Explanation:
        """Return the whole decision about a request, and send it nowhere.

        Raises:
            Forbidden: The key is not an administrator's.
        """
        if not inbound.caller.admin:
            raise Forbidden("This needs a key with 'admin: true'.", code="admin_only")
        return await self._pipeline.explain(inbound)

    def typed(self, request_id: str, caller: Caller, request: AnyRequest, size: int, tags: frozenset[str]) -> Inbound:
        """Return a request that somebody typed into a page, with its circumstances.

        Raises:
            BadRequest: There are tools that can't be run here and the owner wants none.
        """
        return self._inbound_builder.built(request_id, caller, request, size=size, tags=tags, headers=())

    async def embed(self, inbound: Inbound, request: EmbeddingsRequest) -> Embedded:
        """Return vectors, and where they come from."""
        return await self._pipeline.embed(inbound, request)

    async def rerank(self, inbound: Inbound, request: RerankRequest) -> Ranked:
        """Return scores, and where they come from."""
        return await self._pipeline.rerank(inbound, request)

    async def decide(self, inbound: Inbound, request: DecisionsRequest) -> DecidedQuestions:
        """Return answers to questions, and where they come from."""
        return await self._pipeline.decide(inbound, request)

    async def said(self, inbound: Inbound, request: GenerateRequest) -> Said:
        """Return all of an answer's text, where it comes from and what it took."""
        async with self._pipeline.generate(inbound, request) as answer:
            pieces: list[str] = []
            usage = Usage()
            async for delta in answer.deltas:
                if isinstance(delta, Text):
                    pieces.append(delta.text)
                elif isinstance(delta, UsageReport):
                    usage = delta.usage
            return Said(route=answer.route, text="".join(pieces), usage=usage, bequest=answer.bequest)

    async def tokenize(self, inbound: Inbound, request: TokenizeRequest) -> Converted:
        """Return a text and its tokens, and where they come from."""
        return await self._pipeline.tokenize(inbound, request)

    async def prompt_tokens(self, inbound: Inbound) -> int:
        """Count a prompt's tokens, exactly where a local model can. Sends nothing."""
        return await self._pipeline.prompt_tokens(inbound)

    async def count_tokens(self, inbound: Inbound) -> tuple[int, Route | None]:
        """Count a prompt's tokens; the way of the request, where a provider was asked to count them."""
        return await self._pipeline.count_tokens(inbound)

    async def generate(
        self,
        http: web.Request,
        inbound: Inbound,
        request: GenerateRequest | AnyMediaRequest,
        *,
        stream: Callable[[], AnswerStream],
        assembly: Callable[[], AnswerAssembly],
        content_type: str = EVENTS,
        whole_type: str = JSON,
        waiting: bytes | None = COMMENT,
        finished: Finished | None = None,
    ) -> web.StreamResponse:
        """Answer a request, in a stream or in one piece as the client wants it.

        Args:
            http: The HTTP request that is answered.
            inbound: The request with its circumstances.
            request: The request itself.
            stream: Makes the encoder of a streamed answer in the client's dialect.
            assembly: Makes the encoder of an answer in one piece.
            content_type: The type of a stream in this dialect.
            whole_type: The type of an answer in one piece.
            waiting: What a stream sends while nothing of the answer comes. None: its head waits as well, for an answer
                that is a file has no place for an error.
            finished: Awaited when the whole answer has come, before the client is told that it is complete.
        """
        if http.headers.get(EXPLAIN, "0") != "0":
            return await self.explained(inbound)
        if request.stream:
            events = EventStream(http, content_type=content_type, waiting=waiting)
            return await self._streamed(events, inbound, request, stream(), finished)
        async with self._pipeline.generate(inbound, request) as answer:
            headers = route_headers(answer.route)
            whole = assembly()

            def add(deltas: Sequence[Text | Reasoning]) -> bool:
                for delta in deltas:
                    whole.add(delta)
                return True

            if answer.open_fast_path is not None:
                answer.open_fast_path(add)
            async for delta in answer.deltas:
                whole.add(delta)
            if finished is not None:
                await finished(answer)
            return WholeAnswer(whole.body(), content_type=whole_type, headers=headers)

    async def _streamed(
        self,
        events: EventStream,
        inbound: Inbound,
        request: GenerateRequest | AnyMediaRequest,
        encoder: AnswerStream,
        finished: Finished | None,
    ) -> web.StreamResponse:
        """Answer in a stream, whose head may go out before a target has begun to answer.

        Raises:
            AduanaError: The request is refused, or fails before the head was sent.
            ClientGone: The client has closed the connection, or reads nothing.
            StreamBroken: It fails after that; the client has been told in the stream.
        """
        start = encoder.start()
        try:
            async with self._pipeline.generate(
                inbound, request, admitted=lambda route: events.expect(route_headers(route), start)
            ) as answer:
                return await _answered(answer, encoder, events, start, inbound.id, finished)
        except (StreamBroken, ClientGone):
            raise
        except Exception as error:
            await events.rest()
            if not events.opened:
                raise
            public = public_error(error, inbound.id)
            await events.fail(encoder.error(public))
            raise StreamBroken(events.response, public) from error
        finally:
            await events.rest()


async def _answered(
    answer: Answer,
    encoder: AnswerStream,
    events: EventStream,
    start: bytes,
    request_id: str,
    finished: Finished | None,
) -> web.StreamResponse:
    opened = await events.open(route_headers(answer.route))
    waiting = start if opened else b""  # goes out together with the first text
    fast = False

    def take(deltas: Sequence[Text | Reasoning]) -> bool:
        size = 0
        for delta in deltas:
            size += _AROUND + len(delta.text)
        if not events.takes(size):
            return False
        alone = len(deltas) == 1
        events.send_now(encoder.encode(deltas[0]) if alone else b"".join([encoder.encode(delta) for delta in deltas]))
        return True

    try:
        async for delta in answer.deltas:
            frame = encoder.encode(delta)
            if frame:
                await events.send(waiting + frame if waiting else frame)
                waiting = b""
                if answer.open_fast_path is not None and not fast:
                    fast = True
                    answer.open_fast_path(take)
        if finished is not None:
            await finished(answer)
        await events.send(waiting + encoder.end())
        answer.handed_over()
    except (ClientGone, asyncio.CancelledError):
        raise
    except Exception as error:
        # The head is out: the error goes into the stream, and on to the settlement.
        public = public_error(error, request_id)
        await events.fail(encoder.error(public))
        raise StreamBroken(events.response, public) from error
    await events.close()
    return events.response

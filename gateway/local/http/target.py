"""OpenAI-compatible servers in the user's own network (llama-server, Ollama, vLLM, SGLang, LM Studio) as a target."""

import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TypeVar

from gateway.core.background import Keep, unwatched
from gateway.core.delta import Decisions, Delta, Embeddings, Ranking, Tokenized, UsageReport
from gateway.core.document import JsonObject, encode
from gateway.core.errors import TargetBusy, TargetLacksEndpoint, TargetUnavailable
from gateway.core.outbound import outbound_document
from gateway.core.progress import Progress
from gateway.core.request import (
    AnyMediaRequest,
    AnyRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    Endpoint,
    GenerateRequest,
    RerankRequest,
    TokenizeRequest,
    endpoint_of,
)
from gateway.core.route import Room
from gateway.core.target import Api, TargetInfo, TargetState
from gateway.local.http.pictures.a1111 import a1111_answer
from gateway.local.http.pictures.comfyui import comfyui_answer
from gateway.local.http.pictures.server import PictureServer
from gateway.local.http.servers.beginning import beginning_of
from gateway.local.http.servers.pool import ServerPool
from gateway.local.http.servers.server import LocalServer
from gateway.local.http.session import LocalSession
from gateway.local.http.settings import HttpSettings
from gateway.local.slots import FairSlots
from gateway.local.throughput import Throughput
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.body import PATHS
from gateway.upstream.decisions import PATHS as DECISION_PATHS
from gateway.upstream.decisions import read_decisions
from gateway.upstream.embeddings import read_vectors
from gateway.upstream.fast_path import FastPath
from gateway.upstream.media.answers import made, media_answer
from gateway.upstream.media.requests import SentBody, media_body
from gateway.upstream.rerank import read_ranking, upstream_document

T = TypeVar("T")


class HttpTarget:
    """One model of a local server, or of several alike. Owns the servers and the queue before them."""

    def __init__(
        self,
        info: TargetInfo,
        settings: HttpSettings,
        *,
        keep: Keep = unwatched,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect to nobody yet.

        Args:
            info: The target's name and abilities.
            settings: How its servers are reached.
            keep: Runs what watches their health.
            clock: Returns monotonic seconds.
        """
        self._info = info
        self._settings = settings
        self._clock = clock
        self._servers = ServerPool(info, settings, keep=keep, clock=clock, changed=self._resize)
        self._throughput = Throughput()
        self._slots = FairSlots(
            info.name,
            self._throughput,
            slots=self._servers.slots,
            queue=settings.queue,
            queue_wait=settings.queue_wait,
            clock=clock,
        )

    @property
    def info(self) -> TargetInfo:
        """The target's name and abilities."""
        return self._info

    async def start(self) -> None:
        """Check the addresses and begin to watch the servers' health.

        Raises:
            ConfigurationError: an address is neither in the user's own network nor declared as trusted.
        """
        await self._servers.start()

    async def close(self) -> None:
        """Stop watching and close all connections."""
        await self._servers.close()

    def state(self) -> TargetState:
        """Say how the target is doing, as far as that is known without asking it."""
        condition, slots = self._servers.condition(), self._slots
        held = condition.open_until
        return TargetState(
            healthy=condition.healthy,
            problem=condition.problem,
            queue_depth=slots.waiting,
            queue_wait_seconds=slots.expected_wait(),
            slots_busy=slots.busy,
            slots_total=self._servers.slots,
            tokens_per_second=self._throughput.tokens_per_second,
            latency_seconds=self._throughput.latency_seconds,
            open_until=held,
            retry_in=None if held is None else held - self._clock(),
            servers=self._servers.states(),
        )

    async def prompt_tokens(self, request: AnyRequest, *, isolation: str = "") -> int | None:
        """Return None: these servers have no common way to count."""
        return None

    def refusal(self, request: AnyRequest, *, isolation: str, priority: int = 0) -> TargetBusy | None:
        """Return why there is no place for a request now; None: there is one, or another error says more."""
        return self._slots.refusal(isolation, priority)

    def room(self, isolation: str) -> Room:
        """Return the places that a key has left here."""
        return self._slots.room(isolation)

    async def generate(
        self,
        request: GenerateRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
        fast: FastPath | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer to a chat or completion request. `deadline` is in the loop's clock.

        Of `progress` only the server is told: its tokens are known at the end. What goes by `fast` is not yielded.

        Raises:
            TargetBusy: there is no place for it here, or the server itself is full.
            TargetError: the server can't be asked or does not answer well and in time.
            ContextLengthExceeded: the prompt does not fit the model's window.
            TargetRejected: the server refused the request itself.
        """
        document = outbound_document(request, self._info, keep_identity=True)
        endpoint = endpoint_of(request)
        sent = SentBody(path=PATHS[endpoint], content=encode(document))

        first: float | None = None
        async with self._place(isolation, priority, deadline):
            begun = self._clock()
            beginning = beginning_of(request) if self._servers.several else None
            for attempt in self._servers.attempts(beginning=beginning, progress=progress):
                with attempt as server:
                    await server.stays_here()
                    deltas = server.exchange.stream(
                        partial(server.send, sent, self._settings.most_answer_bytes),
                        AnswerReader(self._info.name, document),
                        deadline=deadline,
                        endpoint=endpoint,
                        working=server.there,
                        fast=fast,
                    )
                    try:
                        async for delta in deltas:
                            if first is None:
                                first = self._clock()
                                attempt.begun = True
                            if isinstance(delta, UsageReport):
                                self._measure(begun, first, delta.usage.completion_tokens)
                            yield delta
                    finally:
                        await deltas.aclose()

    async def exchange(
        self,
        request: AnyMediaRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer to a request for pictures, speech or a transcript; raises what `generate` raises."""
        document = outbound_document(request, self._info, keep_identity=True)
        sent: SentBody | None = None

        def ask(server: LocalServer) -> AsyncGenerator[Delta, None]:
            return self._media(server, request, document, sent, deadline, progress)

        async with self._place(isolation, priority, deadline):
            if self._info.api is not Api.A1111 and self._settings.workflow is None:
                sent = await made(partial(media_body, self._info.name, request.work, document), document)
            for attempt in self._servers.attempts(progress=progress):
                with attempt as server:
                    await server.stays_here()
                    async with contextlib.aclosing(ask(server)) as deltas:
                        async for delta in deltas:
                            attempt.begun = True
                            yield delta

    def _media(
        self,
        server: LocalServer,
        request: AnyMediaRequest,
        document: JsonObject,
        sent: SentBody | None,
        deadline: float,
        progress: Progress | None,
    ) -> AsyncGenerator[Delta, None]:
        """Return the answer in the API that the server speaks.

        Raises:
            TargetUnavailable: The target is not started.
        """
        name = self._info.name
        if server.session is None:
            raise TargetUnavailable(f"The target {name!r} is not started.")
        if sent is not None:
            return media_answer(
                server.exchange,
                partial(server.send, sent, self._settings.most_answer_bytes),
                target=name,
                work=request.work,
                endpoint=endpoint_of(request),
                document=document,
                deadline=deadline,
                working=server.there,
            )
        pictures = PictureServer(
            target=name,
            session=server.session,
            exchange=server.exchange,
            most_bytes=self._settings.most_answer_bytes,
            working=server.there,
        )
        if self._settings.workflow is not None:
            return comfyui_answer(pictures, self._settings.workflow, document, deadline)
        return a1111_answer(pictures, request.work, document, deadline, progress)

    async def embed(
        self,
        request: EmbeddingsRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Embeddings:
        """Return the vectors for an embeddings request; raises what `generate` raises."""
        document = outbound_document(request, self._info, keep_identity=True)

        def read(body: bytes) -> Embeddings:
            return read_vectors(self._info.name, document, len(request.inputs), body)

        sent = SentBody(path=PATHS[Endpoint.EMBEDDINGS], content=encode(document))
        async with self._place(isolation, priority, deadline):
            return await self._whole(Endpoint.EMBEDDINGS, sent, read, deadline, progress)

    async def rerank(
        self,
        request: RerankRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Ranking:
        """Return the scores for a rerank request; raises what `generate` raises."""
        document = upstream_document(outbound_document(request, self._info, keep_identity=True))

        def read(body: bytes) -> Ranking:
            return read_ranking(self._info.name, document, len(request.texts), body)

        sent = SentBody(path=PATHS[Endpoint.RERANK], content=encode(document))
        async with self._place(isolation, priority, deadline):
            return await self._whole(Endpoint.RERANK, sent, read, deadline, progress)

    async def decide(
        self,
        request: DecisionsRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Decisions:
        """Return the answers of a decision model; raises what `generate` raises."""
        document = outbound_document(request, self._info, keep_identity=True)
        sent = SentBody(path=DECISION_PATHS[request.form], content=encode(document))

        def read(body: bytes) -> Decisions:
            return read_decisions(self._info.name, request.form, document, request.questions, body)

        async with self._place(isolation, priority, deadline):
            return await self._whole(Endpoint.DECISIONS, sent, read, deadline, progress)

    async def tokenize(self, request: TokenizeRequest, *, deadline: float, isolation: str = "") -> Tokenized:
        """Refuse: these servers have no common way to tokenise.

        Raises:
            TargetLacksEndpoint: always.
        """
        raise TargetLacksEndpoint(f"The target {self._info.name!r} can't be asked for its tokens.")

    async def _whole(
        self,
        endpoint: Endpoint,
        sent: SentBody,
        read: Callable[[bytes], T],
        deadline: float,
        progress: Progress | None,
    ) -> T:
        """Return what `read` makes of an answer that comes in one piece."""

        async def ask(server: LocalServer) -> T:
            post = partial(server.send, sent, self._settings.most_vector_bytes)
            return await server.exchange.whole(post, read, deadline=deadline, endpoint=endpoint)

        return await self._servers.whole(ask, progress=progress)

    def _place(self, isolation: str, priority: int, deadline: float) -> AbstractAsyncContextManager[Callable[[], None]]:
        """Return the context in which one request holds its slot; entering it raises TargetBusy where there is none.

        Yields what to call where the work begins later, as `FairSlots.slot` does.
        """
        if self._servers.several:  # how many can be asked may have changed with time alone
            self._resize()
        return self._slots.slot(isolation, priority, deadline)

    def _connected(self, session: LocalSession | None) -> None:
        """Ask the server behind `session` from now on, which nobody has asked anything yet. None: there is none."""
        self._servers.all[0].connected(session)

    def _resize(self) -> None:
        """Have as many slots as those servers that are there."""
        self._slots.resize(self._servers.slots)

    def _measure(self, begun: float, first: float, tokens: int) -> None:
        self._throughput.started(first - begun)
        self._throughput.generated(tokens, self._clock() - first)

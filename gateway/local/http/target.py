"""OpenAI-compatible server in the user's own network (llama-server, Ollama, vLLM, LM Studio) as a target."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
import structlog

from gateway.core.background import Keep, unwatched
from gateway.core.delta import Delta, Embeddings, Ranking, Tokenized, UsageReport
from gateway.core.document import JsonObject, encode
from gateway.core.errors import AduanaError, ConfigurationError, TargetBusy, TargetLacksEndpoint, TargetUnavailable
from gateway.core.outbound import outbound_document
from gateway.core.progress import Progress
from gateway.core.request import (
    AnyRequest,
    EmbeddingsRequest,
    Endpoint,
    GenerateRequest,
    RerankRequest,
    TokenizeRequest,
    endpoint_of,
)
from gateway.core.target import TargetInfo, TargetState
from gateway.local.http.address import is_own_address, literal_address
from gateway.local.http.relay import described_as_remote, is_ollama, listed_as_remote, read_object
from gateway.local.http.session import LocalReply, LocalSession, not_local, relayed
from gateway.local.http.settings import HttpSettings
from gateway.local.http.slots import ServerSlots
from gateway.local.throughput import Throughput
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.body import PATHS
from gateway.upstream.embeddings import read_vectors
from gateway.upstream.errors import UNREACHABLE, is_answer, unreachable
from gateway.upstream.exchange import Exchange, Post
from gateway.upstream.rerank import read_ranking, upstream_document

LOG = structlog.get_logger("aduana.targets")
T = TypeVar("T")
_MOST_LISTING_BYTES = 4 * 2**20
_LOOK_SECONDS = 5.0


class HttpTarget:
    """One model of one local server. Owns its connections, its exchange and the task that watches its health."""

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
            settings: How the server is reached.
            keep: Runs what watches its health.
            clock: Returns monotonic seconds.
        """
        self._keep = keep
        self._info = info
        self._settings = settings
        self._clock = clock
        self._exchange = Exchange(info.name, settings, clock=clock)
        self._session: LocalSession | None = None
        self._watch: asyncio.Task[None] | None = None
        self._reachable = False
        self._relayed: bool | None = None  # whether the server runs the model elsewhere; None: not asked yet
        self._look_now = asyncio.Event()
        self._throughput = Throughput()
        self._slots = ServerSlots(info.name, settings, self._throughput, clock=clock)

    @property
    def info(self) -> TargetInfo:
        """The target's name and abilities."""
        return self._info

    async def start(self) -> None:
        """Check the address and begin to watch the server's health.

        Raises:
            ConfigurationError: the address is neither in the user's own network nor declared as trusted.
        """
        if self._session is not None:
            return
        await self._check_address()
        self._session = LocalSession(self._info.name, self._settings)
        self._watch = self._keep(f"health of {self._info.name}", partial(self._look_after, self._session))

    async def close(self) -> None:
        """Stop watching and close all connections."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.wait({watch})
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def state(self) -> TargetState:
        """Say how the target is doing, as far as that is known without asking it."""
        held = self._exchange.open_until()
        return TargetState(
            healthy=self._reachable and held is None and not self._relayed,
            problem=relayed(self._info.name, self._info.model).message if self._relayed else self._exchange.problem,
            queue_depth=self._slots.waiting,
            queue_wait_seconds=self._slots.expected_wait(),
            slots_busy=self._slots.busy,
            slots_total=self._settings.slots,
            tokens_per_second=self._throughput.tokens_per_second,
            latency_seconds=self._throughput.latency_seconds,
            open_until=held,
            retry_in=self._exchange.retry_in(),
        )

    async def prompt_tokens(self, request: AnyRequest, *, isolation: str = "") -> int | None:
        """Return None: these servers have no common way to count."""
        return None

    def refusal(self, request: AnyRequest, *, isolation: str, priority: int = 0) -> TargetBusy | None:
        """Return why there is no place for a request now; None: there is one, or another error says more."""
        return self._slots.refusal(isolation, priority)

    async def generate(
        self,
        request: GenerateRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer to a chat or completion request. `deadline` is in the loop's clock.

        `progress` is not used: the server tells its tokens at the end.

        Raises:
            TargetBusy: there is no place for it here, or the server itself is full.
            TargetError: the server can't be asked or does not answer well and in time.
            ContextLengthExceeded: the prompt does not fit the model's window.
            TargetRejected: the server refused the request itself.
        """
        document = outbound_document(request, self._info, keep_identity=True)
        endpoint = endpoint_of(request)
        post = self._post(endpoint, document, self._settings.most_answer_bytes)
        first: float | None = None
        async with self._under_way(isolation, priority, deadline):
            await self._stays_here()  # behind the wait, which could outdate it
            begun = self._clock()
            reader = AnswerReader(self._info.name, document)
            answer = self._exchange.stream(post, reader, deadline=deadline, endpoint=endpoint, working=self._is_there)
            async with contextlib.aclosing(answer) as deltas:
                async for delta in deltas:
                    if first is None:
                        first = self._clock()
                    if isinstance(delta, UsageReport):
                        self._measure(begun, first, delta.usage.completion_tokens)
                    yield delta

    async def embed(
        self, request: EmbeddingsRequest, *, deadline: float, isolation: str = "", priority: int = 0
    ) -> Embeddings:
        """Return the vectors for an embeddings request; raises what `generate` raises."""
        document = outbound_document(request, self._info, keep_identity=True)

        def read(body: bytes) -> Embeddings:
            return read_vectors(self._info.name, document, len(request.inputs), body)

        async with self._under_way(isolation, priority, deadline):
            return await self._whole(Endpoint.EMBEDDINGS, document, read, deadline)

    async def rerank(
        self, request: RerankRequest, *, deadline: float, isolation: str = "", priority: int = 0
    ) -> Ranking:
        """Return the scores for a rerank request; raises what `generate` raises."""
        document = upstream_document(outbound_document(request, self._info, keep_identity=True))

        def read(body: bytes) -> Ranking:
            return read_ranking(self._info.name, document, len(request.texts), body)

        async with self._under_way(isolation, priority, deadline):
            return await self._whole(Endpoint.RERANK, document, read, deadline)

    async def tokenize(self, request: TokenizeRequest, *, deadline: float, isolation: str = "") -> Tokenized:
        """Refuse: these servers have no common way to tokenise.

        Raises:
            TargetLacksEndpoint: always.
        """
        raise TargetLacksEndpoint(f"The target {self._info.name!r} can't be asked for its tokens.")

    async def _whole(self, endpoint: Endpoint, document: JsonObject, read: Callable[[bytes], T], deadline: float) -> T:
        """Return what `read` makes of an answer that comes in one piece."""
        await self._stays_here()
        post = self._post(endpoint, document, self._settings.most_vector_bytes)
        return await self._exchange.whole(post, read, deadline=deadline, endpoint=endpoint)

    def _post(self, endpoint: Endpoint, document: JsonObject, most_bytes: int) -> Post:
        """Return the call that sends `document`."""

        async def post() -> LocalReply:
            if self._session is None:
                raise TargetUnavailable(f"The target {self._info.name!r} is not started.")
            return await self._session.post(PATHS[endpoint], encode(document), most_bytes=most_bytes)

        return post

    def _is_there(self) -> bool:
        """Say whether the server answered when it was last looked at: one that reads a long prompt is silent."""
        return self._reachable

    async def _stays_here(self) -> None:
        """Refuse to send anything to a server that passes it on; ask the server first, where that is not known.

        Raises:
            TargetMisconfigured: the server runs the model elsewhere.
            AduanaError: the server can't be asked.
        """
        # INVARIANT: no document is sent before the server has been asked where it runs the model.
        if self._relayed is None and self._session is not None:
            try:
                deadline = asyncio.get_running_loop().time() + _LOOK_SECONDS
                async with asyncio.timeout_at(deadline):
                    await self._ask_where(self._session, {}, deadline)
            except TimeoutError:
                late = unreachable(self._info.name)
                raise late from None
        if self._relayed:
            error = relayed(self._info.name, self._info.model)
            raise error

    async def _listing(self, session: LocalSession, deadline: float) -> Mapping[str, object]:
        """Return the server's list of models; an empty one where it answers that it has none to show.

        Raises:
            AduanaError: the server can't be reached, or fails.
        """
        try:
            reply = await session.get("/models", most_bytes=_MOST_LISTING_BYTES)
        except AduanaError as error:
            if is_answer(error):
                return {}
            raise
        return read_object(b"".join(await self._exchange.collect(reply, deadline=deadline)))

    async def _ask_where(self, session: LocalSession, listing: Mapping[str, object], deadline: float) -> None:
        """Learn whether the server runs the model elsewhere, from the models it lists and from Ollama's own pages.

        Raises:
            AduanaError: the server can't be reached, or is known to run it elsewhere and does not say otherwise now.
        """
        model = self._info.model
        question = msgspec.json.encode({"model": model})
        try:
            tags = await self._about(session, "GET", "/api/tags", None, deadline)
            shown = await self._about(session, "POST", "/api/show", question, deadline) if is_ollama(tags) else {}
        except AduanaError as error:
            if error.code == UNREACHABLE or self._relayed:
                raise  # what is known stays until the server says otherwise
            tags, shown = {}, {}  # as behind a proxy that knows only the API
        elsewhere = listed_as_remote(listing, model) or listed_as_remote(tags, model) or described_as_remote(shown)
        if elsewhere and not self._relayed:
            LOG.error("target.runs_elsewhere", target=self._info.name, model=model)
        self._relayed = elsewhere

    async def _about(
        self, session: LocalSession, method: str, path: str, body: bytes | None, deadline: float
    ) -> Mapping[str, object]:
        reply = await session.about(method, path, body, most_bytes=_MOST_LISTING_BYTES)
        return {} if reply is None else read_object(b"".join(await self._exchange.collect(reply, deadline=deadline)))

    @contextlib.asynccontextmanager
    async def _under_way(self, isolation: str, priority: int, deadline: float) -> AsyncGenerator[None, None]:
        """Hold a slot; if the server can't be reached, look at once whether it is still there.

        Raises:
            AduanaError: What the body raises, or there is no place in the queue.
        """
        async with self._slots.slot(isolation, priority, deadline):
            try:
                yield
            except AduanaError as error:
                if error.code == UNREACHABLE and self._reachable:
                    self._reachable, self._relayed = (
                        False,
                        None,
                    )  # the next request shall not have to find out for itself
                    self._look_now.set()
                raise

    async def _check_address(self) -> None:
        if self._settings.trusted_host:
            return
        literal = literal_address(self._settings.base_url)
        addresses = [literal] if literal is not None else await self._resolve()
        if not all(is_own_address(address) for address in addresses):
            raise ConfigurationError((not_local(self._info.name).message,))

    async def _resolve(self) -> list[str]:
        host = urlsplit(self._settings.base_url).hostname or ""
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError):
            return []  # a machine that is switched off: each connection is checked again
        return [str(info[4][0]) for info in found]

    async def _look_after(self, session: LocalSession) -> None:
        self._reachable = False  # until it was looked at: also where this begins anew
        while True:
            self._look_now.clear()
            self._reachable = await self._answers(session)
            pause = self._settings.poll_seconds if self._reachable else self._settings.poll_seconds_down
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._look_now.wait()

    async def _answers(self, session: LocalSession) -> bool:
        """Say whether the server answers when it is asked for its models. Sends no request's content.

        One that has no list, or shows it to others only, is there all the same.
        """
        try:
            deadline = asyncio.get_running_loop().time() + _LOOK_SECONDS
            async with asyncio.timeout_at(deadline):
                await self._ask_where(session, await self._listing(session, deadline), deadline)
        except AduanaError as error:
            if error.code == UNREACHABLE and not self._relayed:
                self._relayed = None  # whoever answers there next is asked anew
            return False
        except TimeoutError:
            return False
        return True

    def _measure(self, begun: float, first: float, tokens: int) -> None:
        self._throughput.started(first - begun)
        self._throughput.generated(tokens, self._clock() - first)

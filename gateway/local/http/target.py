"""An OpenAI-compatible server in the user's own network (llama-server, Ollama, vLLM, LM Studio) as a target."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_any, stop_before_delay
from tenacity.wait import wait_random_exponential

from gateway.core.delta import Delta, Embeddings, Ranking, UsageReport
from gateway.core.document import JsonObject, encode
from gateway.core.errors import AduanaError, ConfigurationError, TargetTimeout, TargetUnavailable
from gateway.core.moving_average import MovingAverage
from gateway.core.outbound import outbound_document
from gateway.core.progress import Progress
from gateway.core.request import AnyRequest, EmbeddingsRequest, Endpoint, GenerateRequest, RerankRequest, endpoint_of
from gateway.core.target import TargetInfo, TargetState
from gateway.local.http.address import is_own_address, literal_address
from gateway.local.http.session import LocalReply, LocalSession, not_local
from gateway.local.http.settings import HttpSettings
from gateway.upstream.body import PATHS, AnswerBody, collected
from gateway.upstream.circuit_breaker import CircuitBreaker
from gateway.upstream.embeddings import read_vectors
from gateway.upstream.errors import UNREACHABLE, is_passing
from gateway.upstream.rerank import read_ranking, upstream_document

T = TypeVar("T")
_LONGEST_PAUSE = 4.0
_DRAIN_SECONDS = 0.1
_DRAIN_CHUNKS = 64
_INLINE_BYTES = 256 * 1024
_MOST_LISTING_BYTES = 4 * 2**20
_LOOK_SECONDS = 5.0
_SMOOTHING = 0.3


class HttpTarget:
    """One model of one local server. Owns its connections, its breaker and the task that looks after its health."""

    def __init__(
        self, info: TargetInfo, settings: HttpSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._info = info
        self._settings = settings
        self._clock = clock
        self._breaker = CircuitBreaker(settings.breaker)
        self._session: LocalSession | None = None
        self._watch: asyncio.Task[None] | None = None
        self._reachable = False
        self._look_now = asyncio.Event()
        self._busy = 0
        self._latency = MovingAverage(_SMOOTHING)
        self._speed = MovingAverage(_SMOOTHING)

    @property
    def info(self) -> TargetInfo:
        """Name and abilities."""
        return self._info

    async def start(self) -> None:
        """Checks the address and begins to look after the server's health.

        Raises ConfigurationError if the address is not in the user's own network and not declared as trusted.
        """
        if self._session is not None:
            return
        await self._check_address()
        self._session = LocalSession(self._info.name, self._settings)
        self._watch = asyncio.get_running_loop().create_task(self._look_after(self._session))

    async def close(self) -> None:
        """Stops looking and closes all connections."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.wait({watch})
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def state(self) -> TargetState:
        """What is known without asking."""
        held = self._breaker.open_until(self._clock())
        return TargetState(
            healthy=self._reachable and held is None and not self._breaker.misconfigured,
            slots_busy=self._busy,
            tokens_per_second=self._speed.value,
            latency_seconds=self._latency.value,
            open_until=held,
        )

    async def prompt_tokens(self, request: AnyRequest) -> int | None:
        """Unknown: these servers have no common way to count."""
        return None

    async def generate(
        self,
        request: GenerateRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """The answer. `deadline` is in the loop's clock.

        `isolation`, `priority` and `progress` are not used: the server has its own cache and queue, and tells its
        tokens at the end.

        Raises TargetError, ContextLengthExceeded or TargetRejected.
        """
        document = outbound_document(request, self._info.model, keep_identity=True)
        self._breaker.admit(self._info.name, self._clock())
        begun = self._clock()
        first: float | None = None
        self._busy += 1
        try:
            reply = await self._send(PATHS[endpoint_of(request)], document, self._settings.most_answer_bytes, deadline)
            try:
                body = AnswerBody(self._info.name, document, reply.shape)
                while not body.done:
                    chunk = await self._next(reply, deadline)
                    for delta in body.feed(chunk) if chunk else body.end():
                        if first is None:
                            first = self._clock()
                            self._breaker.answering(first)
                        if isinstance(delta, UsageReport):
                            self._measure(begun, first, delta.usage.completion_tokens)
                        yield delta
                await self._drain(reply)
            finally:
                reply.close()
        except AduanaError as error:
            self._failed(error)
            raise
        except BaseException:  # cancelled, or the client went away
            self._breaker.release() if first is None else self._breaker.record(None, self._clock())
            raise
        finally:
            self._busy -= 1
        self._breaker.record(None, self._clock())

    async def embed(self, request: EmbeddingsRequest, *, deadline: float) -> Embeddings:
        """The vectors for an embeddings request."""
        document = outbound_document(request, self._info.model, keep_identity=True)

        def read(body: bytes) -> Embeddings:
            return read_vectors(self._info.name, document, len(request.inputs), body)

        return await self._whole(Endpoint.EMBEDDINGS, document, read, deadline)

    async def rerank(self, request: RerankRequest, *, deadline: float) -> Ranking:
        """The scores for a rerank request."""
        document = upstream_document(outbound_document(request, self._info.model, keep_identity=True))

        def read(body: bytes) -> Ranking:
            return read_ranking(self._info.name, document, len(request.texts), body)

        return await self._whole(Endpoint.RERANK, document, read, deadline)

    async def _whole(self, endpoint: Endpoint, document: JsonObject, read: Callable[[bytes], T], deadline: float) -> T:
        """An answer that comes in one piece."""
        self._breaker.admit(self._info.name, self._clock())
        self._busy += 1
        try:
            answer = await self._collected(endpoint, document, read, deadline)
        except AduanaError as error:
            self._failed(error)
            raise
        except BaseException:
            self._breaker.release()
            raise
        finally:
            self._busy -= 1
        self._breaker.record(None, self._clock())
        return answer

    def _failed(self, error: AduanaError) -> None:
        self._breaker.record(error, self._clock())
        if error.code == UNREACHABLE and self._reachable:
            self._reachable = False  # the next request shall not have to find out for itself
            self._look_now.set()

    async def _collected(
        self, endpoint: Endpoint, document: JsonObject, read: Callable[[bytes], T], deadline: float
    ) -> T:
        reply = await self._send(PATHS[endpoint], document, self._settings.most_vector_bytes, deadline)
        chunks = await self._collect(reply, deadline)

        def whole() -> T:
            return read(collected(reply.shape, chunks))

        return whole() if sum(map(len, chunks)) < _INLINE_BYTES else await asyncio.to_thread(whole)

    async def _send(self, path: str, document: JsonObject, most_bytes: int, deadline: float) -> LocalReply:
        """Opens the answer; after a passing fault once more, within the retry budget and the deadline."""
        session = self._session
        if session is None:
            raise TargetUnavailable(f"The target {self._info.name!r} is not started.")
        content = encode(document)
        loop = asyncio.get_running_loop()

        async def once() -> LocalReply:
            limit = min(deadline, loop.time() + self._settings.header_seconds)
            try:
                async with asyncio.timeout_at(limit):
                    return await session.post(path, content, most_bytes=most_bytes)
            except TimeoutError:
                raise TargetTimeout(f"The target {self._info.name!r} did not begin its answer in time.") from None

        retrying = AsyncRetrying(
            retry=retry_if_exception(is_passing),
            stop=stop_any(
                stop_after_attempt(1 + self._settings.retries),
                stop_before_delay(max(0.0, deadline - loop.time())),
            ),
            wait=wait_random_exponential(multiplier=self._settings.retry_pause, max=_LONGEST_PAUSE),
            reraise=True,
        )
        return await retrying(once)

    async def _next(self, reply: LocalReply, deadline: float) -> bytes:
        """The next bytes; empty at the end."""
        limit = min(deadline, asyncio.get_running_loop().time() + self._settings.idle_seconds)
        try:
            async with asyncio.timeout_at(limit):
                return await reply.read()
        except TimeoutError:
            raise TargetTimeout(f"The target {self._info.name!r} stopped in the middle of its answer.") from None

    async def _collect(self, reply: LocalReply, deadline: float) -> list[bytes]:
        """The whole raw body, within its limit (what is too large is refused when it is unpacked)."""
        collection: list[bytes] = []
        size = 0
        try:
            while size <= reply.shape.most_bytes and (chunk := await self._next(reply, deadline)):
                collection.append(chunk)
                size += len(chunk)
        finally:
            reply.close()
        return collection

    async def _drain(self, reply: LocalReply) -> None:
        """Reads the few bytes behind the end, so that the connection can serve again."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                for _ in range(_DRAIN_CHUNKS):
                    if not await reply.read():
                        return
        except (TimeoutError, AduanaError):
            return  # the answer is complete; only the connection is lost

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
        while True:
            self._look_now.clear()
            self._reachable = await self._answers(session)
            pause = self._settings.poll_seconds if self._reachable else self._settings.poll_seconds_down
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._look_now.wait()

    async def _answers(self, session: LocalSession) -> bool:
        """Whether the server lists its models. Sends no request's content."""
        try:
            deadline = asyncio.get_running_loop().time() + _LOOK_SECONDS
            async with asyncio.timeout_at(deadline):
                reply = await session.get("/models", most_bytes=_MOST_LISTING_BYTES)
            await self._collect(reply, deadline)
        except (AduanaError, TimeoutError):
            return False
        return True

    def _measure(self, begun: float, first: float, tokens: int) -> None:
        self._latency.add(first - begun)
        seconds = self._clock() - first
        if tokens > 1 and seconds > 0:
            self._speed.add((tokens - 1) / seconds)

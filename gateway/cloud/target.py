"""A cloud model as a target: takes a clearance, yields deltas. Owns its breaker and its provider client.

The last check before the wire stands here. It must never find anything: `gateway.policy` has decided before.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_any, stop_before_delay
from tenacity.wait import wait_random_exponential

from gateway.cloud.client import CloudReply, ProviderClient
from gateway.cloud.settings import CloudSettings, is_encrypted
from gateway.core.delta import Delta, Embeddings
from gateway.core.document import encode
from gateway.core.errors import (
    AduanaError,
    ConfigurationError,
    PolicyRefused,
    TargetError,
    TargetTimeout,
    TargetUnavailable,
)
from gateway.core.events import ViolationStopped
from gateway.core.moving_average import MovingAverage
from gateway.core.target import TargetInfo, TargetState
from gateway.policy import Clearance
from gateway.upstream.body import PATHS, AnswerBody, collected, has_token_numbers, inputs_of
from gateway.upstream.circuit_breaker import CircuitBreaker
from gateway.upstream.embeddings import read_vectors
from gateway.upstream.errors import is_passing

_LONGEST_PAUSE = 4.0
_DRAIN_SECONDS = 0.1
_DRAIN_CHUNKS = 64
_INLINE_BYTES = 256 * 1024
_SMOOTHING = 0.3


class CloudTarget:
    """One model of one provider."""

    def __init__(
        self,
        info: TargetInfo,
        settings: CloudSettings,
        *,
        on_violation: Callable[[ViolationStopped], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._info = info
        self._settings = settings
        self._on_violation = on_violation
        self._clock = clock
        self._breaker = CircuitBreaker(settings.breaker)
        self._client: ProviderClient | None = None
        self._latency = MovingAverage(_SMOOTHING)

    @property
    def info(self) -> TargetInfo:
        """Name, ceiling and abilities."""
        return self._info

    async def start(self) -> None:
        """Prepares the client. Connects to nobody: nothing goes to a cloud without a clearance.

        Raises ConfigurationError for an address that would be asked without encryption.
        """
        if not is_encrypted(self._settings.base_url):
            raise ConfigurationError(
                (
                    f"The target {self._info.name!r}: its base_url begins with 'http://', so the key and every request "
                    "would cross the internet readable for all. Use 'https://'.",
                )
            )
        if self._client is None:
            self._client = ProviderClient(self._info.name, self._settings)

    async def close(self) -> None:
        """Closes all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def state(self) -> TargetState:
        """What is known without asking."""
        held = self._breaker.open_until(self._clock())
        return TargetState(
            healthy=self._client is not None and held is None and not self._breaker.misconfigured,
            latency_seconds=self._latency.value,
            open_until=held,
        )

    async def generate(self, clearance: Clearance, *, deadline: float) -> AsyncGenerator[Delta, None]:
        """The answer to a cleared chat or completion request. `deadline` is in the loop's clock.

        Raises TargetError, ContextLengthExceeded or TargetRejected; PolicyRefused if the clearance is not for here.
        """
        self._last_check(clearance)
        self._breaker.admit(self._info.name, self._clock())
        begun = self._clock()
        answered = False
        try:
            reply = await self._send(clearance, self._settings.most_answer_bytes, deadline)
            try:
                body = AnswerBody(self._info.name, clearance.document, reply.shape)
                while not body.done:
                    chunk = await self._next(reply, deadline)
                    for delta in body.feed(chunk) if chunk else body.end():
                        if not answered:
                            answered = True
                            self._breaker.answering(self._clock())
                            self._measure(self._clock() - begun)
                        yield delta
                await self._drain(reply)
            finally:
                await reply.close()
        except AduanaError as error:
            self._breaker.record(error, self._clock())
            raise
        except BaseException:  # cancelled, or the client went away
            self._breaker.record(None, self._clock()) if answered else self._breaker.release()
            raise
        self._breaker.record(None, self._clock())

    async def embed(self, clearance: Clearance, *, deadline: float) -> Embeddings:
        """The vectors for a cleared embeddings request."""
        self._last_check(clearance)
        self._breaker.admit(self._info.name, self._clock())
        try:
            vectors = await self._vectors(clearance, deadline)
        except AduanaError as error:
            self._breaker.record(error, self._clock())
            raise
        except BaseException:
            self._breaker.release()
            raise
        self._breaker.record(None, self._clock())
        return vectors

    async def _vectors(self, clearance: Clearance, deadline: float) -> Embeddings:
        reply = await self._send(clearance, self._settings.most_vector_bytes, deadline)
        chunks = await self._collect(reply, deadline)

        def read() -> Embeddings:
            count = inputs_of(clearance.document)
            return read_vectors(self._info.name, clearance.document, count, collected(reply.shape, chunks))

        return read() if sum(map(len, chunks)) < _INLINE_BYTES else await asyncio.to_thread(read)

    def _last_check(self, clearance: Clearance) -> None:
        # INVARIANT: nothing above the ceiling leaves, whatever went wrong before.
        request_id = "unknown"
        try:
            if type(clearance) is Clearance:
                request_id = clearance.request_id
                if clearance.target == self._info.name and clearance.label <= self._info.ceiling:
                    self._check_readable(clearance)
                    return
        except TypeError:
            pass  # a clearance that nobody minted
        self._on_violation(ViolationStopped(request_id=request_id, target=self._info.name))
        raise PolicyRefused(f"The request was stopped: it is not cleared for the target {self._info.name!r}.")

    def _check_readable(self, clearance: Clearance) -> None:
        # Token numbers are text that inspection can't read, whatever label the request has.
        if has_token_numbers(clearance.document):
            raise TargetError(
                f"The target {self._info.name!r} is not sent token numbers: nobody can inspect them. Send text.",
                code="token_numbers",
                status=400,
            )

    async def _send(self, clearance: Clearance, most_bytes: int, deadline: float) -> CloudReply:
        """Opens the answer; after a passing fault once more, within the retry budget and the deadline."""
        if self._client is None:
            raise TargetUnavailable(f"The target {self._info.name!r} is not started.")
        client = self._client
        path = PATHS[clearance.endpoint]
        content = encode(clearance.document)
        loop = asyncio.get_running_loop()

        async def once() -> CloudReply:
            limit = min(deadline, loop.time() + self._settings.header_seconds)
            try:
                async with asyncio.timeout_at(limit):
                    return await client.post(path, content, most_bytes=most_bytes)
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

    async def _next(self, reply: CloudReply, deadline: float) -> bytes:
        """The next bytes; empty at the end."""
        limit = min(deadline, asyncio.get_running_loop().time() + self._settings.idle_seconds)
        try:
            async with asyncio.timeout_at(limit):
                return await reply.read()
        except TimeoutError:
            raise TargetTimeout(f"The target {self._info.name!r} stopped in the middle of its answer.") from None

    async def _collect(self, reply: CloudReply, deadline: float) -> list[bytes]:
        """The whole raw body, within its limit (what is too large is refused when it is unpacked)."""
        collection: list[bytes] = []
        size = 0
        try:
            while size <= reply.shape.most_bytes and (chunk := await self._next(reply, deadline)):
                collection.append(chunk)
                size += len(chunk)
        finally:
            await reply.close()
        return collection

    async def _drain(self, reply: CloudReply) -> None:
        """Reads the few bytes behind the end, so that the connection can serve again."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                for _ in range(_DRAIN_CHUNKS):
                    if not await reply.read():
                        return
        except (TimeoutError, AduanaError):
            return  # the answer is complete; only the connection is lost

    def _measure(self, seconds: float) -> None:
        self._latency.add(seconds)

"""One HTTP exchange with another server: a document goes out, its answer comes back, within limits of time and size.

The sending itself is the caller's: this file opens no connection and knows no HTTP client.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from math import inf
from typing import Protocol, TypeVar

import msgspec
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_any, stop_before_delay
from tenacity.wait import wait_random_exponential

from gateway.core.delta import Delta
from gateway.core.errors import AduanaError, TargetCutOff, TargetTimeout
from gateway.core.request import Endpoint
from gateway.upstream.arrival.pouring import Pouring
from gateway.upstream.body import AnswerBody, BodyShape, collected
from gateway.upstream.circuit_breaker import CircuitBreakerSettings, TargetBreaker
from gateway.upstream.errors import is_passing
from gateway.upstream.fast_path import FastPath
from gateway.upstream.reading import AnswerReading, Body
from gateway.upstream.wait_limit import WaitExpired, WaitLimit

T = TypeVar("T")
_STOPPED = "stopped in the middle of its answer"
_LONGEST_PAUSE = 4.0
_LAST_SECONDS = 5.0  # for the usage and `[DONE]` behind a complete answer
_DRAIN_SECONDS = 0.1
_DRAIN_CHUNKS = 64
_INLINE_BYTES = 256 * 1024  # a longer body is unpacked and read in a thread


class ExchangeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the exchanges with one server. Times in seconds."""

    header_seconds: float = 120.0  # from the request to the beginning of the answer
    idle_seconds: float = 60.0  # longest silence inside an answer
    retries: int = 2  # further tries after a passing fault, before the first byte
    retry_pause: float = 0.25  # first pause between tries; it doubles, with jitter
    most_answer_bytes: int = 64 * 2**20  # unpacked
    most_vector_bytes: int = 256 * 2**20  # unpacked, for embeddings and rankings
    breaker: CircuitBreakerSettings = CircuitBreakerSettings()


class Reply(Protocol):
    """Answer that has begun with status 200 and whose body is still to be read."""

    @property
    def shape(self) -> BodyShape:
        """Return what the headers say about the body."""
        ...

    async def read(self) -> bytes:
        """Return the next raw bytes; empty at the end."""
        ...

    def come(self) -> bytes:
        """Return raw bytes that have come, without waiting; empty: none have, or only `read` tells what comes next."""
        ...

    @property
    def ended(self) -> bool:
        """Whether all of the answer was read, so that nothing is to be waited for behind it."""
        ...

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        """Hand raw bytes to `take` in the call in which they arrive, until it says that it can't take more: True.

        False: what comes next, such as the end, is for `read` to tell. What `take` was given it has taken.
        """
        ...

    async def close(self) -> None:
        """End the answer, whether it was read to its end or not."""
        ...


Post = Callable[[], Awaitable[Reply]]  # sends the request once; raises AduanaErrors for everything but status 200


class Exchange:
    """Exchanges with one target, and the circuit breaker that says when the target may be asked.

    Every `deadline` is in the loop's clock; `clock` gives the monotonic seconds of the breaker.
    """

    def __init__(self, target: str, settings: ExchangeSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._target = target
        self._settings = settings
        self._clock = clock
        self._breaker = TargetBreaker(settings.breaker)

    @property
    def problem(self) -> str:
        """What only the owner can mend, in a whole sentence: refused credentials. Empty: nothing of the kind."""
        breaker = self._breaker
        if breaker.calm or not breaker.misconfigured:
            return ""
        return "It does not accept this gateway's key (401 or 403)."

    def open_until(self) -> float | None:
        """Return when the target may be asked again; None if it may be asked now."""
        breaker = self._breaker
        return None if breaker.calm else breaker.open_until(self._clock())

    def retry_in(self) -> float | None:
        """Return the seconds until the target may be asked again; None if it may be asked now."""
        until = self.open_until()
        return None if until is None else until - self._clock()

    def stream(
        self,
        post: Post,
        reader: AnswerReading,
        *,
        deadline: float,
        endpoint: Endpoint = Endpoint.CHAT,
        working: Callable[[], bool] | None = None,
        fast: FastPath | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the deltas of the answer to what `post` sends, as `reader` reads them; as `read` does.

        Raises:
            AduanaError: the target is held by the breaker, can't be asked, or does not answer well and in time.
        """
        return self.read(
            post,
            partial(AnswerBody, self._target, reader),
            deadline=deadline,
            endpoint=endpoint,
            working=working,
            fast=fast,
        )

    async def read(
        self,
        post: Post,
        body_of: Callable[[BodyShape], Body],
        *,
        deadline: float,
        endpoint: Endpoint,
        working: Callable[[], bool] | None = None,
        fast: FastPath | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the deltas that a body makes of the answer to what `post` sends, but for those that go the fast path.

        Before its first delta a server may be silent for `header_seconds`; where `working` can say that it is there
        all the same, that is looked at again and again.

        Raises:
            AduanaError: the target is held by the breaker, can't be asked, or does not answer well and in time.
        """
        with self._admitted(endpoint) as admitted:
            now = asyncio.get_running_loop().time
            patience = now() + self._settings.header_seconds
            limit = WaitLimit()
            reply = await self._send(post, deadline, limit, working)
            try:
                body = body_of(reply.shape)
                begun = False
                pouring: Pouring | None = None
                while not body.done:
                    if body.ended:
                        chunk = await self._last(reply, deadline, limit)
                    elif now() >= deadline:  # what has always come already is never waited for
                        raise self._late(TimeoutError(), "did not end its answer in time")
                    elif not (chunk := reply.come()):
                        if not begun:
                            chunk = await self._next(reply, deadline, limit, since=patience, working=working)
                        elif fast is None or fast.take is None:
                            chunk = await self._next(reply, deadline, limit)
                        else:
                            if pouring is None:
                                pouring = Pouring(body, fast, limit, deadline, self._settings.idle_seconds)
                            if await self._pour(reply, pouring, limit):
                                for delta in pouring.rest():
                                    yield delta
                                continue
                            chunk = await self._next(reply, deadline, limit)
                    for deltas in body.feed(chunk) if chunk else map(_alone, body.end()):
                        if fast is not None and fast.took(deltas):
                            continue
                        while deltas:
                            if not begun:
                                begun = True
                                admitted.answering()
                            yield deltas.popleft()
                if not reply.ended:
                    await _drain(reply, limit)
            finally:
                limit.close()
                await reply.close()

    async def whole(
        self,
        post: Post,
        read: Callable[[bytes], T],
        *,
        deadline: float,
        endpoint: Endpoint = Endpoint.EMBEDDINGS,
        working: Callable[[], bool] | None = None,
    ) -> T:
        """Return what `read` makes of an answer that comes in one piece; `working` as in `stream`.

        Raises:
            AduanaError: the target is held by the breaker, can't be asked, or does not answer well and in time.
        """
        with self._admitted(endpoint):
            limit = WaitLimit()
            reply = await self._send(post, deadline, limit, working)
            chunks = await self.collect(reply, deadline=deadline, limit=limit)

            def unpacked() -> T:
                return read(collected(reply.shape, chunks))

            return unpacked() if sum(map(len, chunks)) < _INLINE_BYTES else await asyncio.to_thread(unpacked)

    async def collect(self, reply: Reply, *, deadline: float, limit: WaitLimit | None = None) -> list[bytes]:
        """Return the raw body of `reply` and close it.

        Stops soon after the limit of size: what is too large is refused when it is unpacked.
        """
        chunks: list[bytes] = []
        size = 0
        limit = limit or WaitLimit()
        try:
            while size <= reply.shape.most_bytes and (chunk := await self._next(reply, deadline, limit)):
                chunks.append(chunk)
                size += len(chunk)
        finally:
            limit.close()
            await reply.close()
        return chunks

    def _admitted(self, endpoint: Endpoint) -> "_Admitted":
        """Return the context of one exchange, which the circuit breaker lets through and hears the end of."""
        return _Admitted(self._breaker, self._target, endpoint, self._clock)

    async def _send(
        self, post: Post, deadline: float, limit: WaitLimit, working: Callable[[], bool] | None = None
    ) -> Reply:
        """Open the answer; after a passing fault try again, within the retry budget and the deadline.

        Whoever gets the answer closes `limit`; without one it is closed here.

        Raises:
            AduanaError: what `post` raised at the last try.
            TargetTimeout: the answer did not begin in `header_seconds`, or before the deadline; or the server is silent
                and no longer there.
        """
        try:
            try:
                return await self._once(post, deadline, limit, working)
            except AduanaError as error:
                if self._settings.retries == 0 or not is_passing(error):
                    raise
                failed = error
            return await self._again(failed, post, deadline, limit, working)
        except BaseException:
            limit.close()
            raise

    async def _once(self, post: Post, deadline: float, limit: WaitLimit, working: Callable[[], bool] | None) -> Reply:
        until = min(deadline, asyncio.get_running_loop().time() + self._settings.header_seconds)
        try:
            with self._attended(limit, until, working):
                return await post()
        except TimeoutError as error:
            raise self._late(error, "did not begin its answer in time") from None

    async def _again(
        self,
        failed: AduanaError,
        post: Post,
        deadline: float,
        limit: WaitLimit,
        working: Callable[[], bool] | None,
    ) -> Reply:
        """Try again what has failed once. Only now: building this costs more than most requests' share of the file."""
        first: AduanaError | None = failed

        async def again() -> Reply:
            nonlocal first
            if first is not None:
                failed, first = first, None
                raise failed
            return await self._once(post, deadline, limit, working)

        retrying = AsyncRetrying(
            retry=retry_if_exception(is_passing),
            stop=stop_any(
                stop_after_attempt(1 + self._settings.retries),
                stop_before_delay(max(0.0, deadline - asyncio.get_running_loop().time())),
            ),
            wait=wait_random_exponential(multiplier=self._settings.retry_pause, max=_LONGEST_PAUSE),
            reraise=True,
        )
        return await retrying(again)

    async def _pour(self, reply: Reply, pouring: Pouring, limit: WaitLimit) -> bool:
        """Hand over what comes, as `Reply.pour` does.

        Raises:
            TargetTimeout: nothing came for `idle_seconds`, or until the deadline.
        """
        try:
            with limit.until(pouring.latest()):
                return await reply.pour(pouring.take)
        except TimeoutError as error:
            raise self._late(error, _STOPPED) from None

    async def _last(self, reply: Reply, deadline: float, limit: WaitLimit) -> bytes:
        """Return the next bytes of an answer to which only its usage is missing; empty at the end.

        It ends well, even if its connection breaks or falls silent.
        """
        try:
            return reply.come() or await self._next(reply, deadline, limit, most=_LAST_SECONDS)
        except (TargetTimeout, TargetCutOff):
            return b""

    async def _next(
        self,
        reply: Reply,
        deadline: float,
        limit: WaitLimit,
        most: float = inf,
        *,
        since: float = 0.0,
        working: Callable[[], bool] | None = None,
    ) -> bytes:
        """Return the next bytes of `reply`; empty at the end. Until `since` (the loop's clock) silence is no fault.

        Raises:
            TargetTimeout: nothing came for `idle_seconds` or `most` seconds, or until the deadline; or, where `working`
                can tell, the server is silent and no longer there.
        """
        idle = asyncio.get_running_loop().time() + min(self._settings.idle_seconds, most)
        try:
            with self._attended(limit, min(deadline, max(idle, since)), working):
                return await reply.read()
        except TimeoutError as error:
            raise self._late(error, _STOPPED) from None

    def _attended(self, limit: WaitLimit, until: float, working: Callable[[], bool] | None) -> WaitLimit:
        """Return the context of one wait; with `working`, the server is looked at while it is silent."""
        # No task of its own: what has arrived must be read before a broken connection is noticed.
        return limit.until(until) if working is None else limit.while_there(working, self._settings.idle_seconds, until)

    def _late(self, error: TimeoutError, what: str) -> TargetTimeout:
        if isinstance(error, WaitExpired) and error.silent:
            what = "fell silent, and does not answer any more"
        return TargetTimeout(f"The target {self._target!r} {what}.")


class _Admitted:
    """Context of one exchange: it asks the breaker for leave, and tells it afterwards how the exchange ended."""

    __slots__ = ("_answered", "_breaker", "_clock", "_endpoint", "_target")

    def __init__(self, breaker: TargetBreaker, target: str, endpoint: Endpoint, clock: Callable[[], float]) -> None:
        self._breaker = breaker
        self._target = target
        self._endpoint = endpoint
        self._clock = clock
        self._answered = False

    def answering(self) -> None:
        """Tell the breaker that the target has begun to answer."""
        self._answered = True
        self._breaker.answering(self._endpoint, self._clock())

    def __enter__(self) -> "_Admitted":
        """Ask for leave.

        Raises:
            TargetUnavailable: the target is held, or another request is trying it just now.
        """
        self._breaker.admit(self._target, self._endpoint, self._clock())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AduanaError):
            self._breaker.record(self._endpoint, error, self._clock())
        elif error is None or self._answered:
            self._breaker.record(self._endpoint, None, self._clock())
        else:  # cancelled, or the client went away
            self._breaker.release(self._endpoint)


def _alone(delta: Delta) -> deque[Delta]:
    return deque((delta,))


async def _drain(reply: Reply, limit: WaitLimit) -> None:
    """Read the few bytes behind the end, so that the connection can serve again."""
    try:
        with limit.until(asyncio.get_running_loop().time() + _DRAIN_SECONDS):
            for _ in range(_DRAIN_CHUNKS):
                if not await reply.read():
                    return
    except (TimeoutError, AduanaError):
        return  # the answer is complete; only the connection is lost

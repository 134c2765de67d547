"""One exchange with another server keeps to its retries and limits, and tells the circuit breaker how it ended."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from math import inf

import msgspec
import pytest

from gateway.core.delta import Delta, Finish, Text, UsageReport
from gateway.core.document import JsonObject
from gateway.core.errors import (
    AduanaError,
    TargetBusy,
    TargetCutOff,
    TargetError,
    TargetMisconfigured,
    TargetProtocolError,
    TargetRejected,
    TargetTimeout,
    TargetUnavailable,
)
from gateway.upstream.answer_reader import AnswerReader
from gateway.upstream.body import BodyShape
from gateway.upstream.circuit_breaker import CircuitBreakerSettings
from gateway.upstream.errors import disconnected, unreachable
from gateway.upstream.exchange import Exchange, ExchangeSettings
from gateway.upstream.fast_path import FastPath

SETTINGS = ExchangeSettings(
    retries=2, retry_pause=0.0, breaker=CircuitBreakerSettings(failures=1, first_hold=10.0, longest_hold=10.0)
)
DOCUMENT: JsonObject = {"messages": ()}
HELLO = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
HELLO_AND_STOP = b'data: {"choices":[{"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
OVERLOADED = TargetUnavailable("x", code="target_overloaded")


class FakeReply:
    """Answer that gives its chunks, or raises the errors among them; then it is silent or at its end."""

    def __init__(self, *chunks: bytes | AduanaError, silent: bool = False, most_bytes: int = 1 << 20) -> None:
        self.shape = BodyShape(content_type="text/event-stream", content_encoding="", most_bytes=most_bytes)
        self.left = list(chunks)
        self.closed = 0
        self._silent = silent

    async def read(self) -> bytes:
        if not self.left:
            return await asyncio.Future() if self._silent else b""
        chunk = self.left.pop(0)
        if isinstance(chunk, AduanaError):
            raise chunk
        return chunk

    def come(self) -> bytes:
        return self.left.pop(0) if self.left and isinstance(self.left[0], bytes) else b""

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        while self.left and isinstance(self.left[0], bytes):
            if not take(self.left.pop(0)):
                return True
        if not self.left and self._silent:
            await asyncio.Future()
        return False

    @property
    def ended(self) -> bool:
        return False

    async def close(self) -> None:
        self.closed += 1


class Server:
    """Server that gives one outcome after the other to whoever posts; for None it never answers."""

    def __init__(self, *outcomes: FakeReply | AduanaError | None) -> None:
        self._outcomes = list(outcomes)
        self.posts = 0
        self.asked = asyncio.Event()

    async def post(self) -> FakeReply:
        self.posts += 1
        self.asked.set()
        outcome = self._outcomes.pop(0)
        if outcome is None:
            return await asyncio.Future()
        if isinstance(outcome, AduanaError):
            raise outcome
        return outcome


class Clock:
    """Monotonic seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def exchange(settings: ExchangeSettings = SETTINGS, clock: Callable[[], float] | None = None) -> Exchange:
    return Exchange("big", settings, clock=clock or Clock())


def soon() -> float:
    return asyncio.get_running_loop().time() + 60


async def streamed(exchange: Exchange, server: Server, deadline: float | None = None) -> list[Delta]:
    stream = exchange.stream(server.post, AnswerReader("t", DOCUMENT), deadline=deadline or soon())
    return [delta async for delta in stream]


def good() -> FakeReply:
    return FakeReply(HELLO, STOP, DONE)


async def test_an_answer_is_read_to_its_end_and_closed() -> None:
    """An answer is read beyond its last delta to the end of its bytes, so that the connection can serve again."""
    reply = FakeReply(HELLO, STOP, DONE, b": tail\n\n", DONE)
    deltas = await streamed(exchange(), Server(reply))
    assert deltas[0] == Text(text="hello")
    assert reply.left == []
    assert reply.closed == 1


@pytest.mark.parametrize(
    ("error", "posts"),
    [
        (OVERLOADED, 3),
        (disconnected("big"), 3),
        (TargetUnavailable("x", code="target_overloaded", retry_after=1.0), 1),
        (unreachable("big"), 1),
        (TargetBusy("x"), 1),
        (TargetMisconfigured("x"), 1),
        (TargetRejected("x"), 1),
    ],
    ids=["overloaded", "disconnected", "names-a-time", "unreachable", "busy", "misconfigured", "rejected"],
)
async def test_only_passing_faults_are_tried_again(error: AduanaError, posts: int) -> None:
    """A request is sent once and, after a fault that may pass at once, two more times, not more."""
    server = Server(error, error, error, good())
    with pytest.raises(type(error)):
        await streamed(exchange(), server)
    assert server.posts == posts


async def test_the_answer_to_a_second_try_is_the_answer() -> None:
    """A client does not notice a fault that passed before the answer began."""
    server = Server(OVERLOADED, good())
    tried = exchange()
    assert Text(text="hello") in await streamed(tried, server)
    assert tried.open_until() is None


async def test_nothing_is_tried_again_behind_the_deadline() -> None:
    """However many retries are left, a pause that would end behind the deadline is not begun."""
    slow = exchange(msgspec.structs.replace(SETTINGS, retry_pause=4.0, retries=9))
    server = Server(OVERLOADED, good())
    with pytest.raises(TargetUnavailable):
        await streamed(slow, server, deadline=asyncio.get_running_loop().time())
    assert server.posts == 1


async def test_an_answer_that_begins_is_not_started_again() -> None:
    """An answer that breaks off after its first delta is not tried again: the client already has its beginning."""
    reply = FakeReply(HELLO, OVERLOADED)
    server = Server(reply, good())
    with pytest.raises(TargetUnavailable):
        await streamed(exchange(), server)
    assert server.posts == 1
    assert reply.closed == 1


@pytest.mark.parametrize(
    ("outcome", "limit", "message"),
    [
        (None, {"header_seconds": 0.01}, "did not begin"),
        (None, {}, "did not begin"),
        (FakeReply(HELLO, silent=True), {"idle_seconds": 0.01}, "in the middle"),
        (FakeReply(HELLO, silent=True), {}, "in the middle"),
    ],
    ids=["no-header", "no-header-until-the-deadline", "silence", "silence-until-the-deadline"],
)
async def test_silence_is_a_time_out(outcome: FakeReply | None, limit: dict[str, float], message: str) -> None:
    """Silence before or inside an answer is a time-out, by the target's limits and by the request's deadline."""
    limited = exchange(msgspec.structs.replace(SETTINGS, **limit))
    deadline = soon() if limit else asyncio.get_running_loop().time() + 0.01
    with pytest.raises(TargetTimeout, match=message):
        await streamed(limited, Server(outcome), deadline)
    assert outcome is None or outcome.closed == 1


class EndlessReply(FakeReply):
    """Answer whose next piece has always come already. `poured`: but for the first one, only who pours gets it."""

    def __init__(self, *, poured: bool) -> None:
        super().__init__(most_bytes=1 << 40)  # its size never ends it
        self._poured = poured
        self._pieces = 0

    def _piece(self) -> bytes:
        self._pieces += 1
        assert self._pieces < 1_000_000, "it was never cut off"
        return HELLO

    def come(self) -> bytes:
        return b"" if self._poured and self._pieces else self._piece()

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        for _ in range(1_000_000):
            if not take(self._piece()):
                break
            await asyncio.sleep(0)
        return True


@pytest.mark.parametrize("poured", [False, True], ids=["read", "poured"])
async def test_an_answer_that_is_never_waited_for_ends_at_the_deadline(poured: bool) -> None:
    """A server that always has more to say is cut off at the request's deadline like one that says nothing."""
    reply, path = EndlessReply(poured=poured), FastPath()
    deadline = asyncio.get_running_loop().time() + 0.05
    stream = exchange().stream(Server(reply).post, AnswerReader("t", DOCUMENT), deadline=deadline, fast=path)
    with pytest.raises(TargetTimeout):
        async for delta in stream:
            assert delta == Text(text="hello")
            if poured:
                path.take = lambda _: True
    assert reply.closed == 1


async def test_a_held_target_is_not_asked() -> None:
    """A target that failed is not asked until its hold is over."""
    clock = Clock()
    held = exchange(clock=clock)
    with pytest.raises(TargetError):
        await streamed(held, Server(unreachable("big")))
    assert held.open_until() == 10.0
    server = Server(good())
    with pytest.raises(TargetUnavailable, match="held"):
        await streamed(held, server)
    assert server.posts == 0
    clock.now = 10.0
    assert await streamed(held, server)
    assert held.open_until() is None


async def test_a_request_given_up_before_the_answer_says_nothing() -> None:
    """A request that is cancelled before its answer lets the next one try the target after a hold."""
    clock = Clock()
    tried = exchange(clock=clock)
    with pytest.raises(TargetError):
        await streamed(tried, Server(unreachable("big")))
    clock.now = 10.0
    silent = Server(None)
    asking = asyncio.ensure_future(streamed(tried, silent))
    await silent.asked.wait()
    asking.cancel()
    await asyncio.wait({asking})
    assert await streamed(tried, Server(good()))


async def test_a_client_that_leaves_in_the_middle_ends_the_answer() -> None:
    """A client that leaves closes the reply at once, and the target, which was answering, is not held."""
    reply = FakeReply(HELLO, silent=True)
    left = exchange()
    async with aclosing(left.stream(Server(reply).post, AnswerReader("t", DOCUMENT), deadline=soon())) as stream:
        assert await anext(stream) == Text(text="hello")
    assert reply.closed == 1
    assert left.open_until() is None


async def test_others_need_not_wait_for_the_end_of_the_trying_answer() -> None:
    """After a hold, the first delta of one answer lets all other requests in."""
    clock = Clock()
    tried = exchange(clock=clock)
    with pytest.raises(TargetError):
        await streamed(tried, Server(unreachable("big")))
    clock.now = 10.0
    stream = tried.stream(Server(FakeReply(HELLO, silent=True)).post, AnswerReader("t", DOCUMENT), deadline=soon())
    async with aclosing(stream):
        await anext(stream)
        assert await streamed(tried, Server(good()))


@pytest.mark.parametrize("last", [TargetCutOff("x"), TargetTimeout("x"), None], ids=["cut", "late", "silent"])
async def test_an_answer_that_lacks_only_its_usage_ends_well(
    last: AduanaError | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that breaks or falls silent behind the finish reason takes nothing from the answer."""
    monkeypatch.setattr("gateway.upstream.exchange._LAST_SECONDS", 0.01)
    reply = FakeReply(HELLO, STOP, *([last] if last else []), silent=last is None)
    tried = exchange()
    *_, finish, report = await streamed(tried, Server(reply))
    assert isinstance(finish, Finish)
    assert isinstance(report, UsageReport)
    assert tried.open_until() is None


@pytest.mark.parametrize("first", [(HELLO,), (STOP,), (HELLO_AND_STOP,), (STOP, HELLO)])
async def test_a_break_before_that_is_an_error(first: tuple[bytes, ...]) -> None:
    """Without a finish reason of its own behind the text, a connection that breaks is a broken answer."""
    with pytest.raises(TargetCutOff):
        await streamed(exchange(), Server(FakeReply(*first, TargetCutOff("x"))))


@pytest.mark.parametrize(
    "chunks",
    [
        (b"data: {nope\n\n",),
        (HELLO, DONE),
        (HELLO,),
        (HELLO, b'data: {"error":{"message":"no"}}\n\n'),
        (b'data: {"choices":[{"delta":{},"finish_reason":"error"}]}\n\n',),
        (b"data: " + b"x" * (2 << 20),),
    ],
    ids=["no JSON", "no reason", "no end", "an error inside", "broken off", "too long"],
)
async def test_an_odd_answer_does_not_close_the_target_for_others(chunks: tuple[bytes, ...]) -> None:
    """However often one request's answer is broken, other requests are let through."""
    tried = exchange()
    for _ in range(10):
        with pytest.raises(TargetProtocolError):
            await streamed(tried, Server(FakeReply(*chunks, most_bytes=10**8)))
    assert tried.open_until() is None
    assert await streamed(tried, Server(good()))


async def test_what_is_left_of_a_hold_is_told() -> None:
    """A held target says in how many seconds it may be asked again."""
    clock = Clock()
    held = exchange(clock=clock)
    with pytest.raises(TargetBusy):
        await streamed(held, Server(TargetBusy("x", retry_after=30.0)))
    clock.now = 12.0
    assert held.retry_in() == 18.0
    with pytest.raises(TargetUnavailable) as caught:
        await streamed(held, Server(good()))
    assert caught.value.retry_after == 18.0
    clock.now = 30.0
    assert held.retry_in() is None


async def test_an_answer_in_one_piece_is_read_and_closed() -> None:
    """An answer in one piece is given to its reader as a whole, whatever pieces it came in."""
    reply = FakeReply(b"ab", b"c")
    assert await exchange().whole(Server(reply).post, bytes.decode, deadline=soon()) == "abc"
    assert reply.closed == 1


@pytest.mark.parametrize("size", [9, 1 << 19])
async def test_a_body_larger_than_its_limit_is_refused(size: int) -> None:
    """A body that is too large is refused, and not read further than that."""
    reply = FakeReply(b"x" * size, b"never read", most_bytes=8)
    with pytest.raises(TargetProtocolError, match="larger than"):
        await exchange().whole(Server(reply).post, bytes.decode, deadline=soon())
    assert reply.left == [b"never read"]
    assert reply.closed == 1


async def test_credentials_that_are_refused_are_told() -> None:
    """A target that refuses the gateway's credentials counts as misconfigured until it answers well again."""
    clock = Clock()
    refused = exchange(clock=clock)
    with pytest.raises(TargetMisconfigured):
        await refused.whole(Server(TargetMisconfigured("x")).post, bytes.decode, deadline=soon())
    assert "key" in refused.problem
    clock.now = 30.0
    await refused.whole(Server(FakeReply(b"{}")).post, bytes.decode, deadline=soon())
    assert not refused.problem


class Slow:
    """Answer whose first bytes come when somebody has looked `looks` times whether the server is there."""

    shape = good().shape

    def __init__(self, looks: int) -> None:
        self._looks = looks
        self._reply = good()
        self._there = asyncio.Event()

    def working(self) -> bool:
        """Count a look; after the last one the server answers."""
        self._looks -= 1
        if self._looks <= 0:
            self._there.set()
        return True

    async def read(self) -> bytes:
        await self._there.wait()
        return await self._reply.read()

    def come(self) -> bytes:
        return self._reply.come() if self._there.is_set() else b""

    @property
    def ended(self) -> bool:
        return False

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        return await self._reply.pour(take)

    async def close(self) -> None:
        await self._reply.close()


async def test_a_server_that_reads_a_long_prompt_is_not_silent() -> None:
    """A server that is there may be silent for longer than any pause before it answers: it reads the prompt."""
    slow = Slow(3)
    one = exchange(msgspec.structs.replace(SETTINGS, idle_seconds=0.001, header_seconds=inf))

    async def post() -> Slow:
        return slow

    stream = one.stream(post, AnswerReader("t", DOCUMENT), deadline=soon(), working=slow.working)
    assert Text(text="hello") in [delta async for delta in stream]


async def test_a_server_that_is_gone_is_not_waited_for() -> None:
    """A server that no longer answers anybody ends the wait, so that another target can be tried."""
    one = exchange(msgspec.structs.replace(SETTINGS, idle_seconds=0.001, header_seconds=inf))
    stream = one.stream(Server(None).post, AnswerReader("t", DOCUMENT), deadline=soon(), working=lambda: False)
    with pytest.raises(TargetTimeout, match="does not answer any more"):
        await anext(stream)

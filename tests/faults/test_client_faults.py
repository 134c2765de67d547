"""Rows 25 to 37: a client that is slow, gone, greedy or hostile. Nothing is lost, nothing leaks, others are served."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from gateway.server import listener
from tests.faults.fault_server import DONE, FINISH, GOOD, STREAM, USAGE, Exchange, streamed, text, usage
from tests.faults.house import CLIENT_KEY, PROMPT, House, chat, get, opened, request

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def house(tmp_path: Path, capfd: Capture) -> Any:
    """Opens a gateway whose upstreams answer well, unless told otherwise."""

    def make(**given: Any) -> Any:
        return opened(tmp_path, capfd, **({"big": GOOD, "den": GOOD} | given))

    return make


def keyed(tmp_path: Path) -> dict[str, Any]:
    """A configuration with one API key."""
    file = tmp_path / "client-key"
    file.write_text(CLIENT_KEY)
    return {"ana": {"secret": f"file:{file}"}}


async def test_25_header_drip(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that never finishes its request's head is disconnected."""
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.3)
    async with house() as one, asyncio.timeout(60):
        reader, writer = await one.connect()

        async def drip() -> None:
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            while True:
                writer.write(b"a")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        with contextlib.suppress(ConnectionError):
            assert await reader.read(-1) == b""
        dripping.cancel()
        writer.close()
        assert (await one.ask()).status == 200
        await one.settled(1)


async def test_26_partial_body(house: Any) -> None:
    """A client whose body does not come gets 408, and its connection ends."""
    async with house(server={"body_seconds": 0.3}) as one:
        reply = await one.send(request(chat())[:-10])
        assert (reply.status, reply.error["code"]) == (408, "request_timeout")
        assert not one.den.posts


async def test_27_huge_content_length(house: Any) -> None:
    """A body that says it is too large is refused at once, before a byte of it is read."""
    async with house() as one:
        reply = await one.send(request(b"{", Content_Length=str(10**12)))
        assert (reply.status, reply.error["code"]) == (413, "request_too_large")


async def test_27_a_body_that_grows_beyond_the_limit(house: Any) -> None:
    """A chunked body, whose length nobody knew before, is refused once it passes the limit."""
    async with house(server={"max_body_bytes": 2000}) as one:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        reply = await one.send(head, b"1000\r\n" + b"x" * 4096 + b"\r\n")
        assert (reply.status, reply.error["code"]) == (413, "request_too_large")


async def test_28_a_reader_that_does_not_read(house: Any) -> None:
    """A client that stops reading loses its answer after the write limit, upstream too; memory stays bounded."""
    gone = asyncio.Event()

    async def flood(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        try:
            while True:
                await exchange.chunk(text("x" * 10_000))
        finally:
            gone.set()

    async with house(den=flood, server={"write_seconds": 0.5}) as one, asyncio.timeout(60):
        _, writer = await one.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request(chat(stream=True)))
        await gone.wait()
        assert await one.settled(1) == [("cancelled", "den", None)]
        writer.close()


class Held:
    """Good answers that wait until the test says so."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self._count = 0
        self._came = asyncio.Condition()

    async def __call__(self, exchange: Exchange) -> None:
        async with self._came:
            self._count += 1
            self._came.notify_all()
        await self.go_on.wait()
        await GOOD(exchange)

    async def arrived(self, count: int) -> None:
        """Return when so many requests are there."""
        async with self._came:
            await self._came.wait_for(lambda: self._count >= count)


LONG = 8_000_000  # characters: more than all buffers between the two ends
HUGE = streamed(*[text("x" * 500_000)] * (LONG // 500_000), FINISH, usage(USAGE), DONE)


@pytest.mark.parametrize("stream", [False, True])
async def test_28_a_reader_of_huge_pieces_is_cut_off_too(house: Any, stream: bool) -> None:
    """Whatever the size of what is written, and streamed or not: who takes nothing of it loses the connection."""
    async with house(den=HUGE, server={"write_seconds": 0.5}) as one, asyncio.timeout(60):
        reader, writer = await one.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request(chat(stream=stream)))
        settled = await one.settled(1)
        assert settled == [("cancelled" if stream else "ok", "den", None)]
        await until_closed(one)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            assert len(await reader.read(-1)) < LONG
        writer.close()


async def test_28_a_slow_reader_that_goes_on_reading_gets_everything(house: Any) -> None:
    """The limit is on taking nothing, not on taking long."""
    async with house(den=HUGE, server={"write_seconds": 0.4}) as one, asyncio.timeout(60):
        reader, writer = await one.connect()
        writer.write(request(chat(stream=True)))
        taken, begun = 0, asyncio.get_running_loop().time()
        while piece := await reader.read(400_000):
            taken += len(piece)
            await asyncio.sleep(0.1)
        assert asyncio.get_running_loop().time() - begun > 2 * 0.4
        assert taken > LONG
        assert await one.settled(1) == [("ok", "den", None)]
        writer.close()


async def until_closed(one: House) -> None:
    """Until the gateway has no connection but the one that asks for it."""
    async with asyncio.timeout(60):
        while open_connections(one.port) > 0:  # noqa: ASYNC110 - the listener has no event
            await asyncio.sleep(0.01)


def open_connections(port: int) -> int:
    """Count the connections that the gateway's end holds, as Linux lists them (proc(5), /proc/net/tcp)."""
    lines = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for line in lines if line[1].endswith(f":{port:04X}") and line[3] == "01")


async def hold_before_answer(exchange: Exchange) -> None:
    await exchange.until_gone()


async def hold_inside_answer(exchange: Exchange) -> None:
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello there"))
    await exchange.until_gone()


@pytest.mark.parametrize("script", [hold_before_answer, hold_inside_answer])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("tags", ["public", "health"])
async def test_29_a_client_that_goes_away(house: Any, script: Any, stream: bool, tags: str) -> None:
    """A client that goes away at any time frees the upstream at once, and its request is settled as cancelled."""
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def watched(exchange: Exchange) -> None:
        arrived.set()
        try:
            await script(exchange)
        finally:
            gone.set()

    async with house(big=watched, den=watched) as one, asyncio.timeout(60):
        reader, writer = await one.connect()
        writer.write(request(chat(stream=stream), x_aduana_tags=tags))
        await arrived.wait()
        if stream and script is hold_inside_answer:
            assert b"Hello there" in await reader.readuntil(b"Hello there")
        writer.close()
        await gone.wait()
        target = "big" if tags == "public" else "den"
        assert [(outcome, error) for outcome, _, error in await one.settled(1)] == [("cancelled", None)]
        assert one.settlements()[0][1] in (target, None)
        assert len(one.big.posts) == (1 if tags == "public" else 0)


@pytest.mark.parametrize("tags", ["public", "health"])
async def test_29_a_client_that_goes_away_behind_the_end_has_its_answer(house: Any, tags: str) -> None:
    """curl and the SDKs hang up when they have read `[DONE]`: such answers are booked `ok`, the sensitive ones too."""
    async with house() as one:
        for _ in range(8):
            reader, writer = await one.connect()
            writer.write(request(chat(stream=True), x_aduana_tags=tags, Connection="keep-alive"))
            await reader.readuntil(b"data: [DONE]\n\n")
            writer.transport.abort()
        assert {outcome for outcome, _, _ in await one.settled(8)} == {"ok"}


async def test_30_two_credentials(house: Any, tmp_path: Path) -> None:
    """A header that stands twice is refused; of two different credentials the known one counts, if there is one."""
    async with house(keys=keyed(tmp_path)) as one:
        twice = request(chat(), Authorization=f"Bearer {CLIENT_KEY}").replace(
            b"Connection: close", b"Connection: close\r\nAuthorization: Bearer other"
        )
        assert (await one.send(twice)).status == 400
        assert (await one.ask(Authorization="Bearer wrong", x_api_key="other")).status == 401
        assert (await one.ask()).status == 401
        assert (await one.ask(Authorization="Bearer wrong")).status == 401
        assert not one.den.posts
        assert (await one.ask(Authorization=f"Bearer {CLIENT_KEY}", x_api_key=CLIENT_KEY)).status == 200
        assert (await one.ask(Authorization="Bearer other", x_api_key=CLIENT_KEY)).status == 200
        await one.settled(2)


HOST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SMUGGLED = {
    "TE and CL": HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two CL": HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "bare LF": b"POST /v1/chat/completions HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 2\n\n{}",
    "bad chunk": HOST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    "negative CL": HOST + b"Content-Length: -1\r\n\r\n",
    "space before the colon": HOST + b"Content-Length : 2\r\n\r\n{}",
    "folded header": HOST + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}",
    "NUL in a header": HOST + b"X-A: b\0c\r\nContent-Length: 2\r\n\r\n{}",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
async def test_31_ambiguous_http(house: Any, name: str) -> None:
    """HTTP that two servers could read in two ways is refused and goes no further."""
    async with house() as one:
        reply = await one.send(SMUGGLED[name])
        assert reply.status == 400
        assert not one.den.posts
        assert not one.settlements()


async def test_32_nothing_breaks_out_of_a_header(house: Any) -> None:
    """Whatever a client sends in tags or names, no header of the answer has a line break, and none is added."""
    async with house() as one:
        for tags in ("public%0d%0aset-cookie:a=b", "ñ", "a b", "x" * 500):
            reply = await one.ask(x_aduana_tags=tags)
            assert (reply.status, reply.error["code"]) == (400, "invalid_tags")
            assert "set-cookie" not in reply.headers
        reply = await one.ask(chat(model="auto\\r\\nset-cookie: a=b"))
        assert "set-cookie" not in reply.headers
        reply = await one.ask(x_request_id="mine\tx")
        assert reply.headers["x-request-id"].startswith("req_")
        await one.settled(2)


BODIES = {
    "10,000 deep": b'{"model":"auto","messages":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "5,000 digits": b'{"model":"auto","seed":' + b"9" * 5000 + b"}",
    "NaN": b'{"model":"auto","temperature":NaN}',
    "lone surrogate": b'{"model":"auto","messages":[{"role":"user","content":"\\ud800"}]}',
    "NUL": b'{"model":"auto","messages":[{"role":"user","content":"a\\u0000b"}]}',
    "duplicate key": b'{"model":"auto","messages":[{"role":"user","content":"a","content":"b"}]}',
    "duplicate key at the top": b'{"model":"auto","model":"auto","messages":[{"role":"user","content":"a"}]}',
    "empty": b"",
    "not an object": b"[1]",
    "invalid UTF-8": b'{"model":"\xff"}',
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"])
async def test_33_34_bodies_that_can_be_read_in_two_ways(house: Any, path: str) -> None:
    """A body that could be read in two ways gets 400 with all four keys, never 500, and nothing is dialled."""
    async with house() as one:
        for name, body in BODIES.items():
            reply = await one.ask(body, path=path)
            assert (name, reply.status, reply.error["code"]) == (name, 400, "invalid_json")
            assert reply.headers["x-request-id"].startswith("req_")
        assert not one.den.posts
        assert not one.big.posts
        assert not one.settlements()


async def test_35_idle_connections_go_first(house: Any) -> None:
    """Any number that do nothing can't keep a request out: the longest idle one is closed for it."""
    async with house(server={"max_connections": 20}) as one:
        idle = [await one.connect() for _ in range(30)]
        assert (await one.ask()).status == 200
        assert await idle[0][0].read() == b""
        for _, writer in idle:
            writer.close()
        await one.settled(1)


async def test_35_beyond_the_limit_there_is_a_clear_answer(house: Any) -> None:
    """Where all connections are at work, one more gets 503, which it can read although its request was not."""
    den = Held()
    async with house(den=den, server={"max_connections": 3}) as one, asyncio.timeout(60):
        asking = [asyncio.create_task(one.ask()) for _ in range(3)]
        await den.arrived(3)
        refused = await asyncio.gather(*(one.ask() for _ in range(5)))
        assert {(reply.status, reply.error["code"]) for reply in refused} == {(503, "busy")}
        den.go_on.set()
        assert [(await reply).status for reply in asking] == [200] * 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
    ],
)
async def test_36_host_and_origin(house: Any, headers: dict[str, str]) -> None:
    """DNS rebinding and other people's web pages get 403, without a word that the browser's script could read."""
    async with house() as one:
        reply = await one.ask(**headers)
        assert reply.status == 403
        assert "access-control-allow-origin" not in reply.headers
        assert not one.den.posts


@pytest.mark.parametrize("field", ["api_base", "base_url", "api_key", "extra_headers", "extra_body", "proxy"])
async def test_37_overrides_in_the_body(house: Any, field: str) -> None:
    """A body that names an address or a key gets 400, and nothing is dialled: neither that address nor a target."""
    async with house() as one:
        address = f"http://127.0.0.1:{one.big.port}/v1"
        reply = await one.ask(chat(**{field: address}), x_aduana_tags="health")
        assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "routing_override", field)
        assert not one.big.connections
        assert not one.den.posts


async def test_a_good_request_for_comparison(house: Any) -> None:
    """An ordinary public request goes out, every other one stays at home, and both are settled."""
    async with house() as one:
        public = await one.ask(x_aduana_tags="public")
        private = await one.ask(x_aduana_tags="health")
        assert (public.status, public.headers["x-aduana-target"]) == (200, "big")
        assert (private.status, private.headers["x-aduana-target"]) == (200, "den")
        assert PROMPT.encode() in one.big.posts[0].body
        assert await one.settled(2) == [("ok", "big", None), ("ok", "den", None)]


BOT_KEY = "bot-key-0123456789abcdef"


async def test_a_flood_of_one_key_costs_others_one_turn(house: Any, tmp_path: Path) -> None:
    """At a local server of one slot: beyond its share the flood is refused at once, and a light key comes next."""
    den = Held()
    (tmp_path / "bot-key").write_text(BOT_KEY)
    keys = keyed(tmp_path) | {"bot": {"secret": f"file:{tmp_path / 'bot-key'}"}}
    async with house(den=den, keys=keys, waiting={"slots": 1, "queue": 12}) as one, asyncio.timeout(60):
        flood = [asyncio.create_task(one.ask(x_api_key=BOT_KEY)) for _ in range(40)]
        ending = asyncio.as_completed(flood)
        refused = [await next(ending) for _ in range(31)]
        assert {(reply.status, reply.error["code"]) for reply in refused} == {(429, "target_busy")}
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
        light = asyncio.create_task(one.ask(x_api_key=CLIENT_KEY))
        while b'aduana_queue_depth{target="den"} 9' not in (await get(one, "/metrics")).body:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        den.go_on.set()
        assert (await light).status == 200
        assert sum(not task.done() for task in flood) >= 5
        assert [(await reply).status for reply in flood].count(200) == 9
        retry = await one.ask(x_api_key=BOT_KEY)
        assert (retry.status, retry.headers["x-aduana-target"]) == (200, "den")
        assert retry.headers["x-request-id"] not in {reply.headers["x-request-id"] for reply in refused}
        assert len(await one.settled(42)) == 42

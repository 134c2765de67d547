"""What clients get at a socket: heads, bodies and connections, whatever answers."""

import asyncio
import contextlib
import gc
import json
import weakref
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.core.errors import NotFound
from gateway.server.answers import json_answer
from gateway.server.application import Application
from gateway.server.streaming import EVENTS, EventStream
from gateway.server.whole_answer import WholeAnswer
from tests.server.test_listener import listener_of

HEAD = "{method} {path} HTTP/1.{minor}\r\nHost: localhost\r\n{more}\r\n"
LARGE = b'"' + b"x" * 300_000 + b'"'


class Content:
    """What a test can see being let go."""


class Served:
    """An application of a few addresses, at a socket."""

    def __init__(self) -> None:
        self.requests: list[weakref.ref[Content]] = []
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.broken_off = asyncio.Event()
        self.application = Application(dress=self.dress)
        for method, path, handler in (
            ("POST", "/echo", self.echo),
            ("GET", "/large", self.large),
            ("GET", "/named/{id}", self.named),
            ("POST", "/unread", self.unread),
            ("GET", "/broken", self.broken),
            ("GET", "/held", self.held),
            ("POST", "/size", self.size),
            ("GET", "/events", self.events),
            ("GET", "/lines", self.lines),
        ):
            self.application.serve(method, path, handler)

    def dress(self, http: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["Server"] = "test"

    async def echo(self, http: web.Request) -> web.StreamResponse:
        content = Content()
        self.requests.append(weakref.ref(content))
        http[web.RequestKey("content", Content)] = content
        return json_answer(await http.read(), {"x-here": "yes"})

    async def large(self, _: web.Request) -> web.StreamResponse:
        return WholeAnswer(LARGE)

    async def named(self, http: web.Request) -> web.StreamResponse:
        return json_answer(json.dumps(http.match_info["id"]).encode(), {})

    async def unread(self, _: web.Request) -> web.StreamResponse:
        raise NotFound("Not here.")

    async def broken(self, _: web.Request) -> web.StreamResponse:
        return json_answer(b"{}", {"x-here": "a\r\nx-there: b"})

    async def size(self, http: web.Request) -> web.StreamResponse:
        size = 0
        async for piece in http.content.iter_any():
            size += len(piece)
            await asyncio.sleep(0)
        return json_answer(b"%d" % size, {})

    async def events(self, http: web.Request) -> web.StreamResponse:
        events = EventStream(http, content_type=EVENTS)
        await events.open({})
        await events.send(b"data: 1\n\n")
        await events.close()
        return events.response

    async def lines(self, http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(http)
        await response.write(b"first\n")
        await self.broken_off.wait()
        raise NotFound("The second is not there.")

    async def held(self, _: web.Request) -> web.StreamResponse:
        self.begun.set()
        try:
            return await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


class Client:
    """One connection, on which everything is read by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, method: str, path: str, body: bytes = b"", more: str = "", minor: int = 1) -> None:
        if body:
            more += f"Content-Length: {len(body)}\r\n"
        self.writer.write(HEAD.format(method=method, path=path, more=more, minor=minor).encode() + body)

    async def head(self) -> tuple[int, dict[str, str]]:
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        pairs = [line.partition(": ") for line in lines if line]
        return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        status, headers = await self.head()
        return status, headers, await self.reader.readexactly(int(headers["content-length"]))


@pytest.fixture
async def served() -> AsyncIterator[tuple[Served, Client]]:
    """An application and a connection to it."""
    served = Served()
    listener = listener_of(served.application)
    url = await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        async with asyncio.timeout(60):
            yield served, Client(reader, writer)
    finally:
        writer.close()
        await listener.stop()


async def test_a_connection_answers_one_request_after_the_other(served: tuple[Served, Client]) -> None:
    """Also those that were sent at once, in their order, each with the headers of every answer."""
    _, client = served
    for number in range(3):
        client.send("POST", "/echo", b"%d" % number)
    for number in range(3):
        status, headers, body = await client.answer()
        assert (status, body) == (200, b"%d" % number)
        assert (headers["server"], headers["x-here"], headers["content-type"]) == ("test", "yes", "application/json")
        assert "date" in headers
        assert "connection" not in headers


async def test_nothing_of_a_request_is_held_while_its_connection_waits(served: tuple[Served, Client]) -> None:
    """A thousand connections that are kept hold no bodies."""
    one, client = served
    client.send("POST", "/echo", b"1")
    await client.answer()
    for _ in range(100):
        await asyncio.sleep(0)
    gc.collect()
    assert [content() for content in one.requests] == [None]


async def test_head_is_get_without_a_body(served: tuple[Served, Client]) -> None:
    """The length is that of the body which GET has, and the next answer follows at once."""
    _, client = served
    client.send("HEAD", "/large")
    client.send("GET", "/large")
    status, headers = await client.head()
    assert (status, int(headers["content-length"])) == (200, len(LARGE))
    assert await client.answer() == (200, headers, LARGE)


async def test_an_address_with_a_pattern_has_its_words(served: tuple[Served, Client]) -> None:
    """As they were before the client escaped them."""
    _, client = served
    client.send("GET", "/named/%C3%B1")
    assert json.loads((await client.answer())[2]) == "ñ"


@pytest.mark.parametrize(("more", "kept"), [("", False), ("Connection: keep-alive\r\n", True)])
async def test_http_1_0_ends_with_its_answer_unless_it_is_to_be_kept(
    served: tuple[Served, Client], more: str, kept: bool
) -> None:
    """A client that wants to keep its connection is told that it may."""
    _, client = served
    client.send("POST", "/echo", b"1", more, minor=0)
    status, headers, body = await client.answer()
    assert (status, body, headers.get("connection")) == (200, b"1", "keep-alive" if kept else None)
    if kept:
        client.send("POST", "/echo", b"2", minor=0)
        assert (await client.answer())[2] == b"2"
    assert await client.reader.read() == b""


async def test_a_stream_to_http_1_0_ends_with_its_connection(served: tuple[Served, Client]) -> None:
    """Nothing else tells where it ends, so that a wish to keep the connection is not met."""
    _, client = served
    client.send("GET", "/events", more="Connection: keep-alive\r\n", minor=0)
    status, headers = await client.head()
    assert (status, headers.get("connection")) == (200, None)
    async with asyncio.timeout(10):  # one that is kept ends later
        assert await client.reader.read() == b"data: 1\n\n"


async def test_an_answer_that_breaks_off_does_not_seem_whole(served: tuple[Served, Client]) -> None:
    """The connection ends within it: without the end of its body, and without a second head."""
    one, client = served
    client.send("GET", "/lines")
    await client.head()
    assert await client.reader.readuntil(b"first\n\r\n") == b"6\r\nfirst\n\r\n"
    one.broken_off.set()
    rest = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10):
            rest = await client.reader.read()
    assert rest == b""


async def test_a_client_that_wants_to_go_is_let_go(served: tuple[Served, Client]) -> None:
    """`Connection: close` is answered with the same, and the connection ends."""
    _, client = served
    client.send("POST", "/echo", b"1", "Connection: close\r\n")
    status, headers, _ = await client.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert await client.reader.read() == b""


async def test_a_query_is_no_part_of_the_address(served: tuple[Served, Client]) -> None:
    """Nor is a host that stands in front of it; an escaped slash is none."""
    _, client = served
    for path in ("/echo?a=b", "http://localhost/echo", "/echo#a"):
        client.send("POST", path, b"1")
        assert (await client.answer())[0] == 200
    client.send("POST", "/%2Fecho", b"1")
    assert (await client.answer())[0] == 404


async def test_what_is_not_served_is_told(served: tuple[Served, Client]) -> None:
    """Another method gets 405 with those that are, another path 404, and OPTIONS needs no key."""
    _, client = served
    client.send("PATCH", "/large")
    status, headers, _ = await client.answer()
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    client.send("GET", "/nowhere")
    status, headers, body = await client.answer()
    assert (status, headers["server"]) == (404, "test")
    assert json.loads(body)["error"]["code"] == "route_not_found"
    client.send("OPTIONS", "/nowhere")
    status, headers = await client.head()
    assert (status, "GET" in headers["allow"]) == (204, True)


async def test_a_client_that_asks_first_is_told_to_go_on(served: tuple[Served, Client]) -> None:
    """It sends its body then; whoever expects something else gets an error in the shape of the dialect."""
    _, client = served
    client.send("POST", "/echo", more="Expect: 100-Continue\r\nContent-Length: 1\r\n")
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.writer.write(b"1")
    assert (await client.answer())[2] == b"1"
    client.send("POST", "/echo", b"2", "Expect:\r\n")  # nothing
    assert (await client.answer())[2] == b"2"
    client.send("POST", "/echo", b"1", "Expect: wonders\r\n")
    status, _, body = await client.answer()
    assert (status, json.loads(body)["error"]["code"]) == (417, "unknown_expectation")


async def test_a_body_that_nobody_reads_ends_the_connection(served: tuple[Served, Client]) -> None:
    """The client has its answer although it has sent only a part, and what it sends behind is no request."""
    _, client = served
    client.send("POST", "/unread", more="Content-Length: 1000000\r\n")
    assert (await client.answer())[0] == 404
    with contextlib.suppress(ConnectionError):
        assert await client.reader.read() == b""


async def test_no_header_has_a_second_line(served: tuple[Served, Client], caplog: pytest.LogCaptureFixture) -> None:
    """What would break out of a header ends the connection before anything is sent, and is logged once."""
    _, client = served
    client.send("GET", "/broken")
    with contextlib.suppress(ConnectionError):
        assert await client.reader.read() == b""
    gc.collect()
    assert [line.getMessage() for line in caplog.records if line.levelname == "ERROR"] == ["Unhandled exception"]


async def test_a_body_comes_no_faster_than_it_is_read(served: tuple[Served, Client]) -> None:
    """A long one is stopped and goes on, again and again, until all of it was read; then comes the next request."""
    _, client = served
    for _ in range(2):
        client.send("POST", "/size", bytes(5_000_000))
        assert (await client.answer())[2] == b"5000000"


@pytest.mark.parametrize("path", ["/size", "/unread"])
async def test_a_body_in_countless_pieces_does_not_stop_the_next_one(served: tuple[Served, Client], path: str) -> None:
    """However many they are when reading is stopped: also where the last of them did it."""
    _, client = served
    async with asyncio.timeout(60):
        for pieces in range(16_383, 16_388):  # aiohttp lets 16,384 wait
            client.send("POST", path, more="Transfer-Encoding: chunked\r\n")
            client.writer.write(b"1\r\nx\r\n" * pieces + b"0\r\n\r\n")
            assert (await client.answer())[0] in (200, 404)
            client.send("POST", "/size", b"123")
            assert (await client.answer())[2] == b"3"


async def test_what_is_no_http_gets_400(served: tuple[Served, Client]) -> None:
    """And the connection ends, whatever was asked on it before."""
    _, client = served
    client.send("POST", "/echo", b"1")
    assert (await client.answer())[2] == b"1"
    client.writer.write(b"\x16\x03\x01\r\n\r\n")
    assert (await client.answer())[0] == 400
    assert await client.reader.read() == b""


async def test_a_client_that_goes_away_ends_its_request(served: tuple[Served, Client]) -> None:
    """Whatever answers it is cancelled at once, and the gateway's end waits for nothing."""
    one, client = served
    client.send("GET", "/held")
    await one.begun.wait()
    client.writer.transport.abort()
    await one.cancelled.wait()

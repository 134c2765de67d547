"""A server on loopback that does exactly what a script says, byte by byte, and keeps everything that arrived."""

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

_TURNS = 20  # of the event loop
Script = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request that arrived, and the socket to answer it on."""

    def __init__(
        self, number: int, head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.number = number
        self.head = head
        self.body = body
        self._reader = reader
        self._writer = writer

    async def send(self, *parts: bytes) -> None:
        """Raw bytes, at once."""
        self._writer.write(b"".join(parts))
        await self._writer.drain()

    async def chunk(self, *parts: bytes) -> None:
        """Bytes as one HTTP chunk."""
        data = b"".join(parts)
        await self.send(b"%x\r\n" % len(data), data, b"\r\n")
        for _ in range(_TURNS):  # so that it arrives alone
            await asyncio.sleep(0)

    async def finish(self) -> None:
        """The end of a chunked body."""
        await self.send(b"0\r\n\r\n")

    def reset(self) -> None:
        """Cuts the connection off with a RST."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self._writer.transport.abort()

    def close(self) -> None:
        """Ends the connection, once everything is sent."""
        self._writer.close()

    async def until_gone(self) -> None:
        """Waits until the other side hangs up."""
        while await self._reader.read(4096):
            pass


class FaultServer:
    """`async with FaultServer(script) as server:` then `server.base_url`, `server.requests`."""

    def __init__(
        self, script: Script | Sequence[Script], *, tls: ssl.SSLContext | None = None, listing: Script | None = None
    ) -> None:
        self._listing = listing
        self._scripts = [script] if callable(script) else list(script)
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.requests: list[Exchange] = []
        self.connections = 0
        self.port = 0

    @property
    def base_url(self) -> str:
        """The address for a target."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    @property
    def posts(self) -> list[Exchange]:
        """Requests that carried a document (health checks are GETs)."""
        return [one for one in self.requests if one.head.startswith(b"POST")]

    async def __aenter__(self) -> "FaultServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._server.wait_closed()

    def page(self, head: bytes) -> bytes:
        """The answer to a GET with this head: an empty list of models."""
        return b'{"object":"list","data":[]}'

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
                )
                exchange = Exchange(len(self.posts), head, await reader.readexactly(size), reader, writer)
                self.requests.append(exchange)
                if head.startswith(b"GET") and self._listing and b" /v1/models " in head:
                    await self._listing(exchange)
                elif head.startswith(b"GET"):
                    await exchange.send(answer(200, self.page(head)))
                else:
                    await self._scripts[min(exchange.number, len(self._scripts) - 1)](exchange)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._running.discard(task)
            writer.close()


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def answer(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> bytes:
    """A whole HTTP answer."""
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def event(document: object) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def text(content: str) -> bytes:
    """A chunk of answer text."""
    return event({"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None}]})


FINISH = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})


def usage(report: object) -> bytes:
    """The usage chunk."""
    return event({"choices": [], "usage": report})


def streamed(*parts: bytes) -> Script:
    """Answers with these events, then ends the body cleanly."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        for part in filter(None, parts):
            await exchange.chunk(part)
        await exchange.finish()

    return script


def plain(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> Script:
    """Answers whole."""

    async def script(exchange: Exchange) -> None:
        await exchange.send(answer(status, body, kind, **headers))

    return script


GOOD = streamed(text("Hello"), text(" there"), FINISH, usage(USAGE), DONE)

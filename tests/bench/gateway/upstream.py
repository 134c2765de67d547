"""Server that answers chats at the least cost: a short JSON answer at once, or a stream of frames at a fixed pace.

`python -m tests.bench.gateway.upstream PORT FRAMES SECONDS-BETWEEN [stamped]`. The pace is the same for all that ask.
Stamped frames say when they left, in monotonic seconds.
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

_ANSWER = "The quick brown fox jumps over the lazy dog. " * 8
_USAGE = {"prompt_tokens": 250, "completion_tokens": 80, "total_tokens": 330}


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event(_head("chat.completion.chunk") | {"choices": [choice]})


def _head(kind: str) -> dict[str, object]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "m"}


def _event(body: dict[str, object]) -> bytes:
    line = b"data: " + json.dumps(body).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(line), line)


def _whole() -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": _ANSWER}, "finish_reason": "stop"}
    body = json.dumps(_head("chat.completion") | {"choices": [choice], "usage": _USAGE}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


_BEGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = _chunk({}, "stop") + _event(_head("chat.completion.chunk") | {"choices": [], "usage": _USAGE})
_END += b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
_WHOLE = _whole()


class Upstream(asyncio.Protocol):
    """One connection."""

    def __init__(self, frames: int, seconds: float, *, stamped: bool = False) -> None:
        self._stamped = stamped
        self._frames = [_chunk({"content": f" word{number}"}) for number in range(frames)]
        self._seconds = seconds
        self._seen = b""
        self._transport: asyncio.Transport | None = None
        self._streams: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Stop what is streamed."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer each request that is there whole."""
        self._seen += data
        while (end := self._seen.find(b"\r\n\r\n")) >= 0:
            head, body = self._seen[:end].lower(), self._seen[end + 4 :]
            if b"transfer-encoding: chunked" in head:
                stop = body.find(b"0\r\n\r\n")
                length = stop + 5 if stop >= 0 else len(body) + 1
            else:
                _, found, rest = head.partition(b"content-length:")
                length = int(rest.split(b"\r\n", 1)[0]) if found else 0
            if len(body) < length:
                return
            asked, self._seen = body[:length], body[length:]
            if self._transport is None:
                return
            if b'"stream":true' not in asked.replace(b" ", b""):
                self._transport.write(_WHOLE)
            elif self._seconds:
                task = asyncio.get_running_loop().create_task(self._stream())
                self._streams.add(task)
                task.add_done_callback(self._streams.discard)
            else:
                self._transport.write(b"".join([_BEGIN, *self._frames, _END]))

    async def _stream(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number, frame in enumerate((_BEGIN + self._frames[0], *self._frames[1:], _END)):
            await asyncio.sleep(max(0.0, begun + number * self._seconds - loop.time()))
            if self._transport is None:
                return
            if self._stamped and frame is not _END:
                stamp = _chunk({"content": f"{time.monotonic():.6f} "})
                frame = stamp if number else _BEGIN + stamp
            self._transport.write(frame)


async def main(port: int, frames: int, seconds: float, *, stamped: bool) -> None:
    """Serve until it is ended."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Upstream(frames, seconds, stamped=stamped), "127.0.0.1", port, backlog=4096
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), stamped=sys.argv[4:] == ["stamped"]))

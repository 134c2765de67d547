"""A model server in a process of its own that can be killed: it streams an answer in pieces, and logs what it gets.

    python -m tests.standins.model_server PORT LOG [PIECES] [PAUSE]

Each request's `user` is a line in LOG, written before the first byte of the answer.
"""

import asyncio
import json
import os
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(document: object) -> bytes:
    data = b"data: " + (document if isinstance(document, bytes) else json.dumps(document).encode()) + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


def _delta(text: str, finish: str | None = None) -> bytes:
    return _chunk({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})


class ModelServer:
    """Answers every chat with PIECES words, PAUSE seconds apart, and says on `/metrics` how many it answers."""

    def __init__(self, log: str, pieces: int, pause: float) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._pieces = pieces
        self._pause = pause
        self._running = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes over one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                size = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
                body = await reader.readexactly(size)
                if head.startswith("post") and "/chat/completions" in head:
                    await self._answer(json.loads(body), writer)
                else:
                    self._page(head, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _page(self, head: str, writer: asyncio.StreamWriter) -> None:
        told = b"vllm:num_requests_running %d\nvllm:num_requests_waiting 0\n" % self._running
        body = {"/v1/models": b'{"object":"list","data":[]}', "/metrics": told}.get(head.split(" ")[1])
        status = b"404 Not Found" if body is None else b"200 OK"
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body or b""), body or b""))

    async def _answer(self, document: dict[str, object], writer: asyncio.StreamWriter) -> None:
        os.write(self._log, f"{document.get('user')}\n".encode())
        self._running += 1
        try:
            await asyncio.sleep(self._pause)
            writer.write(HEAD)
            for number in range(self._pieces):
                writer.write(_delta(f"word{number} "))
                await writer.drain()
                await asyncio.sleep(self._pause)
            used = {"prompt_tokens": 5, "completion_tokens": self._pieces, "total_tokens": 5 + self._pieces}
            writer.write(_delta("", "stop") + _chunk({"choices": [], "usage": used}) + _chunk(b"[DONE]") + b"0\r\n\r\n")
        finally:
            self._running -= 1


async def main(port: int, log: str, pieces: int = 8, pause: float = 0.02) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(ModelServer(log, pieces, pause).serve, "127.0.0.1", port)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(int(given[0]), given[1], *map(int, given[2:3]), *map(float, given[3:4])))

"""A recorder on loopback that speaks enough of the OpenAI API to pass for a provider, and keeps every body."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


class Recorder:
    """What arrived, and where."""

    def __init__(self) -> None:
        self.base_url = ""
        self._bodies: list[bytes] = []

    def keep(self, body: bytes) -> None:
        """One more body."""
        self._bodies.append(body)

    def text(self) -> str:
        """Everything that arrived."""
        return b"\n".join(self._bodies).decode("utf-8", "replace")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    record: Recorder


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Keeps the body, answers with one word."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.record.keep(body)
        if self.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.0, 1.0]}]
            self._answer(
                "application/json", json.dumps({"object": "list", "model": "m", "data": data, "usage": _USAGE})
            )
            return
        if self.path.endswith("/rerank"):
            results = [{"index": place, "relevance_score": 0.5} for place in range(len(json.loads(body)["documents"]))]
            self._answer("application/json", json.dumps({"results": results, "usage": _USAGE}))
            return
        head = {"id": "audit", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        choice = {"index": 0, "delta": {"content": "ok"}, "text": "ok", "finish_reason": None}
        last = {"index": 0, "delta": {}, "text": "", "finish_reason": "stop"}
        chunks = [head | {"choices": [choice]}, head | {"choices": [last]}, head | {"choices": [], "usage": _USAGE}]
        frames = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        self._answer("text/event-stream", "".join([*frames, "data: [DONE]\n\n"]))

    def do_GET(self) -> None:
        """A list of one model."""
        self._answer("application/json", json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}))

    def _answer(self, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silent."""


@contextmanager
def recorder() -> Iterator[Recorder]:
    """A running recorder on a free port."""
    record = Recorder()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.record = record
    record.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield record
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

"""Recorder on loopback: it passes for a provider of the OpenAI API, keeps every body, and fails when told to."""

import enum
import json
import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
_MARKER = re.compile(rb"Marker[0-9]+end")
_HANG_SECONDS = 6.0
# Answers hold nothing that a detector knows: what keeps them at home later can only be the gateway's memory.
ANSWER = (
    "The second reading was a little better than the first one, so nothing has to change before the next visit. "
    "Please keep the same rhythm for another fortnight, write down how each morning went, and bring the notes along; "
    "reference {marker}."
)


class Mode(enum.Enum):
    """How a recorder answers a request."""

    OK = "answers"
    ERROR = "answers 500"
    BUSY = "answers 429"
    TOO_LONG = "says that the prompt is too long"
    HANG = "accepts and says nothing"
    REFUSE = "closes the connection at once"
    CUT = "breaks its answer off"
    SLOW = "answers word by word"


class Recorder:
    """Keeper of what arrived. `modes` says how the next requests are answered, in turn; the last one stays."""

    def __init__(self) -> None:
        self.base_url = ""
        self._modes: list[Mode] = [Mode.OK]
        self._bodies: dict[str, list[bytes]] = defaultdict(list)
        self._lock = threading.Lock()

    def behave(self, *modes: Mode) -> None:
        """Answer from now on in these ways, in turn; the last one stays."""
        with self._lock:
            self._modes = list(modes)

    def keep(self, body: bytes) -> Mode:
        """Keep a body under each marker in it, and return how to answer it."""
        with self._lock:
            for marker in set(_MARKER.findall(body)) or {b""}:
                self._bodies[marker.decode()].append(body)
            return self._modes.pop(0) if len(self._modes) > 1 else self._modes[0]

    def bodies(self, marker: str) -> list[bytes]:
        """Return the bodies that arrived with this marker."""
        with self._lock:
            return list(self._bodies.get(marker, ()))

    def everything(self) -> list[bytes]:
        """Return all bodies that arrived."""
        with self._lock:
            return [body for bodies in self._bodies.values() for body in bodies]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    record: Recorder
    closing: threading.Event

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are part of the audit."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Keep the body, and answer as the recorder is told to."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        mode = self.server.record.keep(body)
        match mode:
            case Mode.ERROR:
                self._answer("application/json", '{"error": {"message": "broken", "type": "server_error"}}', 500)
            case Mode.BUSY:
                self._answer("application/json", '{"error": {"message": "later", "type": "rate_limit"}}', 429)
            case Mode.TOO_LONG:
                error = {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}
                self._answer("application/json", json.dumps({"error": error}), 400)
            case Mode.HANG:
                self.server.closing.wait(_HANG_SECONDS)
                self._hang_up()
            case Mode.REFUSE:
                self._hang_up()
            case Mode.OK | Mode.CUT | Mode.SLOW:
                self._say(body, mode)

    def _say(self, body: bytes, mode: Mode) -> None:
        if self.path.endswith("/embeddings"):
            wanted = json.loads(body).get("input")
            count = len(wanted) if isinstance(wanted, list) else 1
            data = [{"object": "embedding", "index": index, "embedding": [0.0, 1.0]} for index in range(count)]
            answer = {"object": "list", "model": "m", "data": data, "usage": _USAGE}
            self._answer("application/json", json.dumps(answer))
            return
        if self.path.endswith("/rerank"):
            results = [{"index": place, "relevance_score": 0.5} for place in range(len(json.loads(body)["documents"]))]
            self._answer("application/json", json.dumps({"results": results, "usage": _USAGE}))
            return
        self._stream(_answer_to(body), mode)

    def _stream(self, text: str, mode: Mode) -> None:
        head = {"id": "audit", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        words = re.findall(r"\S+\s*", text)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, word in enumerate(words):
            choice = {"index": 0, "delta": {"content": word}, "text": word, "finish_reason": None}
            self._event(head | {"choices": [choice]})
            if mode is Mode.CUT and number == 2:
                self._hang_up()
                return
            if mode is Mode.SLOW:
                self.wfile.flush()
                time.sleep(0.05)
        last = {"index": 0, "delta": {}, "text": "", "finish_reason": "stop"}
        self._event(head | {"choices": [last]})
        self._event(head | {"choices": [], "usage": _USAGE})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, chunk: object) -> None:
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def do_GET(self) -> None:
        """Answer with a list of one model."""
        self._answer("application/json", json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}))

    def _answer(self, kind: str, text: str, status: int = 200) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Write no log."""


def _answer_to(body: bytes) -> str:
    """Return the text of an answer: one of its own for a known marker, so that it can be told from others."""
    found = _MARKER.search(body)
    return ANSWER.format(marker=found[0].decode().replace("Marker", "R").replace("end", "")) if found else "ok"


@contextmanager
def recorder() -> Iterator[Recorder]:
    """Run a recorder on a free port as long as the context lasts."""
    record = Recorder()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.record = record
    server.closing = threading.Event()
    record.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield record
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)

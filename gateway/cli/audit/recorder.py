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
from itertools import chain, zip_longest
from typing import Any

from gateway.cli.audit.stories import coined, story

_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
_MARKER = re.compile(rb"Marker[0-9]+end")
_HANG_SECONDS = 6.0
_WORD_SECONDS = 0.03
# A request with one of these tools is answered with two calls of it; the arguments come in turn, or one behind another.
BRAIDED_TOOL = "take_notes"
TOOL = "take_note"
_CALLS = 2
SHORT = 7


def answer(marker: str, choice: int = 0) -> str:
    """Return the text that answers the request of this marker: nothing that a detector knows, and no other's."""
    return story(f"answer {choice} to {marker}")


def short_answer(marker: str) -> str:
    """Return the answer to a request with `max_tokens: SHORT`, too short to be a passage."""
    return f"Sí, {coined(marker)}."


def thought(marker: str) -> str:
    """Return what is thought before such an answer, where the request has `reasoning_effort`."""
    return story(f"thought before the answer to {marker}")


class Mode(enum.Enum):
    """How a recorder answers a request."""

    OK = "answers"
    ERROR = "answers 500"
    BUSY = "answers 429"
    TOO_LONG = "says that the prompt is too long"
    HANG = "accepts and says nothing"
    REFUSE = "closes the connection at once"
    CUT = "breaks its answer off"


class Recorder:
    """Keeper of what arrived. `modes` says how the next requests are answered, in turn; the last one stays."""

    def __init__(self) -> None:
        self.base_url = ""
        self._modes: list[Mode] = [Mode.OK]
        self._slow: set[str] = set()
        self._bodies: dict[str, list[bytes]] = defaultdict(list)
        self._lock = threading.Lock()

    def behave(self, *modes: Mode) -> None:
        """Answer from now on in these ways, in turn; the last one stays."""
        with self._lock:
            self._modes = list(modes)

    def slow(self, marker: str) -> bool:
        """Return whether the request of this marker is to be answered word by word."""
        return marker in self._slow

    def slow_down(self, marker: str) -> None:
        """Answer the request of this marker word by word, with pauses."""
        self._slow.add(marker)

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
            case Mode.OK | Mode.CUT:
                self._say(body, mode)

    def _say(self, body: bytes, mode: Mode) -> None:
        document = json.loads(body)
        if self.path.endswith("/embeddings"):
            wanted = document.get("input")
            count = len(wanted) if isinstance(wanted, list) else 1
            data = [{"object": "embedding", "index": index, "embedding": [0.0, 1.0]} for index in range(count)]
            vectors = {"object": "list", "model": "m", "data": data, "usage": _USAGE}
            self._answer("application/json", json.dumps(vectors))
            return
        if self.path.endswith("/rerank"):
            results = [{"index": place, "relevance_score": 0.5} for place in range(len(document["documents"]))]
            self._answer("application/json", json.dumps({"results": results, "usage": _USAGE}))
            return
        found = _MARKER.search(body)
        marker = found[0].decode() if found else ""
        self._stream(list(_deltas(document, marker)), mode, slow=self.server.record.slow(marker))

    def _stream(self, choices: list[dict[str, Any]], mode: Mode, *, slow: bool) -> None:
        head = {"id": "audit", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, choice in enumerate(choices):
            self._event(head | {"choices": [choice]})
            if mode is Mode.CUT and number == 2:
                self._hang_up()
                return
            if slow:
                self.wfile.flush()
                time.sleep(_WORD_SECONDS)
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


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


def _deltas(document: dict[str, Any], marker: str) -> Iterator[dict[str, Any]]:
    """Yield the answer's choices, word by word and in turn, as servers do that answer several at once."""
    prompt = document.get("prompt")
    count = (document.get("n") or 1) * (len(prompt) if isinstance(prompt, list) and len(prompt) < 9 else 1)
    if "reasoning_effort" in document:
        for word in _words(thought(marker)):
            yield {"index": 0, "delta": {"reasoning_content": word}, "text": "", "finish_reason": None}
    tools = document.get("tools") or ()
    names = {tool.get("function", {}).get("name") for tool in tools}
    if names & {TOOL, BRAIDED_TOOL}:
        yield from _calls(marker, TOOL if TOOL in names else BRAIDED_TOOL, braided=BRAIDED_TOOL in names)
        return
    if document.get("max_tokens") == SHORT:
        texts = [_words(short_answer(marker))]
    else:
        texts = [_words(answer(marker, choice)) if marker else ["ok"] for choice in range(count)]
    for place in range(max(map(len, texts))):
        for index, words in enumerate(texts):
            if place < len(words):
                yield {
                    "index": index,
                    "delta": {"content": words[place]},
                    "text": words[place],
                    "finish_reason": None,
                }
    for index in range(count):
        yield {"index": index, "delta": {}, "text": "", "finish_reason": "stop"}


def _calls(marker: str, tool: str, *, braided: bool) -> Iterator[dict[str, Any]]:
    """Yield two calls of the tool whose arguments come in pieces."""

    def delta(index: int, **call: Any) -> dict[str, Any]:
        return {"index": 0, "delta": {"tool_calls": [{"index": index, **call}]}, "finish_reason": None}

    calls = [
        [
            delta(call, id=f"call_{call}", type="function", function={"name": tool, "arguments": ""}),
            *(delta(call, function={"arguments": word}) for word in _words(json.dumps({"note": answer(marker, call)}))),
        ]
        for call in range(_CALLS)
    ]
    if braided:
        for pieces in zip_longest(*calls):
            yield from (piece for piece in pieces if piece is not None)
    else:
        yield from chain.from_iterable(calls)
    yield {"index": 0, "delta": {}, "finish_reason": "tool_calls"}


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

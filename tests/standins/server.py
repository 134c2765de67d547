"""A stand-in for a server that a gateway starts, which does as it is told: `python -m tests.standins.server PORT …`.

It answers chats in the words of OpenAI with its process id, and `/health` once it is ready. Options:

    --host ADDRESS      where it listens
    --key-from NAME     the variable that has the key which it asks for
    --slow SECONDS      it is ready only after so long
    --die-in-start N    it prints a line and ends with N before it is ready
    --die-in-answer     it kills itself in the middle of its first answer
    --stubborn          SIGTERM does not impress it
    --daughter          it has a process in a session of its own, whose id it writes into the answers
    --mute              it never answers anything
    --mute-after N      it never answers anything, once it has had N requests
    --elsewhere         it says in Ollama's words that it runs its model on somebody else's machines
    --note FILE         each start and each end by SIGTERM are a line in this file: with the process id, and how many
                        engine workers the same gateway had at that moment
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def main() -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--key-from", default="")
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--die-in-start", type=int)
    parser.add_argument("--die-in-answer", action="store_true")
    parser.add_argument("--stubborn", action="store_true")
    parser.add_argument("--daughter", action="store_true")
    parser.add_argument("--mute", dest="mute_after", action="store_const", const=0)
    parser.add_argument("--mute-after", type=int)
    parser.add_argument("--elsewhere", action="store_true")
    parser.add_argument("--note", type=Path)
    said = parser.parse_args()
    note(said.note, "start")
    print("loading the model", flush=True)
    if said.die_in_start is not None:
        print("error: no such layer: blk.99", flush=True)
        return int(said.die_in_start)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if said.stubborn else lambda *_: stop(said.note))
    daughter = subprocess.Popen(["sleep", "600"], start_new_session=True).pid if said.daughter else 0
    ready = time.monotonic() + said.slow
    key = os.environ.get(said.key_from, "")
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.think()
            well = time.monotonic() >= ready
            match self.path:
                case "/health":
                    self.answer(200 if well else 503, {})
                case "/api/tags" if said.elsewhere:
                    self.answer(200, {"models": [{"name": "m", "model": "m", "remote_host": "https://ollama.com:443"}]})
                case _:
                    self.answer(404, {})

        def do_POST(self) -> None:
            self.think()
            requests.append(self.path)
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            print("asked:", asked, flush=True)  # as servers do that talk too much
            if key and self.headers.get("Authorization") != f"Bearer {key}":
                self.answer(401, {"error": {"message": "no"}})
                return
            seen = {name: value for name, value in os.environ.items() if name != said.key_from}
            text = json.dumps({"pid": os.getpid(), "daughter": daughter, "environment": seen})
            if said.die_in_answer:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(event({"content": "half of "}))
                os.kill(os.getpid(), signal.SIGKILL)
            if self.path.endswith("/images/generations"):
                self.answer(200, {"created": 1, "data": [{"b64_json": PICTURE}]})
                return
            if self.path.endswith("/embeddings"):
                self.answer(200, {"data": [{"index": 0, "embedding": [1.0, 0.0]}], "usage": {"prompt_tokens": 1}})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(event({"content": text}))
            self.wfile.write(event({}, finish="stop", usage={"prompt_tokens": 1, "completion_tokens": 1}))
            self.wfile.write(b"data: [DONE]\n\n")
            self.close_connection = True

        def think(self) -> None:
            if said.mute_after is not None and len(requests) >= said.mute_after:
                threading.Event().wait()

        def answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    ThreadingHTTPServer.allow_reuse_address = True
    ThreadingHTTPServer((said.host, said.port), Handler).serve_forever()
    return 0


def event(delta: dict[str, Any], *, finish: str | None = None, usage: Any = None) -> bytes:
    """Return one event of a chat's stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    document = {"object": "chat.completion.chunk", "choices": [choice], **({"usage": usage} if usage else {})}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def note(file: Path | None, word: str) -> None:
    """Write a line with the time."""
    if file is not None:
        with file.open("a") as lines:
            lines.write(f"{word} {os.getpid()} {len(engine_workers())}\n")


def engine_workers() -> list[int]:
    """Return the engine workers of the gateway that started this process."""
    above = {int(path.parent.name): parent(path) for path in Path("/proc").glob("[0-9]*/stat")}
    gateway = above.get(above.get(os.getpid(), 0), 0)
    return [pid for pid, parent in above.items() if parent == gateway and b"gateway.engine" in command(pid)]


def parent(stat: Path) -> int:
    """Return a process's parent; 0: it has ended."""
    try:
        state, above = stat.read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return 0
    return 0 if state == "Z" else int(above)


def command(pid: int) -> bytes:
    """Return a process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def stop(file: Path | None) -> None:
    """End as asked to."""
    note(file, "end")
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())

"""A hub of models on loopback that speaks Hugging Face's API as far as `huggingface_hub` asks, and can misbehave."""

import hashlib
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


def tiny_gguf(content: bytes = b"", size: int = 4096) -> bytes:
    """Return a GGUF file of that size: a header that says `llama`, no tensor, and any bytes behind it."""

    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    header = (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
    )
    return (header + content).ljust(size, b"\0")


@dataclass
class Hub:
    """One repository, `org/Model-GGUF`, and what was asked of it."""

    files: dict[str, bytes]
    licence: str | None = "apache-2.0"
    refused: int = 0
    """The status with which files are refused, as of a model whose terms were not accepted; 0: none is."""
    private: bool = False
    lies: dict[str, Any] = field(default_factory=dict)
    """By file: what the API says of it instead of the truth (`size`, `sha256`)."""
    gone: set[str] = field(default_factory=set)
    cut_at: int | None = None
    """The first answer with a file ends after so many bytes."""
    stall_at: int | None = None
    """The first answer with a file stops after so many bytes, and hangs until `resumed`."""
    resumed: threading.Event = field(default_factory=threading.Event)
    ranges: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    address: str = ""

    def described(self) -> dict[str, Any]:
        """Return what `/api/models/…?blobs=true` says."""
        siblings = []
        for name, content in self.files.items():
            lie = self.lies.get(name, {})
            size = lie.get("size", len(content))
            sha256 = lie.get("sha256", hashlib.sha256(content).hexdigest())
            lfs = {"size": size, "sha256": sha256, "pointerSize": 134}
            siblings.append({"rfilename": name, "size": size, "blobId": "0" * 40, "lfs": lfs})
        card = {"base_model": "org/Model"} | ({"license": self.licence} if self.licence else {})
        return {
            "id": "org/Model-GGUF",
            "sha": "c0ffee" * 6 + "c0de",
            "siblings": siblings,
            "cardData": card,
            "tags": [],
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        pass

    def do_HEAD(self) -> None:
        name = unquote(urlsplit(self.path).path).split("/", 5)[-1]
        content = self.hub.files[name]
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", str(self.hub.described()["sha"]))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()

    def do_GET(self) -> None:
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        hub.tokens.append(self.headers.get("Authorization", ""))
        if path.startswith("/api/models/org/Model-GGUF") and not hub.private:
            self.answer(200, json.dumps(hub.described()).encode())
        elif path.startswith("/api/"):
            self.answer(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif hub.refused:
            self.answer(hub.refused, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            self.file(path.split("/", 5)[-1])

    def file(self, name: str) -> None:
        hub = self.hub
        if name in hub.gone or name not in hub.files:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        content, wanted = hub.files[name], self.headers.get("Range", "")
        hub.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        cut, stall = hub.cut_at, hub.stall_at
        hub.cut_at = hub.stall_at = None
        end = len(content) if cut is None and stall is None else start + (cut or stall or 0)
        self.wfile.write(content[start:end])
        self.wfile.flush()
        if cut is not None:
            self.close_connection = True
        if stall is not None:
            hub.resumed.wait(30)
            self.close_connection = True

    def answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve a hub on a free port of loopback; `hub.address` says where."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        hub.resumed.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""A real Prometheus for tests: started on a free port, scraping or with backfilled history, asked over HTTP."""

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


class Server:
    """A running Prometheus."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str, **values: str) -> Any:
        """The `data` of an answer. Raises AssertionError with Prometheus's own words for a query that is wrong."""
        url = f"{self._url}/{path}?{urllib.parse.urlencode(values)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{values}: {error.read().decode()}") from error

    def query(self, expression: str, **values: str) -> list[float]:
        """The values of an instant vector."""
        return [float(sample["value"][1]) for sample in self.get("query", query=expression, **values)["result"]]

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Polls until it is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(OSError, AssertionError):
                if condition():
                    return
            time.sleep(0.1)
        raise AssertionError(f"Prometheus: {what} did not happen in {seconds} s")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path, config: str) -> Iterator[Server]:
    """Prometheus on `folder/data` with that configuration. Skips the test where it is not installed."""
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("prometheus is not installed (Debian: apt install prometheus)")
    port = free_port()
    file = folder / "prometheus.yaml"
    file.write_text(config, encoding="utf-8")
    log = (folder / "prometheus.log").open("wb")
    process = subprocess.Popen(
        [
            binary,
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    server = Server(port)
    try:
        server.wait(lambda: process.poll() is not None or server.get("status/buildinfo") is not None, "start")
        assert process.poll() is None, (folder / "prometheus.log").read_text()
        yield server
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@contextlib.contextmanager
def exposing(render: Callable[[], bytes]) -> Iterator[int]:
    """An HTTP server that answers every GET with `render()`; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = render()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

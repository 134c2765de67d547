"""Gateways that are broken on purpose: what the audit must notice.

Run as `python -m tests.standins.leaky_gateway FAULT serve …`.
"""

import http.client
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from gateway.cli import main
from gateway.core.finding import Inspection
from gateway.privacy import Inspector
from gateway.privacy.inspection import inspector


def blind(arguments: Sequence[str]) -> int:
    """Everything is clean, and no process of its own looks again at what leaves."""
    os.environ["ADUANA_EGRESS__PROCESS"] = "none"
    Inspector.inspect = lambda self, *what, **how: Inspection()  # type: ignore[method-assign]
    return main(arguments)


def literal(arguments: Sequence[str]) -> int:
    """No encoding is taken off, and no process of its own looks again at what leaves."""
    os.environ["ADUANA_EGRESS__PROCESS"] = "none"
    inspector.views = lambda view, kinds, spend: iter(())  # type: ignore[attr-defined]
    return main(arguments)


def through(zone: str) -> Callable[[Sequence[str]], int]:
    """No gateway at all: every request goes to the same target as it comes."""

    def serve(arguments: Sequence[str]) -> int:
        config = json.loads(Path(arguments[arguments.index("--config") + 1]).read_text("utf-8"))
        target = urlsplit(next(one["base_url"] for one in config["targets"].values() if one["zone"] == zone))

        class Through(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, b"{}")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                onward = http.client.HTTPConnection(target.hostname or "", target.port, timeout=20)
                try:
                    onward.request("POST", "/v1/chat/completions", body, {"Content-Length": str(len(body))})
                    answer = onward.getresponse()
                    self.send_response(answer.status)
                    self.end_headers()
                    while piece := answer.read1(4096):
                        self.wfile.write(piece)
                except (OSError, http.client.HTTPException):
                    self.close_connection = True
                finally:
                    onward.close()

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Write no log."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Through)
        print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()
        return 0

    return serve


FAULTS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "blind": blind,
    "literal": literal,
    "open": through("cloud"),  # everything leaves
    "shut": through("local"),  # nothing does
}

if __name__ == "__main__":
    sys.exit(FAULTS[sys.argv[1]](sys.argv[2:]))

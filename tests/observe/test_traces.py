"""Traces: one span a request, with the conventions' names and without content."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Zone
from gateway.core.record import Outcome
from gateway.observe.traces import Traces, TraceSettings
from tests.observe.conftest import CATALOG, NOON, decided, make_receipt, make_settlement, settled

memory = pytest.importorskip(
    "opentelemetry.sdk.trace.export.in_memory_span_exporter", reason="the extra 'traces' is not installed"
)
CANARY = "CANARY-sk-3f9a"


@pytest.fixture
def exporter() -> object:
    return memory.InMemorySpanExporter()


def test_a_settled_request_is_one_span(exporter: memory.InMemorySpanExporter) -> None:
    """With the time it really took, tokens, route, and the tries that failed before."""
    traces = Traces(TraceSettings(), CATALOG, version="1", providers={"big": "openai"}, exporter=lambda: exporter)
    traces.on(decided())
    attempts = (("home", "target_unavailable"),)
    traces.on(settled(settlement=make_settlement(target="big", zone=Zone.CLOUD, cost_micros=9, attempts=attempts)))
    traces.close()
    (span,) = exporter.get_finished_spans()
    assert span.name == "chat auto"
    assert span.start_time == NOON * 1e9
    assert (span.end_time - span.start_time) / 1e9 == pytest.approx(0.9)
    assert span.attributes is not None
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "auto",
        "gen_ai.response.model": "gpt-5.4",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 7,
        "aduana.request_id": "r1",
        "aduana.label": "internal",
        "aduana.rule": "otherwise",
        "aduana.target": "big",
        "aduana.zone": "cloud",
        "aduana.outcome": "ok",
        "aduana.key": "laptop",
        "aduana.cost_micros": 9,
    }
    assert [event.name for event in span.events] == ["first_token", "attempt_failed"]
    assert span.status.is_ok or span.status.is_unset


def test_no_content_gets_into_a_span(exporter: memory.InMemorySpanExporter) -> None:
    """A span holds no facts, tags, users or doubts; a failure is marked."""
    traces = Traces(TraceSettings(), CATALOG, version="1", exporter=lambda: exporter)
    receipt = make_receipt(facts=CANARY.encode(), user=CANARY, tags=(CANARY,), doubts=(CANARY,))
    traces.on(settled(receipt, make_settlement(outcome=Outcome.ERROR, error="target_timeout")))
    traces.close()
    (span,) = exporter.get_finished_spans()
    assert "CANARY" not in span.to_json()
    assert not span.status.is_ok
    assert span.attributes is not None
    assert span.attributes["error.type"] == "target_timeout"


class Collector(BaseHTTPRequestHandler):
    """Takes what comes."""

    bodies: ClassVar[list[tuple[str, bytes]]] = []
    headers_seen: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append((self.path, body))
        self.headers_seen.append(str(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_reach_a_collector_whatever_the_environment_says(collector: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans arrive over OTLP/HTTP, past proxies and `OTEL_` variables of the environment."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", f"leak={CANARY}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={CANARY}")
    settings = TraceSettings(endpoint=f"http://127.0.0.1:{collector}/v1/traces", headers={"x-key": "ours"})
    traces = Traces(settings, CATALOG, version="1")
    traces.on(settled())
    traces.close()
    (path, body), *rest = Collector.bodies
    assert (path, rest) == ("/v1/traces", [])
    assert b"qwen3-32b" in body
    assert CANARY.encode() not in body
    assert CANARY not in "".join(Collector.headers_seen)
    assert "x-key: ours" in Collector.headers_seen[0]


def test_an_endpoint_that_is_none_is_refused() -> None:
    """An endpoint that is no URL is refused at start, not at the first export."""
    with pytest.raises(ConfigurationError, match="OTLP/HTTP"):
        Traces(TraceSettings(endpoint="collector:4317"), CATALOG, version="1")

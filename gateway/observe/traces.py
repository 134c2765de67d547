"""Traces by OpenTelemetry, an extra (`aduana extras install traces`): one span a request, made when it has ended.

Names follow the GenAI conventions where they have one (https://opentelemetry.io/docs/specs/semconv/gen-ai/), else
`aduana.*`. INVARIANT: no content. What is exported is what the ledger holds without its facts, tags and users.
"""

import contextlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.core.events import Event, Settled
from gateway.core.record import Outcome, Receipt, Settlement
from gateway.core.request import Endpoint
from gateway.core.target import Catalog
from gateway.observe.labels import model_names

_NANO = 1_000_000_000
_OPERATIONS = {
    Endpoint.CHAT: "chat",
    Endpoint.COMPLETIONS: "text_completion",
    Endpoint.EMBEDDINGS: "embeddings",
    Endpoint.RERANK: "rerank",
    Endpoint.MODERATIONS: "moderation",
    Endpoint.TOKENIZE: "tokenize",
    Endpoint.DECISIONS: "decisions",
    Endpoint.IMAGES: "generate_content",
    Endpoint.TRANSCRIPTIONS: "transcription",
    Endpoint.SPEECH: "speech",
}


class TraceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Address that traces are sent to, and how. Off unless an endpoint is given."""

    endpoint: str | None = None
    """Full URL of a collector's OTLP/HTTP receiver, for example `http://127.0.0.1:4318/v1/traces`."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers for the collector, its key for one. The environment's `OTEL_…` variables are not used."""
    ratio: float = 1.0
    """Share of requests that are traced, 0 to 1."""
    timeout_seconds: float = 5.0
    """Longest time for one export; it never holds up a request."""


class Traces:
    """Observer that exports traces in a thread of its own; what the collector does not take is dropped."""

    def __init__(
        self,
        settings: TraceSettings,
        catalog: Catalog,
        *,
        version: str,
        providers: Mapping[str, str] | None = None,
        exporter: Callable[[], Any] | None = None,
    ) -> None:
        """Set the exporter up; `exporter` is for tests.

        Raises:
            ConfigurationError: The extra is not installed.
        """
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
            from opentelemetry.trace import SpanKind, Status, StatusCode
        except ImportError as error:
            problem = "Traces are configured, but OpenTelemetry is not installed. Run: aduana extras install traces"
            raise ConfigurationError((problem,)) from error
        self._models = model_names(catalog)
        self._providers = dict(providers or {})
        self._kind = SpanKind.SERVER
        self._failed: Any = Status(StatusCode.ERROR)
        # A plain Resource: the environment's OTEL_… variables could carry anything into every span.
        self._provider = TracerProvider(
            resource=Resource({"service.name": "aduana", "service.version": version}),
            sampler=TraceIdRatioBased(settings.ratio),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter() if exporter else _otlp(settings)))
        self._tracer = self._provider.get_tracer("aduana", version)

    def on(self, event: Event) -> None:
        """Make a span of each settled request, back-dated to its beginning."""
        if isinstance(event, Settled):
            self._span(event.receipt, event.settlement)

    def close(self) -> None:
        """Export what is left. Blocks up to the timeout; call it in a thread."""
        self._provider.shutdown()

    def _span(self, receipt: Receipt, settlement: Settlement) -> None:
        # From the duration, which is monotonic: a clock that jumps can't make a span end before it began.
        begun = round(receipt.received_at * _NANO)
        ended = begun + round(settlement.duration_seconds * _NANO)
        operation = _OPERATIONS[receipt.endpoint]
        span = self._tracer.start_span(
            f"{operation} {receipt.model}",
            kind=self._kind,
            start_time=begun,
            attributes=self._attributes(receipt, settlement),
        )
        if settlement.first_token_seconds is not None:
            span.add_event("first_token", timestamp=begun + round(settlement.first_token_seconds * _NANO))
        for target, error in settlement.attempts:
            span.add_event("attempt_failed", {"aduana.target": target, "error.type": error}, timestamp=ended)
        if settlement.outcome is not Outcome.OK:
            span.set_status(self._failed)
        span.end(end_time=ended)

    def _attributes(self, receipt: Receipt, settlement: Settlement) -> dict[str, str | int]:
        usage = settlement.usage
        attributes: dict[str, str | int | None] = {
            "gen_ai.operation.name": _OPERATIONS[receipt.endpoint],
            "gen_ai.request.model": receipt.model,
            "gen_ai.response.model": self._models.get(settlement.target or ""),
            "gen_ai.provider.name": self._providers.get(settlement.target or ""),
            "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": usage.completion_tokens,
            "error.type": settlement.error,
            "aduana.request_id": receipt.request_id,
            "aduana.label": receipt.label.word,
            "aduana.rule": receipt.rule,
            "aduana.target": settlement.target,
            "aduana.server": settlement.server or None,
            "aduana.zone": settlement.zone.value if settlement.zone is not None else None,
            "aduana.outcome": settlement.outcome.value,
            "aduana.key": receipt.key,
            "aduana.cost_micros": settlement.cost_micros,
        }
        return {name: value for name, value in attributes.items() if value is not None}


def _otlp(settings: TraceSettings) -> Any:
    try:
        import requests
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        problem = "Traces are configured, but their exporter is not installed. Run: aduana extras install traces"
        raise ConfigurationError((problem,)) from error
    if settings.endpoint is None or not settings.endpoint.startswith(("http://", "https://")):
        raise ConfigurationError((f"traces: {settings.endpoint!r} is not the URL of an OTLP/HTTP receiver.",))
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc from the environment
    with contextlib.suppress(AttributeError):
        session.max_redirects = 0
    session.auth = _only(settings.headers)
    return OTLPSpanExporter(endpoint=settings.endpoint, timeout=settings.timeout_seconds, session=session)


_NEEDED = frozenset({"content-type", "content-length", "content-encoding", "accept", "accept-encoding", "connection"})


def _only(configured: Mapping[str, str]) -> Callable[[Any], Any]:
    """Return a hook that takes out of a request the headers that the exporter merged in from the environment."""

    def clean(request: Any) -> Any:
        for name in tuple(request.headers):
            if name.lower() not in _NEEDED:
                del request.headers[name]
        request.headers.update(configured)
        return request

    return clean

"""Files and packages that settings name: workflows, tariffs, time zones, extras that are not installed."""

from collections.abc import Iterator
from importlib.util import find_spec

from gateway.app.attachments import missing_extras
from gateway.app.room_settings import energy_settings, workflow_of
from gateway.core.errors import ConfigurationError
from gateway.ledger.ledger import zone_of
from gateway.ner import installed as names_installed
from gateway.observe.energy.tariff import Tariffs
from gateway.settings import Settings
from gateway.settings.managed import ManagedTargetConfig
from gateway.settings.servers import OpenAITargetConfig


def file_problems(settings: Settings) -> Iterator[str]:
    """Explain in sentences which of them can't be used."""
    for name, target in settings.targets.items():
        if isinstance(target, OpenAITargetConfig | ManagedTargetConfig) and target.workflow is not None:
            try:
                workflow_of(target.workflow)
            except ConfigurationError as error:
                yield from (f"targets.{name}.workflow: {problem}" for problem in error.problems)
    try:
        zone_of(settings.timezone)
    except ConfigurationError as error:
        yield from (f"timezone: {problem}" for problem in error.problems)
    else:
        try:
            Tariffs(energy_settings(settings).tariff)
        except ConfigurationError as error:
            yield from (f"energy.tariff: {problem}" for problem in error.problems)
    if settings.traces.endpoint is not None:
        yield from _traces(settings.traces.endpoint)


def extra_warnings(settings: Settings) -> Iterator[str]:
    """Explain in sentences what can't be done as configured, because a package is not installed; a start goes on."""
    inspection, attachments = settings.inspection, settings.attachments
    if inspection.names is not None and inspection.names_searched is not None and not names_installed():
        yield (
            "inspection.names: the search for names is not installed, so what would leave stays at home. "
            "Run: aduana extras install ner"
        )
    missing = missing_extras() if attachments.reads else ()
    for setting, wanted in (
        ("clean_may_leave", attachments.clean_may_leave),
        ("for_text_models", attachments.for_text_models),
    ):
        if missing and wanted:
            yield (
                f"attachments.{setting}: {' and '.join(missing)} are not read, so they count as sensitive. "
                "Run: aduana extras install documents"
            )


def _traces(endpoint: str) -> Iterator[str]:
    try:
        missing = any(
            find_spec(package) is None for package in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
        )
    except ModuleNotFoundError:
        missing = True
    if missing:
        yield "traces.endpoint: OpenTelemetry is not installed. Run: aduana extras install traces"
    if not endpoint.startswith(("http://", "https://")):
        yield f"traces.endpoint: {endpoint!r} is not the URL of an OTLP/HTTP receiver."

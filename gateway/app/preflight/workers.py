"""What several workers can't share: a ledger in a file, and models that each of them would load for itself."""

from collections.abc import Iterator

from gateway.settings import Settings
from gateway.settings.managed import ManagedTargetConfig
from gateway.settings.targets import EmbeddedTargetConfig, SpeechTargetConfig

_ONE_EACH = (EmbeddedTargetConfig, SpeechTargetConfig, ManagedTargetConfig)


def worker_problems(settings: Settings) -> Iterator[str]:
    """Explain in sentences why this configuration can't be served by several workers."""
    workers = settings.server.workers
    if workers == 1:
        return
    if settings.ledger.database is None:
        yield (
            f"server.workers: {workers} workers need a ledger that they can share, and this one is a file. Move it to "
            "PostgreSQL (docs/postgresql.md: 'aduana ledger move', then 'ledger: \"postgresql://…\"'), or write "
            "'workers: 1'."
        )
    for name, target in settings.targets.items():
        if isinstance(target, _ONE_EACH):
            yield (
                f"targets.{name}: each of the {workers} workers (server.workers) would start this model for itself. "
                "Run it as a server of its own, which they ask ('kind: openai, zone: local'), or write 'workers: 1'."
            )

"""The certificate that the gateway is to show: its two files, and whether they belong together."""

from collections.abc import Iterator

from gateway.app.service.certificates import Certificate
from gateway.core.errors import ConfigurationError
from gateway.settings import Settings


def certificate_problems(settings: Settings) -> Iterator[str]:
    """Explain in sentences why it can't be shown."""
    tls = settings.server.tls
    if tls is not None:
        try:
            Certificate(tls.certificate, tls.key)
        except ConfigurationError as error:
            yield from error.problems

"""The order in which harmless requests are asked."""

from gateway.cli.audit.cases import Numbers
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.released.histories import (
    after_a_doubt,
    after_private_ones,
    beside_an_identifier,
    doubted,
    everyday,
)
from gateway.cli.audit.released.look_alikes import asked_last, look_alikes


def asked_in_doubt(asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Ask a gateway whose inspection has no time: each request is doubted, and has to stay."""
    return asking.ask(doubted(numbers))


def released_after(asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Ask what has to get out."""
    return [
        *asking.ask(after_a_doubt(numbers)),
        *asking.ask(look_alikes(numbers)),
        *everyday(asking, numbers),
        *after_private_ones(asking, numbers),
        *beside_an_identifier(asking, numbers),
        *asking.ask(asked_last(numbers)),
    ]

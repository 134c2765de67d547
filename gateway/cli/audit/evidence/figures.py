"""What the page tells beyond the proofs: outcomes, policies in force, where sensitive requests went. Reads only."""

import sqlite3
from typing import NamedTuple

from gateway.core.labels import Label

_FROM = "FROM whole_receipts r LEFT JOIN settlements s ON s.seq = r.seq WHERE r.received_at >= ? AND r.received_at < ?"
_FAR = 1e15


class OutcomeCount(NamedTuple):
    """How many requests with a label ended in one way. `outcome` None: they still run."""

    label: int
    outcome: str | None
    requests: int


class PolicyInForce(NamedTuple):
    """One policy that decided requests of the period."""

    digest: str
    first: float  # Unix seconds of the first request that it decided
    last: float
    requests: int


class Answerer(NamedTuple):
    """Where sensitive requests were answered. None: nowhere."""

    target: str | None
    zone: str | None
    outcome: str | None
    requests: int


class Figures(NamedTuple):
    """Counts of the requests whose records are still there."""

    outcomes: list[OutcomeCount]
    policies: list[PolicyInForce]
    sensitive: list[Answerer]
    shadows: int  # sent a second time, to compare


def figures(connection: sqlite3.Connection, since: float | None, until: float | None) -> Figures:
    """Count a period's requests."""
    span = (since if since is not None else 0.0, until if until is not None else _FAR)
    outcomes = connection.execute(
        f"SELECT r.label, s.outcome, count(*) {_FROM} GROUP BY r.label, s.outcome ORDER BY r.label DESC, 3 DESC", span
    )
    policies = connection.execute(
        f"SELECT r.policy_digest, min(r.received_at), max(r.received_at), count(*) {_FROM} "
        "GROUP BY r.policy_digest ORDER BY 2",
        span,
    )
    sensitive = connection.execute(
        f"SELECT s.target, s.zone, s.outcome, count(*) {_FROM} AND r.label = ? "
        "GROUP BY s.target, s.zone, s.outcome ORDER BY 4 DESC",
        (*span, int(Label.SENSITIVE)),
    )
    (shadows,) = connection.execute(f"SELECT count(*) {_FROM} AND r.shadow = 1", span).fetchone()
    return Figures(
        outcomes=[OutcomeCount(*row) for row in outcomes],
        policies=[PolicyInForce(*row) for row in policies],
        sensitive=[Answerer(*row) for row in sensitive],
        shadows=int(shadows),
    )

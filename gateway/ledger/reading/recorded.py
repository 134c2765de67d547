"""Reads what past decisions saw, so that another policy can decide on the same. A connection that can't write."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gateway.core.errors import LedgerUnavailable
from gateway.core.record import Recorded
from gateway.ledger.database.places import database_at
from gateway.ledger.packing.facts import OWN, unpacked
from gateway.ledger.sql import Connection, Database

_QUERY = """
SELECT r.seq, r.request_id, r.key, r."user", r.model, r.tags, r.pattern, r.facts, r.label, r.rule, r.permitted,
       s.target, s.zone, s.outcome, s.cost_micros, s.first_token_seconds
FROM whole_receipts r LEFT JOIN settlements s USING (seq)
WHERE r.received_at >= ? AND length(r.facts) > 2
"""
_NEXT = f"{_QUERY} AND r.seq > ? ORDER BY r.seq LIMIT ?"
_PAGE = 1_000  # rows in memory at once
_NEWEST = f"{_QUERY} ORDER BY r.seq DESC LIMIT ?"


def recorded(place: Path | Database, since: float) -> Iterator[Recorded]:
    """Yield past requests, the oldest first.

    Args:
        place: The state directory, or the database.
        since: Unix seconds.

    Raises:
        LedgerUnavailable: There is no ledger, or it can't be read.
    """
    with _reading(database_at(place)) as connection:
        patterns = _patterns(connection)
        last = 0
        while rows := connection.execute(_NEXT, (since, last, _PAGE)).fetchall():
            yield from (_recorded(row, patterns) for row in rows)
            last = rows[-1][0]


def newest_recorded(place: Path | Database, since: float, count: int) -> Iterator[Recorded]:
    """Yield at most so many past requests, the newest first.

    Raises:
        LedgerUnavailable: There is no ledger, or it can't be read.
    """
    with _reading(database_at(place)) as connection:
        patterns = _patterns(connection)
        yield from (_recorded(row, patterns) for row in connection.execute(_NEWEST, (since, count)))


def _patterns(connection: Connection) -> dict[int | None, bytes | None]:
    return {None: None, **dict(connection.execute("SELECT number, content FROM fact_patterns"))}


def _recorded(row: tuple[Any, ...], patterns: Mapping[int | None, bytes | None]) -> Recorded:
    """Return a request; facts that are damaged are none: whoever reads them counts them as unreadable."""
    own, (pattern, kept, *rest) = row[1 : 1 + len(OWN)], row[1 + len(OWN) :]
    try:
        facts = unpacked(kept, own, patterns.get(pattern))
    except ValueError:
        facts = b""
    return Recorded(**dict(zip(Recorded.__struct_fields__, (facts, *rest), strict=True)))


@contextmanager
def _reading(database: Database) -> Iterator[Connection]:
    try:
        with closing(database.reader()) as connection:
            yield connection
    except database.failures as error:
        raise LedgerUnavailable(database.describe(error)) from error

"""What happens once at start: what a crash cut off is settled, old rows go, running totals are added up."""

import sqlite3
from datetime import date, datetime, tzinfo

from gateway.ledger.budgets import Budgets

_DAY = 86_400
# INVARIANT: every receipt ends in exactly one settlement. Money that may have been spent counts as spent.
_ORPHANS = """
INSERT INTO settlements
SELECT r.seq, max(?1, r.received_at), 'unknown', last.target, last.zone, 'gateway_stopped', 0, 0, 0, 0, 1,
       coalesce((SELECT sum(micros) FROM reservations WHERE seq = r.seq AND zone = 'cloud'), 0), NULL, NULL, 0.0
FROM receipts r
LEFT JOIN reservations last
       ON last.seq = r.seq AND last.number = (SELECT max(number) FROM reservations WHERE seq = r.seq)
WHERE NOT EXISTS (SELECT 1 FROM settlements s WHERE s.seq = r.seq)
"""


def settle_orphans(connection: sqlite3.Connection, now: float) -> int:
    """Settle as `unknown` what has no settlement, and return how many there were."""
    return connection.execute(_ORPHANS, (now,)).rowcount


def settle_orphan(connection: sqlite3.Connection, request_id: str, now: float) -> None:
    """Settle one request as `unknown`, if its receipt was written after all and it has no settlement."""
    connection.execute(f"{_ORPHANS} AND r.request_id = ?2", (now, request_id))


def prune(connection: sqlite3.Connection, today: int, days: int) -> int:
    """Remove settled requests older than `days`, a few thousand at a time, and return how many.

    `today` is that of `pruning_day`, in days since 1970.
    """
    if days <= 0:
        return 0
    oldest = (today + 1 - days) * _DAY
    # INVARIANT: what was written behind a request that stays, stays too, whatever the clock said then.
    young = connection.execute(
        "SELECT seq FROM receipts WHERE +received_at >= ? AND +received_at < ? ORDER BY seq LIMIT 1",
        (oldest, (today + 2) * _DAY),
    ).fetchone()
    return connection.execute(
        "DELETE FROM receipts WHERE seq IN (SELECT r.seq FROM receipts r JOIN settlements s USING (seq) "
        "WHERE r.received_at < ?1 AND (?2 IS NULL OR r.seq < ?2) ORDER BY r.seq LIMIT 5000)",
        (oldest, young[0] if young is not None else None),
    ).rowcount


def load_totals(connection: sqlite3.Connection, budgets: Budgets, today: date, zone: tzinfo | None) -> None:
    """Add up what was spent since the month began."""
    month = datetime(today.year, today.month, 1, tzinfo=zone).timestamp()
    day = datetime(today.year, today.month, today.day, tzinfo=zone).timestamp()
    rows = connection.execute(
        "SELECT r.key, s.settled_at >= ?, sum(s.cost_micros) FROM settlements s JOIN receipts r USING (seq) "
        "WHERE s.settled_at >= ? AND s.cost_micros > 0 GROUP BY 1, 2",
        (day, month),
    )
    for key, in_day, micros in rows:
        budgets.spend(key, micros, today=bool(in_day))

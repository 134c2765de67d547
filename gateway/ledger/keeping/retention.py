"""How long requests stay: so many days, and as long as the database is no larger than it may be.

INVARIANT: requests without a settlement stay, and the newest ones too, however small the limit.
"""

from gateway.ledger import chain
from gateway.ledger.keeping.removal import forget_carried, remove
from gateway.ledger.rows import MAX_COUNT
from gateway.ledger.sql import Connection

_DAY = 86_400
STEP = 500
"""Requests that are removed in one go: some milliseconds of the writer's."""
_NEWEST = 1_000  # requests that stay whatever they take


def prune(connection: Connection, today: int, days: int, now: float) -> int:
    """Remove settled requests older than `days`, a few hundred at a time, and return how many.

    `today` is that of `pruning_day`, in days since 1970.
    """
    forget_carried(connection, now)
    if days <= 0:
        return 0
    oldest = (today + 1 - days) * _DAY
    # INVARIANT: what was written behind a request that stays, stays too, whatever the clock said then.
    young = connection.execute(
        "SELECT seq FROM receipts WHERE +received_at >= ? AND +received_at < ? ORDER BY seq LIMIT 1",
        (oldest, (today + 2) * _DAY),
    ).fetchone()
    found = connection.execute(
        "SELECT r.seq FROM receipts r JOIN settlements s USING (seq) WHERE r.received_at < ? AND r.seq < ? "
        "ORDER BY r.seq LIMIT ?",
        (oldest, young[0] if young is not None else MAX_COUNT, STEP),
    ).fetchall()
    return remove(connection, [seq for (seq,) in found], now, chain.AGED)


def shrink(connection: Connection, now: float) -> int:
    """Remove the oldest settled requests, a few hundred at a time, and return how many."""
    newest = connection.execute("SELECT seq FROM receipts ORDER BY seq DESC LIMIT 1 OFFSET ?", (_NEWEST,)).fetchone()
    if newest is None:
        return 0
    found = connection.execute(
        "SELECT r.seq FROM receipts r JOIN settlements s USING (seq) WHERE r.seq <= ? ORDER BY r.seq LIMIT ?",
        (newest[0], STEP),
    ).fetchall()
    return remove(connection, [seq for (seq,) in found], now, chain.AGED)

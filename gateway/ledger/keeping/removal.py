"""The one way in which requests leave the ledger, whether they grew too old, were too many, or somebody was erased.

INVARIANT: what they cost goes on counting for the budgets of the running month, and what proves that nothing else was
removed stays. With a receipt go its settlement, attempts, reservations and energy (the tables cascade).
"""

from collections.abc import Iterator, Sequence

from gateway.ledger import chain
from gateway.ledger.sql import Connection

QUARTER = 900  # seconds: every time zone's days begin with a quarter of an hour
# So that no later receipt gets the number of one that was removed.
_NOTE_LAST = (
    "INSERT INTO removed_last (one, seq) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET "
    "seq = CASE WHEN excluded.seq > removed_last.seq THEN excluded.seq ELSE removed_last.seq END"
)
_CHUNK = 500  # SQLite's oldest limit of variables in a statement is 999
_DAY = 86_400
_MONTH = 32 * _DAY  # no limit reaches further back
# A shadow's tokens are in no limit.
_TOKENS = "CASE WHEN r.shadow = 0 THEN s.input + s.input_cached + s.output + s.reasoning ELSE 0 END"
_CARRY = (
    'INSERT INTO removed_spending (quarter, key, "user", tags, target, micros, tokens) VALUES (?, ?, ?, ?, ?, ?, ?) '
    'ON CONFLICT (quarter, key, "user", tags, target) DO UPDATE SET '
    "micros = removed_spending.micros + excluded.micros, tokens = removed_spending.tokens + excluded.tokens"
)
USED = f"""
SELECT r.key, r."user", r.tags, s.target, s.settled_at AS at, s.cost_micros AS micros, {_TOKENS} AS tokens
FROM receipts r JOIN settlements s USING (seq) WHERE s.settled_at >= ?
UNION ALL
SELECT key, nullif("user", ''), tags, nullif(target, ''), {QUARTER}.0 * quarter, micros, tokens
FROM removed_spending WHERE {QUARTER}.0 * quarter >= ?
"""  # noqa: S608
"""Query of what requests have cost and used since a moment (twice), also those that were removed meanwhile."""


def remove(connection: Connection, seqs: Sequence[int], now: float, reason: chain.LinkKind) -> int:
    """Remove settled requests, in the caller's transaction, and return how many there were.

    `reason`: `chain.ERASED` or `chain.AGED`, which the chain goes on saying.
    """
    removed = 0
    for some in _chunks(seqs):
        marks = ",".join("?" * len(some))
        # Somebody else may have removed some of them meanwhile: the chain tells each removal once.
        there = connection.execute(f"SELECT seq FROM settlements WHERE seq IN ({marks}) ORDER BY seq", some)  # noqa: S608 - only question marks
        found = [seq for (seq,) in there.fetchall()]
        if not found:
            continue
        connection.execute(_NOTE_LAST, (found[-1],))
        _carry(connection, found, now)
        chain.forget(connection, found, at=now, reason=reason)
        connection.executemany("DELETE FROM receipts WHERE seq = ?", [(seq,) for seq in found])
        removed += len(found)
    return removed


def _carry(connection: Connection, seqs: Sequence[int], now: float) -> None:
    """Keep what these requests cost and used, as long as a limit may reach back to it."""
    marks = ",".join("?" * len(seqs))
    query = (
        "SELECT r.key, coalesce(r.\"user\", ''), r.tags, coalesce(s.target, ''), s.settled_at, "  # noqa: S608
        f"coalesce(s.cost_micros, 0), {_TOKENS} FROM receipts r JOIN settlements s USING (seq) "
        f"WHERE r.seq IN ({marks}) AND s.settled_at >= ?"
    )
    sums: dict[tuple[int, str, str, str, str], tuple[int, int]] = {}
    for *whose, settled_at, micros, tokens in connection.execute(query, (*seqs, now - _MONTH)):
        today = settled_at >= now - 2 * _DAY  # tokens are counted by day
        place = (int(settled_at // QUARTER), *whose)
        before = sums.get(place, (0, 0))
        sums[place] = (before[0] + micros, before[1] + (tokens if today else 0))
    connection.executemany(
        _CARRY, [(*place, micros, tokens) for place, (micros, tokens) in sums.items() if micros or tokens]
    )


def forget_carried(connection: Connection, now: float) -> None:
    """Delete what was carried for budgets of months that are over: it names keys."""
    connection.execute("DELETE FROM removed_spending WHERE quarter < ?", (int((now - _MONTH) // QUARTER),))


def _chunks(seqs: Sequence[int]) -> Iterator[Sequence[int]]:
    return (seqs[start : start + _CHUNK] for start in range(0, len(seqs), _CHUNK))

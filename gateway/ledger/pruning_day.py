"""Up to which day old records may be removed: by the clock, and at most one day further each day.

So a clock that jumps, forward or back, empties nothing.
"""

from gateway.ledger.sql import Connection

_DAY = 86_400


def advance(connection: Connection, now: float) -> int:
    """Return the day (since 1970) that counts as today for removing old records, and keep it.

    It lags behind where the gateway was off for long, and then old records only stay longer.
    """
    clock = int(now // _DAY)
    row = connection.execute("SELECT clock, today FROM pruning").fetchone()
    if row is None:
        newest = connection.execute("SELECT received_at FROM receipts ORDER BY seq DESC LIMIT 1").fetchone()
        today = clock if newest is None else min(clock, int(newest[0] // _DAY) + 1)
    else:
        before, today = row
        if clock > before:
            today = min(clock, today + 1)
        if not before - 1 <= clock <= before + 1:
            import structlog  # only here: who imports this room for its lock has to be quick

            structlog.get_logger("aduana.ledger").warning("ledger.clock_jumped", seconds=(clock - before) * _DAY)
    connection.execute(
        "INSERT INTO pruning VALUES (1, ?, ?) "
        "ON CONFLICT (one) DO UPDATE SET clock = excluded.clock, today = excluded.today",
        (clock, today),
    )
    return int(today)

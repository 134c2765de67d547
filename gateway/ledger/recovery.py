"""What happens once at start: what a crash cut off is settled, running totals are added up."""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo

import msgspec

from gateway.core.limits import Account, Scope, account_name
from gateway.ledger import chain
from gateway.ledger.budgets import Budgets
from gateway.ledger.keeping.removal import USED
from gateway.ledger.sql import Connection

# INVARIANT: every receipt ends in exactly one settlement. Money that may have been spent counts as spent.
_ORPHANS = """
INSERT INTO settlements
SELECT r.seq, CASE WHEN r.received_at > ? THEN r.received_at ELSE ? END,
       'unknown', last.target, last.zone, 'gateway_stopped', 0, 0, 0, 0, 1,
       coalesce((SELECT sum(micros) FROM reservations WHERE seq = r.seq AND zone = 'cloud'), 0), NULL, NULL, 0.0
FROM receipts r
LEFT JOIN reservations last
       ON last.seq = r.seq AND last.number = (SELECT max(number) FROM reservations WHERE seq = r.seq)
WHERE NOT EXISTS (SELECT 1 FROM settlements s WHERE s.seq = r.seq)
"""
_UNSETTLED = (
    "SELECT r.seq FROM receipts r WHERE NOT EXISTS (SELECT 1 FROM settlements s WHERE s.seq = r.seq) ORDER BY r.seq"
)


def settle_orphans(connection: Connection, now: float) -> int:
    """Settle as `unknown` what has no settlement, and return how many there were."""
    seqs = [seq for (seq,) in connection.execute(_UNSETTLED)]
    connection.execute(_ORPHANS, (now, now))
    chain.add_settlements(connection, seqs)
    return len(seqs)


def settle_orphan(connection: Connection, request_id: str, now: float) -> None:
    """Settle one request as `unknown`, if its receipt was written after all and it has no settlement."""
    if connection.execute(f"{_ORPHANS} AND r.request_id = ?", (now, now, request_id)).rowcount > 0:
        found = connection.execute("SELECT seq FROM receipts WHERE request_id = ?", (request_id,))
        chain.add_settlements(connection, [seq for (seq,) in found])


def load_totals(connection: Connection, budgets: Budgets, today: date, zone: tzinfo | None) -> None:
    """Add up what was spent since the month began, also by requests that were removed since."""
    month = datetime(today.year, today.month, 1, tzinfo=zone).timestamp()
    rows = connection.execute(
        'SELECT key, "user", tags, target, CASE WHEN at >= ? THEN 1 ELSE 0 END, sum(micros) '  # noqa: S608
        f"FROM ({USED}) AS used WHERE micros > 0 GROUP BY 1, 2, 3, 4, 5",
        (_midnight(today, zone), month, month),
    )
    for key, user, tags, target, in_day, micros in rows:
        accounts = [
            Account(name=name, told=name)
            for scope, of in _scopes(key, user, tags, target)
            for name in (account_name(scope, of), account_name(scope, of, daily=True))
            # A client can invent tags: only those with a limit are worth a sum of their own.
            if scope in (Scope.KEY, Scope.USER) or budgets.is_limited(name)
        ]
        budgets.spend(key, int(micros), today=bool(in_day), accounts=accounts)


def tokens_of_day(connection: Connection, today: date, zone: tzinfo | None) -> Mapping[tuple[Scope, str], int]:
    """Add up the tokens that were used since the day began, by key, user, tag and target."""
    since = _midnight(today, zone)
    rows = connection.execute(
        f'SELECT key, "user", tags, target, sum(tokens) FROM ({USED}) AS used WHERE tokens > 0 GROUP BY 1, 2, 3, 4',  # noqa: S608
        (since, since),
    )
    found: dict[tuple[Scope, str], int] = {}
    for key, user, tags, target, tokens in rows:
        for one in _scopes(key, user, tags, target):
            found[one] = found.get(one, 0) + int(tokens)
    return found


def _scopes(key: str, user: str | None, tags: str, target: str | None) -> list[tuple[Scope, str]]:
    found = [(Scope.KEY, key)]
    found += [(Scope.USER, user)] if user is not None else []
    found += [(Scope.TAG, tag) for tag in msgspec.json.decode(tags, type=list[str])]
    found += [(Scope.TARGET, target)] if target is not None else []
    return found


def _midnight(day: date, zone: tzinfo | None) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()

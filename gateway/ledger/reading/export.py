"""Everything that the ledger has of single requests, one after the other, for other programs. Reads only."""

import json
import sqlite3
from collections.abc import Generator, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from gateway.core.labels import Label
from gateway.ledger.packing.facts import OWN, unpacked

_COLUMNS = (
    "r.seq", "r.request_id", "r.received_at", "r.dialect", "r.endpoint", "r.key", 'r."user"', "r.model", "r.stream",
    "r.label", "r.label_source", "r.tags", "r.categories", "r.masked", "r.doubts", "r.rule", "r.permitted", "r.refusal",
    "r.budget", "r.prompt_tokens", "r.policy_digest", "r.shadow", "r.conversation", "s.settled_at", "s.outcome",
    "s.target", "s.zone", "s.error", "s.input", "s.input_cached", "s.output", "s.reasoning", "s.estimated",
    "s.cost_micros", "s.avoided_micros", "s.first_token_seconds", "s.duration_seconds", "e.microjoules",
    "e.electricity_nanos", "v.server",
)  # fmt: skip
FIELDS = tuple(column.partition(".")[2].strip('"') for column in _COLUMNS)
"""Names of what a request has, in the order of a table's columns; `attempts` and `facts` come behind them."""
_own = itemgetter(*[FIELDS.index(name) for name in OWN])
_TRUTHS = frozenset({"stream", "shadow", "estimated"})
_LISTS = frozenset({"tags", "categories", "masked", "doubts", "permitted"})


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests are wanted. Times in Unix seconds, `until` not included. Empty: those of every key and user."""

    since: float = 0.0
    until: float = float("inf")
    key: str = ""
    users: tuple[str, ...] = ()  # one of them: a person may stand there by a pseudonym


def exported(connection: sqlite3.Connection, period: Period, *, facts: bool) -> Generator[dict[str, Any]]:
    """Yield requests in the order in which they came, as plain data; money in micro-dollars.

    Args:
        connection: Outside of a transaction; all is read from one state of the ledger.
        period: Which of them.
        facts: With what the policy saw.

    Raises:
        sqlite3.Error: The ledger can't be read.
    """
    values: list[object]
    conditions, values = ["r.received_at >= ?", "r.received_at < ?"], [period.since, period.until]
    if period.key:
        conditions.append("r.key = ?")
        values.append(period.key)
    if period.users:
        conditions.append(f'r."user" IN ({",".join("?" * len(period.users))})')
        values += period.users
    query = (
        f"SELECT {', '.join(_COLUMNS)}, r.facts, r.pattern FROM whole_receipts r LEFT JOIN settlements s USING (seq) "  # noqa: S608
        "LEFT JOIN request_energy e USING (seq) LEFT JOIN answering_servers v USING (seq) "
        f"WHERE {' AND '.join(conditions)} ORDER BY r.seq"
    )
    connection.execute("BEGIN")
    try:
        patterns: dict[int | None, bytes | None] = {None: None}
        patterns.update(connection.execute("SELECT number, content FROM fact_patterns"))
        for *fields, kept, pattern in connection.execute(query, values):
            found = _plain(dict(zip(FIELDS, fields, strict=True)))
            tries = connection.execute("SELECT target, error FROM attempts WHERE seq = ? ORDER BY number", fields[:1])
            found["attempts"] = [list(one) for one in tries]
            if facts:
                found["facts"] = _facts(kept, _own(fields), patterns.get(pattern))
            yield found
    finally:
        connection.execute("ROLLBACK")


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    found["label"] = Label(found["label"]).word
    found["conversation"] = None if found["conversation"] is None else found["conversation"].hex()
    for name in _TRUTHS:
        found[name] = None if found[name] is None else bool(found[name])
    for name in _LISTS:
        found[name] = json.loads(found[name])
    return found


def _facts(kept: bytes, own: Sequence[object], pattern: bytes | None) -> Any:
    try:
        return json.loads(unpacked(kept, own, pattern))
    except ValueError:
        return None

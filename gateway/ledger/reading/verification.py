"""Whether a ledger is whole and keeps what it promises. Reads only; the gateway may run meanwhile."""

import sqlite3
from collections import Counter
from collections.abc import Iterator

import msgspec

from gateway.ledger import chain
from gateway.ledger.packing.facts import unpacked

_MOST_TOLD = 5  # rows that a sentence names


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One promise, and whether it is kept. `detail`: numbers, or what is wrong."""

    name: str
    ok: bool
    detail: str


def verify(connection: sqlite3.Connection) -> Iterator[Check]:
    """Yield what was checked, one promise after the other, on one and the same state of the ledger.

    Raises:
        sqlite3.Error: The file is so damaged that it can't be read.
    """
    connection.execute("BEGIN")
    try:
        yield _file(connection)
        yield _links(connection)
        yield _settlements(connection)
        yield _border(connection)
        yield _facts(connection)
        yield _chain(connection)
    finally:
        connection.execute("ROLLBACK")


def _file(connection: sqlite3.Connection) -> Check:
    found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_MOST_TOLD})")]
    whole = found == ["ok"]
    return Check(name="file", ok=whole, detail="no damage, every index fits its table" if whole else "; ".join(found))


def _links(connection: sqlite3.Connection) -> Check:
    found = connection.execute("PRAGMA foreign_key_check").fetchall()
    told = ", ".join(f"{table} row {row}" for table, row, *_ in found[:_MOST_TOLD])
    detail = f"{len(found)} rows belong to nothing: {told}" if found else "every row belongs to its receipt"
    return Check(name="links", ok=not found, detail=detail)


def _settlements(connection: sqlite3.Connection) -> Check:
    # INVARIANT: at most one settlement a receipt is the table's primary key, which was looked at with the file.
    receipts, settled = connection.execute(
        "SELECT count(*), count(s.seq) FROM receipts r LEFT JOIN settlements s USING (seq)"
    ).fetchone()
    (strangers,) = connection.execute(
        "SELECT count(*) FROM settlements s WHERE NOT EXISTS (SELECT 1 FROM receipts r WHERE r.seq = s.seq)"
    ).fetchone()
    detail = f"{settled:,} of {receipts:,} receipts have theirs"
    if receipts > settled:
        detail += f"; {receipts - settled:,} run now, or were cut off and are settled by the next start"
    if strangers:
        detail += f"; {strangers:,} settlements have no receipt"
    return Check(name="settlements", ok=not strangers, detail=detail)


def _border(connection: sqlite3.Connection) -> Check:
    found = connection.execute(
        "SELECT r.request_id FROM receipts r JOIN settlements s USING (seq) WHERE r.label = 2 AND s.zone = 'cloud' "
        "ORDER BY r.seq"
    ).fetchall()
    (sensitive,) = connection.execute("SELECT count(*) FROM receipts WHERE label = 2").fetchone()
    told = ", ".join(name for (name,) in found[:_MOST_TOLD])
    detail = f"{len(found)} were answered by a cloud: {told}" if found else f"none of {sensitive:,} met a cloud"
    return Check(name="sensitive requests", ok=not found, detail=detail)


def _facts(connection: sqlite3.Connection) -> Check:
    patterns = dict(connection.execute("SELECT number, content FROM fact_patterns"))
    read, bad = 0, []
    query = 'SELECT seq, pattern, facts, request_id, key, "user", model, tags FROM receipts ORDER BY seq'
    for seq, number, facts, *own in connection.execute(query):
        try:
            plain = unpacked(facts, own, None if number is None else patterns[number])
            read += 1
        except (ValueError, KeyError):
            plain = b""
        if not plain.startswith(b"{"):
            bad.append(seq)
    told = ", ".join(map(str, bad[:_MOST_TOLD]))
    detail = f"those of {len(bad)} receipts can't be read: rows {told}" if bad else f"those of {read:,} can be read"
    return Check(name="facts", ok=not bad, detail=detail)


def _chain(connection: sqlite3.Connection) -> Check:
    found = chain.verify(connection)
    faults = Counter(problem.fault.value.replace("_", " ") for problem in found.problems)
    told = ", ".join(f"{name} ({count})" for name, count in faults.items())
    detail = f"{told}; 'aduana audit verify' says more" if faults else f"{found.links:,} links lead to its head"
    return Check(name="chain", ok=not faults, detail=detail)

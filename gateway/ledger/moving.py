"""A file's records in an empty database that gateways can share: all of them, exactly as they are, or none.

What several gateways only note about each other while they run (`sharing.py`) has no rows in a file.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.ledger import identity, recovery
from gateway.ledger.database.sqlite import describe
from gateway.ledger.schema import VERSION
from gateway.ledger.sql import Connection, Filling, SharedDatabase

_TOGETHER = 1_000  # rows between two words about how far it is
_OF_THE_MOMENT = frozenset(
    {"gateways", "open_requests", "holds", "spent", "limit_minutes", "limit_days", "limit_holds"}
)
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid"
_END = "SELECT number, head FROM chain_head"
_LAST_LINK = "SELECT commitment FROM chain_links ORDER BY number DESC LIMIT 1"


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What was moved, and found to be the same on both sides."""

    rows: Mapping[str, int]  # by table
    links: int  # number of the chain's last link
    head: str  # the chain's end, hexadecimal
    settled: int = 0  # requests that a crash had cut off, settled there as a start would have

    @property
    def whole(self) -> int:
        """Return how many rows there are in all."""
        return sum(self.rows.values())


def move(
    file: Path,
    source: sqlite3.Connection,
    database: SharedDatabase,
    *,
    now: float,
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> Moved:
    """Copy a ledger whole into an empty database, in one transaction there. Blocks.

    INVARIANT: nothing of it stands there before everything does, was counted, and the chain ends with the same link.

    Args:
        file: The ledger's file, whose gateway is stopped.
        source: Reads it, in no transaction.
        database: Where it goes.
        now: Unix seconds.
        progress: Is told now and then how many rows are there, and how many there will be.

    Raises:
        LedgerUnavailable: The file can't be read or has changed meanwhile, or the database is not empty or can't keep
            it. Nothing was moved.
    """
    try:
        version = _written(source)
        source.execute("BEGIN")
        counts = {name: _count(source, name) for name in _in_order(source)}
        whole, done = sum(counts.values()), 0
        with database.filling() as filling:
            for table in counts:
                for told in _copied(source, filling, table):
                    progress(done + told, whole)
                done += counts[table]
            progress(whole, whole)
            moved = _same(source, filling.connection, counts)
            source.execute("COMMIT")
            if _written(source) != version:  # of a key, or an erasure
                raise LedgerUnavailable(f"A command has changed {file} meanwhile. Nothing was moved; run this again.")
            settled = recovery.settle_orphans(filling.connection, now)
    except sqlite3.Error as error:
        raise LedgerUnavailable(describe(error, file)) from error
    except database.failures as error:
        raise LedgerUnavailable(f"{database.describe(error)} Nothing was moved.") from error
    return msgspec.structs.replace(moved, settled=settled)


def moved_before(source: sqlite3.Connection, database: SharedDatabase) -> bool:
    """Return whether a database has this very ledger already, as far as it was or beyond.

    Raises:
        LedgerUnavailable: The database can't be read.
    """
    try:
        if database.version() != VERSION:
            return False
        connection = database.reader()
        try:
            there, here = identity.read(connection), identity.read(source)
            end = source.execute(_END).fetchone()
            if not here.id or (there.id, there.key) != (here.id, here.key) or end is None:
                return False
            return _has_link(connection, end[0], source.execute(_LAST_LINK).fetchone())
        finally:
            connection.close()
    except database.failures as error:
        raise LedgerUnavailable(database.describe(error)) from error


def _has_link(connection: Connection, number: int, link: Any) -> bool:
    found = connection.execute("SELECT commitment FROM chain_links WHERE number = ?", (number,)).fetchone()
    return found is not None and link is not None and bytes(found[0]) == link[0]


def _written(source: sqlite3.Connection) -> int:
    """Return a number that changes when somebody else writes to the file. Outside of transactions."""
    return int(source.execute("PRAGMA data_version").fetchone()[0])


def _in_order(source: sqlite3.Connection) -> list[str]:
    """Return the tables that have something to keep, each behind those that it refers to."""
    names = [name for (name,) in source.execute(_TABLES) if name not in _OF_THE_MOMENT]
    needed = {name: {row[2] for row in source.execute(f'PRAGMA foreign_key_list("{name}")')} for name in names}
    ordered: list[str] = []
    while len(ordered) < len(names):
        ordered += [name for name in names if name not in ordered and needed[name] <= set(ordered)]
    return ordered


def _count(connection: Connection | sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608 - the schema's names


def _copied(source: sqlite3.Connection, filling: Filling, table: str) -> Iterator[int]:
    """Copy a table, and yield now and then how many of its rows are there."""
    columns = [row[1] for row in source.execute(f'PRAGMA table_info("{table}")')]
    names = ", ".join(f'"{name}"' for name in columns)
    rows = source.execute(f'SELECT {names} FROM "{table}"')  # noqa: S608 - likewise
    done = 0
    while some := rows.fetchmany(_TOGETHER):
        filling.add(table, columns, some)
        done += len(some)
        yield done


def _same(source: sqlite3.Connection, there: Connection, counts: Mapping[str, int]) -> Moved:
    """Compare both sides.

    Raises:
        LedgerUnavailable: They differ.
    """
    different = [table for table, count in counts.items() if _count(there, table) != count]
    here, end = _end(source), _end(there)
    if different or here != end:
        what = f"the rows of {', '.join(different)}" if different else "the end of the chain"
        raise LedgerUnavailable(f"The database has not taken over {what} as they are. Nothing was moved.")
    return Moved(rows=counts, links=here[0], head=here[1])


def _end(connection: Connection | sqlite3.Connection) -> tuple[int, str, Sequence[str]]:
    number, head = connection.execute(_END).fetchone() or (0, b"")
    return number, bytes(head).hex(), [bytes(row[0]).hex() for row in connection.execute(_LAST_LINK).fetchall()]

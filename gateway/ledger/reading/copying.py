"""A shared ledger as one SQLite file, for whoever verifies it elsewhere."""

import os
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from gateway.core.errors import LedgerUnavailable, Unavailable
from gateway.ledger.schema import migrate
from gateway.ledger.sql import Connection, Database

_ROWS = 2_000  # in memory at once


def copy_as_file(database: Database, file: Path, tables: Collection[str]) -> None:
    """Write these tables of a shared ledger, as they are at one moment, into a new file for its owner alone. Blocks.

    Gateways may write meanwhile. The file's other tables are empty.

    Raises:
        LedgerUnavailable: The ledger can't be read.
        Unavailable: The file is there already, or can't be written.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        with closing(database.reader()) as read, closing(sqlite3.connect(file, isolation_level=None)) as written:
            migrate(written, 0)
            read.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            written.execute("BEGIN")
            for (table,) in written.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                if table in tables:
                    _copy(read, written, table)
            written.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{file} can't be written: {error}.") from error
    except database.failures as error:
        raise LedgerUnavailable(database.describe(error)) from error


def _copy(read: Connection, written: sqlite3.Connection, table: str) -> None:
    names = [row[1] for row in written.execute(f'PRAGMA table_info("{table}")')]
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    read.execute(f'DECLARE copied NO SCROLL CURSOR FOR SELECT {columns} FROM "{table}"')  # noqa: S608 - the schema's names
    while rows := read.execute(f"FETCH {_ROWS} FROM copied").fetchall():
        written.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', rows)  # noqa: S608 - likewise
    read.execute("CLOSE copied")

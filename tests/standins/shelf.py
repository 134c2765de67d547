"""Where a store lies, for tests: in a file, or in a database that gateways share."""

import contextlib
import sqlite3
from pathlib import Path

from gateway.core.secret import Secret
from gateway.ledger import shared_database, shared_store
from gateway.stored import FILE_NAME, Place


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


class Shelf:
    """An empty place for records: a folder, and the address of a database if there is one."""

    def __init__(self, folder: Path, address: str | None = None) -> None:
        self.folder = folder
        self.file = folder / FILE_NAME
        self.address = address
        if address is not None:
            shared_database(Secret(address)).prepare()  # as the ledger does, which is opened before

    def place(self, store: str = "responses", *, using: bool = True) -> Place | None:
        """The shared database, as one more gateway uses it."""
        return None if self.address is None else shared_store(Secret(self.address), None, store, using=using)

    def rows(self, columns: str) -> list[tuple[object, ...]]:
        """What somebody else reads of all records."""
        return self.run(f"SELECT {columns} FROM {{0}}")

    def run(self, sql: str) -> list[tuple[object, ...]]:
        """Run a statement as somebody else would; `{0}` is the table of records."""
        if self.address is None:
            with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as database:
                return database.execute(sql.format("records")).fetchall()
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(sql.format("stored").encode())
            return cursor.fetchall() if cursor.description else []

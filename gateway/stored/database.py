"""The database of sealed records in a file of one gateway. Used by one thread; it never sees a content.

INVARIANT: what a method has written survives a power cut, and what it has deleted is overwritten in the file
(`secure_delete`), its rollback journal emptied.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeVar

from gateway.stored.contract import Row
from gateway.stored.sealing import Sealing

# "ADUR": says in the file's header whose database this is, so that somebody else's is never written to.
_APPLICATION = 0x41445552
_VERSION = 1
_TABLES = """
CREATE TABLE records (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    seen REAL NOT NULL,
    bytes INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX records_seen ON records (seen, bytes);
"""

T = TypeVar("T")


class Foreign(sqlite3.DatabaseError):
    """Error of a file that another program, or a newer version, has written."""


def check_owner(connection: sqlite3.Connection) -> bool:
    """Return whether a database has tables, which are ours then.

    Raises:
        Foreign: They are another program's, or a newer version's.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    used = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if used and (application != _APPLICATION or version > _VERSION):
        raise Foreign("another program or a newer version has written it")
    return bool(used)


class Database:
    """Table of sealed records, bounded in bytes and in time."""

    shared = False

    def __init__(
        self, file: Path, *, most_bytes: int, owner_bytes: int | None = None, busy_seconds: float = 2.0
    ) -> None:
        """Open the file, and make it where there is none.

        Args:
            file: Where it lies.
            most_bytes: Of all records.
            owner_bytes: Of those of one owner; None: as many as of all.
            busy_seconds: For another process that holds it.

        Raises:
            OSError: It can't be made.
            sqlite3.Error: It can't be opened, or is not ours.
        """
        self._most_bytes = most_bytes
        self._owner_bytes = owner_bytes
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._connection = sqlite3.connect(file, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        try:
            self._begin()
        except BaseException:
            self._connection.close()
            raise

    def _begin(self) -> None:
        run = self._connection.execute
        used = check_owner(self._connection)
        run("PRAGMA journal_mode = TRUNCATE")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA secure_delete = ON")
        if not used:
            self._connection.executescript(
                f"BEGIN; PRAGMA application_id = {_APPLICATION}; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;"
            )

    def interrupt(self) -> None:
        """Do nothing: a disk answers in the end, or nothing can end the wait for it."""

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def check(self, sealing: Sealing, setting: str) -> None:
        """Do nothing: no other gateway seals what is in the file."""

    def change(self, work: Callable[[], T]) -> T:
        """Do some work, which calls other methods, in one transaction: nobody changes what it has read."""
        with self._transaction():
            return work()

    def read(self, record_id: str, owner: str, *, since: float) -> bytes | None:
        """Return a sealed record that was made or continued `since` then; None: this owner has none."""
        row = self._connection.execute(
            "SELECT sealed FROM records WHERE id = ? AND owner = ? AND seen >= ?", (record_id, owner, since)
        ).fetchone()
        return None if row is None else row[0]

    def row(self, record_id: str, owner: str) -> Row | None:
        """Return a record as it is; None: this owner has none."""
        row = self._connection.execute(
            "SELECT seen, sealed FROM records WHERE id = ? AND owner = ?", (record_id, owner)
        ).fetchone()
        return None if row is None else Row(id=record_id, owner=owner, seen=row[0], sealed=row[1])

    def write(self, rows: tuple[Row, ...], *, renewed: tuple[str, ...] = ()) -> None:
        """Write records, all or none, and note of others of the same owner that they were continued.

        Beyond the size of one owner's, that owner's records that were not continued for the longest time go; beyond the
        size of all, those of whoever they are.

        Raises:
            sqlite3.Error: They can't be written.
        """
        with self._transaction():
            for row in rows:
                self._connection.execute(
                    "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)",
                    (row.id, row.owner, row.seen, len(row.sealed), row.sealed),
                )
                self._connection.executemany(
                    "UPDATE records SET seen = max(seen, ?) WHERE id = ? AND owner = ?",
                    [(row.seen, one, row.owner) for one in renewed],
                )
            if self._owner_bytes is not None:
                for owner in {row.owner for row in rows}:
                    self._make_room(self._owner_bytes, owner)
            self._make_room(self._most_bytes)

    def delete(self, record_id: str, owner: str) -> None:
        """Delete a record of this owner.

        Raises:
            sqlite3.Error: It can't be written.
        """
        with self._transaction():
            self._connection.execute("DELETE FROM records WHERE id = ? AND owner = ?", (record_id, owner))

    def delete_whole(self, record_id: str, owner: str, *, itself: bool = True) -> None:
        """Delete a record of this owner with its parts, or its parts alone.

        Raises:
            sqlite3.Error: It can't be written.
        """
        with self._transaction():
            if itself:
                self._connection.execute("DELETE FROM records WHERE id = ? AND owner = ?", (record_id, owner))
            self._connection.execute(
                "DELETE FROM records WHERE id >= ? AND id < ? AND owner = ?", (f"{record_id}/", f"{record_id}0", owner)
            )

    def delete_orphans(self, before: float) -> None:
        """Delete the parts, made before then, of records that are not there.

        Raises:
            sqlite3.Error: It can't be written.
        """
        with self._transaction():
            self._connection.execute(
                "DELETE FROM records WHERE instr(id, '/') AND seen < ? "
                "AND substr(id, 1, instr(id, '/') - 1) NOT IN (SELECT id FROM records WHERE NOT instr(id, '/'))",
                (before,),
            )

    def ids(self, prefix: str, owner: str | None, *, since: float) -> list[tuple[str, str]]:
        """Return owner and id of the records whose ids begin so, newest first; None: of every owner."""
        return self._ids(prefix, owner, since, "NOT instr(id, '/')")

    def parts(self, record_id: str, owner: str, *, since: float) -> list[str]:
        """Return what the ids of a record's parts have behind its own."""
        return [name.removeprefix(f"{record_id}/") for _, name in self._ids(f"{record_id}/", owner, since, "1")]

    def owners(self) -> list[str]:
        """Return everybody who has a record."""
        return [owner for (owner,) in self._connection.execute("SELECT DISTINCT owner FROM records")]

    def all_ids(self, owner: str) -> list[str]:
        """Return the ids of all records of an owner, parts as well."""
        return [name for (name,) in self._connection.execute("SELECT id FROM records WHERE owner = ?", (owner,))]

    def owner_of(self, record_id: str) -> str | None:
        """Return whose a record is; None: it is not there."""
        row = self._connection.execute("SELECT owner FROM records WHERE id = ?", (record_id,)).fetchone()
        return None if row is None else str(row[0])

    def delete_all(self, owner: str, ids: Iterable[str]) -> None:
        """Delete records of an owner.

        Raises:
            sqlite3.Error: They can't be written.
        """
        with self._transaction():
            self._connection.executemany(
                "DELETE FROM records WHERE id = ? AND owner = ?", [(name, owner) for name in ids]
            )

    def total(self, owner: str | None = None) -> int:
        """Return the bytes of an owner's records; None: of all."""
        total: int = self._connection.execute(
            "SELECT coalesce(sum(bytes), 0) FROM records WHERE ? IS NULL OR owner = ?", (owner, owner)
        ).fetchone()[0]
        return total

    def expire(self, before: float) -> None:
        """Delete what was neither made nor continued since then.

        Raises:
            sqlite3.Error: It can't be written.
        """
        if self._connection.execute("SELECT 1 FROM records WHERE seen < ? LIMIT 1", (before,)).fetchone() is None:
            return
        with self._transaction():
            self._connection.execute("DELETE FROM records WHERE seen < ?", (before,))

    def take(self, names: Sequence[str], holder: str, seconds: float) -> tuple[str, bool] | None:
        """Return the first lease: no other gateway uses the file."""
        return (names[0], True) if names else None

    def renew(self, names: Sequence[str], holder: str, seconds: float) -> list[str]:
        """Return the leases: no other gateway uses the file."""
        return list(names)

    def release(self, names: Sequence[str], holder: str) -> None:
        """Do nothing: no other gateway uses the file."""

    def holds(self, name: str, holder: str) -> bool:
        """Return True: no other gateway uses the file."""
        return True

    def _ids(self, prefix: str, owner: str | None, since: float, which: str) -> list[tuple[str, str]]:
        return self._connection.execute(
            "SELECT owner, id FROM records WHERE id >= ? AND id < ? AND (? IS NULL OR owner = ?) AND seen >= ? "  # noqa: S608 - constants
            f"AND {which} ORDER BY seen DESC, rowid DESC",
            (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1), owner, owner, since),
        ).fetchall()

    def _transaction(self) -> AbstractContextManager[object]:
        if self._connection.in_transaction:  # one of `change`, which ends it
            return nullcontext()
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection  # as a context it commits, or rolls back

    def _make_room(self, most: int, owner: str | None = None) -> None:
        over, gone = self.total(owner) - most, []
        if over <= 0:
            return
        found = self._connection.execute(
            "SELECT rowid, bytes FROM records WHERE ? IS NULL OR owner = ? ORDER BY seen, rowid", (owner, owner)
        )
        for rowid, size in found:
            if over <= 0:
                break
            gone.append((rowid,))
            over -= size
        self._connection.executemany("DELETE FROM records WHERE rowid = ?", gone)

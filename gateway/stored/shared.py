"""Sealed records in the database that gateways share, and their leases: who works on what, until when.

Statements are in the subset of SQL that the ledger's databases share. INVARIANT: transactions of one store follow one
another, also those of several gateways; so what one has read is still so when it writes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from gateway.core.errors import AduanaError, ConfigurationError
from gateway.stored.contract import Row
from gateway.stored.place import Connection, Place
from gateway.stored.sealing import Sealing

_WORD = b"aduana"
_KEY = "store = ? AND id = ? AND part = ?"
_PUT = "INSERT INTO stored (store, id, part, owner, seen, bytes, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)"
_COUNT = (
    "INSERT INTO stored_sizes VALUES (?, ?, ?) "
    "ON CONFLICT (store, owner) DO UPDATE SET bytes = stored_sizes.bytes + excluded.bytes"
)
_RENEW = f"UPDATE stored SET seen = ? WHERE {_KEY} AND owner = ? AND seen < ?"  # noqa: S608 - constant
_LEASE = (
    "INSERT INTO stored_leases VALUES (?, ?, ?, ?) "
    "ON CONFLICT (store, name) DO UPDATE SET holder = excluded.holder, ends = excluded.ends"
)
_OLD_LEASE = 24 * 60 * 60.0  # seconds since it ended
_STEP = 200  # records that are looked at in one go, to make room

T = TypeVar("T")


class SharedDatabase:
    """Records of one store, bounded in bytes and in time."""

    shared = True

    def __init__(self, place: Place, store: str, *, most_bytes: int, owner_bytes: int | None = None) -> None:
        """Open nothing yet.

        Args:
            place: The database.
            store: Which of its records these are.
            most_bytes: Of all records.
            owner_bytes: Of those of one owner; None: as many as of all.
        """
        self._place = place
        self._store = store
        self._most_bytes = most_bytes
        self._owner_bytes = owner_bytes
        self._changing: Connection | None = None

    def interrupt(self) -> None:
        """Let what is being done fail soon. Any thread."""
        self._place.interrupt()

    def close(self) -> None:
        """Let go of the connection."""
        self._place.close()

    def check(self, sealing: Sealing, setting: str) -> None:
        """Look whether this seal opens what other gateways have sealed.

        Raises:
            ConfigurationError: It does not.
        """
        name = f"seal of {self._store}".encode()

        def work(connection: Connection) -> bool:
            row = connection.execute("SELECT sealed FROM stored_seals WHERE store = ?", (self._store,)).fetchone()
            if row is not None and _opens(sealing, row[0], name):
                return True
            used = connection.execute("SELECT 1 FROM stored WHERE store = ? LIMIT 1", (self._store,)).fetchone()
            if used is not None:
                return False
            connection.execute(
                "INSERT INTO stored_seals VALUES (?, ?) ON CONFLICT (store) DO UPDATE SET sealed = excluded.sealed",
                (self._store, sealing.seal(_WORD, name)),
            )
            return True

        if not self._place.write(work):
            raise ConfigurationError((self._another_key(setting),))

    def change(self, work: Callable[[], T]) -> T:
        """Do some work, which calls other methods, in one transaction: nobody changes what it has read."""
        return self._write(lambda _: work())

    def read(self, record_id: str, owner: str, *, since: float) -> bytes | None:
        """Return a sealed record that was made or continued `since` then; None: this owner has none."""
        row = self._read(
            lambda connection: connection.execute(
                f"SELECT sealed, owner, seen FROM stored WHERE {_KEY}",  # noqa: S608 - constant
                self._key(record_id),
            ).fetchone()
        )
        return bytes(row[0]) if row is not None and row[1] == owner and row[2] >= since else None

    def write(self, rows: tuple[Row, ...], *, renewed: tuple[str, ...] = ()) -> None:
        """Write records, all or none, and note of others of the same owner that they were continued."""

        def work(connection: Connection) -> None:
            for row in rows:
                key = self._key(row.id)
                self._delete(connection, _KEY, key)
                self._count(connection, row.owner, len(row.sealed))
                connection.execute(_PUT, (*key, row.owner, row.seen, len(row.sealed), row.sealed))
                connection.executemany(
                    _RENEW, [(row.seen, *self._key(one), row.owner, row.seen) for one in dict.fromkeys(renewed)]
                )
            if self._owner_bytes is not None:
                for owner in {row.owner for row in rows}:
                    self._make_room(connection, self._owner_bytes, owner)
            self._make_room(connection, self._most_bytes, None)

        self._write(work)

    def delete(self, record_id: str, owner: str) -> None:
        """Delete a record of this owner."""
        self.delete_all(owner, (record_id,))

    def delete_whole(self, record_id: str, owner: str, *, itself: bool = True) -> None:
        """Delete a record of this owner with its parts, or its parts alone."""
        which = "store = ? AND id = ? AND owner = ?" if itself else "store = ? AND id = ? AND owner = ? AND part <> ''"
        self._write(lambda connection: self._delete(connection, which, (self._store, record_id, owner)))

    def delete_orphans(self, before: float) -> None:
        """Delete the parts, made before then, of records that are not there."""
        which = (
            "store = ? AND part <> '' AND seen < ? AND NOT EXISTS (SELECT 1 FROM stored s "
            "WHERE s.store = stored.store AND s.id = stored.id AND s.part = '')"
        )
        self._write(lambda connection: self._delete(connection, which, (self._store, before)))

    def ids(self, prefix: str, owner: str | None, *, since: float) -> list[tuple[str, str]]:
        """Return owner and id of the records whose ids begin so, newest first; None: of every owner."""
        whose, values = ("", ()) if owner is None else ("AND owner = ?", (owner,))
        found = self._read(
            lambda connection: connection.execute(
                "SELECT owner, id FROM stored WHERE store = ? AND part = '' AND substr(id, 1, ?) = ? AND seen >= ? "  # noqa: S608 - constants
                f"{whose} ORDER BY seen DESC, number DESC",
                (self._store, len(prefix), prefix, since, *values),
            ).fetchall()
        )
        return [(str(one), str(name)) for one, name in found]

    def parts(self, record_id: str, owner: str, *, since: float) -> list[str]:
        """Return what the ids of a record's parts have behind its own."""
        found = self._read(
            lambda connection: connection.execute(
                "SELECT part FROM stored WHERE store = ? AND id = ? AND part <> '' AND owner = ? AND seen >= ?",
                (self._store, record_id, owner, since),
            ).fetchall()
        )
        return [str(part) for (part,) in found]

    def owners(self) -> list[str]:
        """Return everybody who has a record."""
        found = self._read(
            lambda connection: connection.execute(
                "SELECT DISTINCT owner FROM stored WHERE store = ?", (self._store,)
            ).fetchall()
        )
        return [str(owner) for (owner,) in found]

    def all_ids(self, owner: str) -> list[str]:
        """Return the ids of all records of an owner, parts as well."""
        found = self._read(
            lambda connection: connection.execute(
                "SELECT id, part FROM stored WHERE store = ? AND owner = ?", (self._store, owner)
            ).fetchall()
        )
        return [f"{name}/{part}" if part else str(name) for name, part in found]

    def owner_of(self, record_id: str) -> str | None:
        """Return whose a record is; None: it is not there."""
        row = self._read(
            lambda connection: connection.execute(
                f"SELECT owner FROM stored WHERE {_KEY}",  # noqa: S608 - constant
                self._key(record_id),
            ).fetchone()
        )
        return None if row is None else str(row[0])

    def delete_all(self, owner: str, ids: Iterable[str]) -> None:
        """Delete records of an owner."""

        def work(connection: Connection) -> None:
            for name in ids:
                self._delete(connection, f"{_KEY} AND owner = ?", (*self._key(name), owner))

        self._write(work)

    def total(self, owner: str | None = None) -> int:
        """Return the bytes of an owner's records; None: of all."""
        return self._read(lambda connection: self._total(connection, owner))

    def expire(self, before: float) -> None:
        """Delete what was neither made nor continued since then."""
        (oldest,) = self._read(
            lambda connection: connection.execute(
                "SELECT min(seen) FROM stored WHERE store = ?", (self._store,)
            ).fetchone()
        )
        if oldest is not None and oldest < before:
            self._write(lambda connection: self._delete(connection, "store = ? AND seen < ?", (self._store, before)))

    def take(self, names: Sequence[str], holder: str, seconds: float) -> tuple[str, bool] | None:
        """Take the first of these leases that no other gateway holds."""

        def work(connection: Connection) -> tuple[str, bool] | None:
            now = self._place.now(connection)
            connection.execute(
                "DELETE FROM stored_leases WHERE store = ? AND ends < ?", (self._store, now - _OLD_LEASE)
            )
            found = connection.execute(
                "SELECT name, holder, ends FROM stored_leases WHERE store = ?", (self._store,)
            ).fetchall()
            leases = {name: (whose, ends) for name, whose, ends in found}
            for name in names:
                whose, ends = leases.get(name, ("", 0.0))
                if whose == holder or ends <= now:
                    connection.execute(_LEASE, (self._store, name, holder, now + seconds))
                    return name, whose == holder
            return None

        return self._write(work)

    def renew(self, names: Sequence[str], holder: str, seconds: float) -> list[str]:
        """Prolong leases, and return those that are still this holder's."""

        def work(connection: Connection) -> list[str]:
            ends = self._place.now(connection) + seconds
            return [
                name
                for name in names
                if connection.execute(
                    "UPDATE stored_leases SET ends = ? WHERE store = ? AND name = ? AND holder = ?",
                    (ends, self._store, name, holder),
                ).rowcount
            ]

        return self._write(work)

    def release(self, names: Sequence[str], holder: str) -> None:
        """Let others have leases of this holder, who is still known as their last."""
        self._write(
            lambda connection: connection.executemany(
                "UPDATE stored_leases SET ends = 0 WHERE store = ? AND name = ? AND holder = ?",
                [(self._store, name, holder) for name in names],
            )
        )

    def holds(self, name: str, holder: str) -> bool:
        """Return whether a lease is this holder's: nobody else took it since."""
        row = self._read(
            lambda connection: connection.execute(
                "SELECT 1 FROM stored_leases WHERE store = ? AND name = ? AND holder = ? AND ends > 0",
                (self._store, name, holder),
            ).fetchone()
        )
        return row is not None

    def _read(self, work: Callable[[Connection], T]) -> T:
        return self._place.read(work) if self._changing is None else work(self._changing)

    def _write(self, work: Callable[[Connection], T]) -> T:
        if self._changing is not None:
            return work(self._changing)

        def within(connection: Connection) -> T:
            self._changing = connection
            try:
                return work(connection)
            finally:
                self._changing = None

        return self._place.write(within)

    def _key(self, record_id: str) -> tuple[str, str, str]:
        name, _, part = record_id.partition("/")
        return self._store, name, part

    def _delete(self, connection: Connection, which: str, values: Sequence[Any]) -> None:
        """Delete records, and count what their owners have less."""
        sizes: Counter[str] = Counter()
        gone = connection.execute(f"DELETE FROM stored WHERE {which} RETURNING owner, bytes", values)  # noqa: S608 - constants
        for owner, size in gone.fetchall():
            sizes[owner] -= size
        for owner, size in sizes.items():
            self._count(connection, owner, size)

    def _count(self, connection: Connection, owner: str, size: int) -> None:
        connection.execute(_COUNT, (self._store, owner, size))

    def _total(self, connection: Connection, owner: str | None) -> int:
        whose, values = ("", ()) if owner is None else ("AND owner = ?", (owner,))
        (total,) = connection.execute(
            f"SELECT coalesce(sum(bytes), 0) FROM stored_sizes WHERE store = ? {whose}",  # noqa: S608 - constants
            (self._store, *values),
        ).fetchone()
        return int(total)

    def _make_room(self, connection: Connection, most: int, owner: str | None) -> None:
        whose, values = ("", ()) if owner is None else ("AND owner = ?", (owner,))
        over = self._total(connection, owner) - most
        while over > 0:
            found = connection.execute(
                f"SELECT number, bytes FROM stored WHERE store = ? {whose} ORDER BY seen, number LIMIT {_STEP}",  # noqa: S608 - constants
                (self._store, *values),
            ).fetchall()
            gone = []
            for number, size in found:
                if over <= 0:
                    break
                gone.append(number)
                over -= size
            if not gone:
                return
            for number in gone:
                self._delete(connection, "number = ?", (number,))

    def _another_key(self, setting: str) -> str:
        return (
            f"{setting}.store: what other gateways have stored in PostgreSQL was sealed under another key than "
            "'taint.key' in this state directory, so it could not be read here. Copy that file from another gateway's "
            f"state directory. If no copy is left: start once with '{setting}: {{store: off}}' and all others stopped, "
            "which erases what is stored."
        )


def erase_shared(place: Place, store: str) -> bool | None:
    """Erase a store that no gateway uses, and return whether there was anything; None: another gateway uses it."""

    def work(connection: Connection) -> bool | None:
        if connection.execute("SELECT 1 FROM stored WHERE store = ? LIMIT 1", (store,)).fetchone() is None:
            return False
        if not place.unused(connection):
            return None
        for table in ("stored", "stored_sizes", "stored_leases", "stored_seals"):
            connection.execute(f"DELETE FROM {table} WHERE store = ?", (store,))  # noqa: S608 - constants
        return True

    return place.write(work)


def _opens(sealing: Sealing, sealed: bytes, name: bytes) -> bool:
    try:
        return sealing.open(bytes(sealed), name) == _WORD
    except AduanaError:
        return False

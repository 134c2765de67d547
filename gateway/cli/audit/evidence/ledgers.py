"""Opens what an auditor has in hand: a ledger's file, a state directory or a backup. Never writes."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.core.errors import LedgerUnavailable
from gateway.ledger import FILE_NAME, Database
from gateway.ledger.database.sqlite import describe
from gateway.ledger.reading.copying import copy_as_file
from gateway.ledger.schema import VERSION, identify, migrate

_SQLITE = b"SQLite format 3\0"
NEEDED = frozenset(
    {
        "receipts", "settlements", "attempts", "answering_servers", "fact_patterns", "phrases", "chain_head",
        "chain_links", "chain_salts", "checkpoints",
    }
)  # fmt: skip
"""Tables that are needed to verify. All others, such as the memory of conversations and keys, prove nothing."""


@contextmanager
def opened(place: Path | Database) -> Iterator[sqlite3.Connection]:
    """Open a ledger as it is at one moment; of a database, a copy. The gateway may run meanwhile.

    Raises:
        LedgerUnavailable: There is none, it can't be read, or is of a version without a chain or a later one.
        Unavailable: A backup is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="aduana-audit-") as name:
        folder = Path(name)
        with closing(_connection(_file(place, folder))) as found, _current(found, folder) as connection:
            connection.execute("BEGIN")
            yield connection


def _file(place: Path | Database, folder: Path) -> Path:
    """Return the file to read: the ledger's own, or one that is made in a folder.

    Raises:
        LedgerUnavailable: There is no ledger, or it can't be read.
    """
    if not isinstance(place, Path):
        copy_as_file(place, folder / FILE_NAME, NEEDED)
        return folder / FILE_NAME
    file = place / FILE_NAME if place.is_dir() else place
    if not file.is_file():
        raise LedgerUnavailable(f"There is no ledger at {file}.")
    return file if _begins(file) == _SQLITE else _unpacked(file, folder)


@contextmanager
def _current(found: sqlite3.Connection, folder: Path) -> Iterator[sqlite3.Connection]:
    """Bring a copy of an older version's ledger up to date: old records have to stay provable.

    Raises:
        LedgerUnavailable: That version had no chain, or the ledger can't be read.
    """
    version = int(found.execute("PRAGMA user_version").fetchone()[0])
    if version == VERSION:
        yield found
        return
    with closing(sqlite3.connect(folder / "older.sqlite3", isolation_level=None)) as copy:
        try:
            found.backup(copy)
            migrate(copy, version)
        except sqlite3.Error as error:
            raise LedgerUnavailable(f"The ledger can't be read: {error}.") from error
        if copy.execute("SELECT count(*) FROM chain_links").fetchone() == (0,):
            raise LedgerUnavailable(
                "This ledger was written by an older Aduana, which signed nothing. Start the gateway once "
                "('aduana serve'): it brings the ledger up to date, and its chain begins."
            )
        yield copy


def _unpacked(backup: Path, folder: Path) -> Path:
    """Unpack a backup, and return its ledger."""
    from gateway.app.backup.manifest import STATE  # half of the gateway comes with it, and few need it
    from gateway.app.backup.reading import unpack

    unpack(backup, folder)
    return folder / STATE / FILE_NAME


def _begins(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(len(_SQLITE))


def _connection(file: Path) -> sqlite3.Connection:
    uri = file.absolute().as_uri()
    # What nobody writes to has no log beside it, and may lie where nothing can be written.
    alone = not file.with_name(f"{file.name}-wal").exists()
    for mode in ("?mode=ro", "?immutable=1") if alone else ("?mode=ro",):
        connection = sqlite3.connect(f"{uri}{mode}", uri=True, timeout=5, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only = ON")
            identify(connection, str(file))
        except sqlite3.OperationalError as error:
            connection.close()
            if mode == "?mode=ro" and alone:
                continue
            raise LedgerUnavailable(describe(error, file)) from error
        except sqlite3.Error as error:
            connection.close()
            raise LedgerUnavailable(describe(error, file)) from error
        return connection
    raise LedgerUnavailable(f"The ledger {file} can't be read.")

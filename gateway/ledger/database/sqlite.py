"""The ledger in one SQLite file of this machine: write-ahead log, `synchronous=FULL`, one gateway."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.schema import check_current, identify, migrate
from gateway.ledger.sql import Connection

FILE_NAME = "ledger.sqlite3"
MIB = 2**20
_LOG_BYTES = 16 * MIB  # of the write-ahead log; the commit that fills it brings all of it into the file
_STEPS = 20_000  # of SQLite's machine between two looks at the clock
_UNFIT = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    ValueError,
    OverflowError,
    TypeError,
)


class SqliteDatabase:
    """The ledger's file in a state directory."""

    shared = False
    failures: tuple[type[Exception], ...] = (sqlite3.Error, OSError)

    def __init__(
        self, directory: Path, *, busy_seconds: float = 5.0, max_bytes: int | None = None, check_bytes: int = 64 * MIB
    ) -> None:
        """Open nothing yet.

        Args:
            directory: Where it lies.
            busy_seconds: How long a statement waits while another program holds the file.
            max_bytes: The file never grows beyond this.
            check_bytes: Up to this size the whole file is looked at by `prepare` (about 1 s per GB).
        """
        self.file = directory / FILE_NAME
        self._busy_seconds = busy_seconds
        self._max_bytes = max_bytes
        self._check_bytes = check_bytes
        self._identity: tuple[int, int] | None = None

    @property
    def place(self) -> str:
        """Where it lies."""
        return str(self.file)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"The ledger {self.file}"

    def prepare(self) -> None:
        """Make the file where there is none, look whether it is whole and ours, and bring it up to date.

        Raises:
            LedgerUnavailable: It is another program's, or a newer version's.
        """
        # Its journal files take over this mode: nobody else on the machine reads who asked for what.
        os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = self._open(create=True)
        try:
            self._check(connection)
            migrate(connection, identify(connection, str(self.file)))
            self._identity = self._inode()
        finally:
            connection.close()

    def connect(self) -> sqlite3.Connection:
        """Return a new connection that writes."""
        return self._open()

    def begin(self, connection: Connection) -> None:
        """Begin a transaction.

        Raises:
            LedgerUnavailable: The file was replaced by another one.
        """
        # A database that was deleted or replaced under us would take writes that nobody will ever read.
        if self._identity is not None and self._inode() != self._identity:
            raise LedgerUnavailable(f"{self.name} was replaced by another file. Restart the gateway.")
        connection.execute("BEGIN IMMEDIATE")

    def now(self, connection: Connection) -> float:
        """Return Unix seconds."""
        return time.time()

    def flush(self, connection: Connection) -> None:
        """Do nothing: every statement is done when it returns."""

    def undo(self, connection: Connection) -> None:
        """Undo what was done since `begin`."""
        connection.execute("ROLLBACK")

    def commit(self, connection: Connection) -> None:
        """Make durable what was done since `begin`."""
        connection.execute("COMMIT")

    def tidy(self, connection: Connection) -> None:
        """Bring what stands in the log into the file, so that no commit has to do so."""
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def was_committed(self, connection: Connection, transaction: object) -> bool:
        """Return False: a commit here is either done or not."""
        return False

    def reader(self, seconds: float | None = None) -> sqlite3.Connection:
        """Return a new connection that can't write.

        Args:
            seconds: A statement that takes longer is given up.

        Raises:
            LedgerUnavailable: There is no ledger, or another version has written it.
        """
        if not self.file.is_file():
            raise LedgerUnavailable(f"There is no ledger at {self.file} yet. It begins with 'aduana serve'.")
        connection = self._read_only()
        try:
            connection.execute("PRAGMA query_only = ON")
            check_current(connection, str(self.file))
        except BaseException:
            connection.close()
            raise
        if seconds is not None:
            end = time.monotonic() + seconds
            connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        return connection

    def version(self) -> int:
        """Return the version of its tables; 0: there are none yet.

        Raises:
            LedgerUnavailable: They are another program's, or a newer version's.
        """
        if not self.file.is_file() or not self.file.stat().st_size:
            return 0
        with closing(self._read_only()) as connection:
            return identify(connection, str(self.file))

    def size(self, connection: Connection) -> int:
        """Return how many bytes the file takes."""
        return self.file.stat().st_size

    def used_bytes(self, connection: Connection) -> int | None:
        """Return how much of the file is in use."""
        return used_bytes(connection)

    def too_long(self, error: Exception) -> bool:
        """Return whether a statement was given up because it took too long."""
        return isinstance(error, sqlite3.OperationalError) and "interrupted" in str(error)

    def unfit(self, error: Exception) -> bool:
        """Return whether it is one record's own fault."""
        return isinstance(error, _UNFIT)

    def describe(self, error: Exception) -> str:
        """Say what went wrong with the database, where, and what to do."""
        return describe(error, self.file)

    def _read_only(self) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self.file.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )

    def _open(self, *, create: bool = False) -> sqlite3.Connection:
        return connect(self.file, busy_seconds=self._busy_seconds, max_bytes=self._max_bytes, create=create)

    def _inode(self) -> tuple[int, int]:
        status = os.stat(self.file)
        return status.st_dev, status.st_ino

    def _check(self, connection: sqlite3.Connection) -> None:
        if self.file.stat().st_size > self._check_bytes:
            return
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"malformed: {verdict}")


def used_bytes(connection: Connection) -> int:
    """Return how much of a database's file is in use; what was removed leaves room in it for what comes."""
    size, pages, free = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
    )
    return int(size * (pages - free))


def describe(error: Exception, file: Path) -> str:
    """Say what went wrong with the database, where, and what to do."""
    text = str(error)
    match error:
        case OSError():
            return f"The ledger {file} can't be used: {error.strerror or text}."
        case _ if "full" in text:
            return f"The ledger {file} can't be written: {text}. Make room on its disk."
        case _ if "readonly" in text or "unable to open" in text:
            return f"The ledger {file} can't be written: {text}. Check that its directory exists and is writable."
        case _ if "locked" in text or "busy" in text:
            return f"The ledger {file} is held by another program ({text}). Close that program."
        case _ if "malformed" in text or "not a database" in text:
            return (
                f"The ledger {file} is damaged ({text}). Nothing was overwritten. Move it away together with its "
                "'-wal' file, keep both, and start again; 'sqlite3 FILE .recover' can read most of it."
            )
        case _:
            return f"The ledger {file} failed: {text}."


def connect(
    file: Path, *, busy_seconds: float, max_bytes: int | None = None, create: bool = False
) -> sqlite3.Connection:
    """Open the connection that writes.

    INVARIANT: synchronous=FULL; what was committed survives a power cut. secure_delete=ON: what is removed, for
    whatever reason, is overwritten, also where whole pages come free.
    """
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=busy_seconds, isolation_level=None
    )
    try:
        identify(connection, str(file))
        if create and not file.stat().st_size:  # it can then be made smaller while the gateway runs
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_BYTES // page}")
        if max_bytes is not None:
            connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page)}")
    except BaseException:
        connection.close()
        raise
    return connection

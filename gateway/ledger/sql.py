"""What the ledger asks of a database: statements in the subset of SQL that SQLite and PostgreSQL share.

Placeholders are `?`, truth is 0 and 1, upserts are `INSERT … ON CONFLICT`, what an insert made comes by `RETURNING`.
Whoever writes does so as work for the writer: one transaction for many works, one writer at a time, also where several
gateways share a database. So what a work reads is what it changes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Protocol


class Rows(Protocol):
    """Outcome of a statement: its rows, as tuples."""

    @property
    def rowcount(self) -> int:
        """Number of rows that were changed."""

    def fetchone(self) -> Any:
        """Return the next row; None: there is none."""

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""


class Connection(Protocol):
    """Connection to the ledger's database, as `sqlite3.Connection` is one. Used by one thread at a time."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run a statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Run a statement once for each of these parameters."""

    def interrupt(self) -> None:
        """Let a statement that runs fail soon, also one whose server says nothing any more. Any thread."""

    def close(self) -> None:
        """Let go of it; what was not committed is undone."""


Work = Callable[[Connection], Any]
"""What is done with the writing connection. It may be run again when its transaction has failed."""

ROWS = 16
"""Rows of one statement: so many that each costs little, so few that all such statements stay prepared."""


def insert(connection: Connection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, all of them with as many values, by few statements: each costs the writer a change of threads.

    `into` is `INSERT INTO table`, with its columns or without.
    """
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        connection.execute(_inserting(into, len(some[0]), len(some)), [value for row in some for value in row])


@lru_cache(maxsize=512)
def _inserting(into: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{into} VALUES {', '.join([row] * rows)}"


class Undecided(Exception):
    """Error of a commit that was cut off: whether it is durable is told by a later connection."""

    def __init__(self, transaction: object, cause: Exception) -> None:
        super().__init__(str(cause))
        self.transaction = transaction
        self.cause = cause


class Database(Protocol):
    """Where the ledger lies, and how that database tells its errors."""

    @property
    def name(self) -> str:
        """What messages call it, as `The ledger /var/lib/aduana/ledger.sqlite3`. Never with a password."""

    @property
    def place(self) -> str:
        """Where it lies, as people say it: a path, or `db.example/aduana`."""

    @property
    def shared(self) -> bool:
        """Whether other gateways write to it too: then what this one remembers is not all that there is."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The errors that say that the database can't be used."""

    def prepare(self) -> None:
        """Make it where there is none, look whether it is whole and ours, and bring it up to date.

        Raises:
            LedgerUnavailable: It is another program's, or a newer version's.
        """

    def connect(self) -> Connection:
        """Return a new connection that writes, in no transaction. What is committed there survives a power cut.

        Raises:
            LedgerUnavailable: It is not the database that was prepared.
        """

    def begin(self, connection: Connection) -> None:
        """Begin a transaction, and wait until no other writer has one.

        Raises:
            LedgerUnavailable: It is not the database that was prepared any more.
        """

    def now(self, connection: Connection) -> float:
        """Return Unix seconds, by the one clock of all gateways that write there."""

    def flush(self, connection: Connection) -> None:
        """Wait until everything that was asked since `begin` is done; raises what `failures` and `unfit` know."""

    def undo(self, connection: Connection) -> None:
        """Undo what was done since `begin`."""

    def commit(self, connection: Connection) -> None:
        """Make durable what was done since `begin`.

        Raises:
            Undecided: Nobody knows whether it is.
        """

    def tidy(self, connection: Connection) -> None:
        """Do what is better done while nobody writes."""

    def was_committed(self, connection: Connection, transaction: object) -> bool:
        """Return whether a transaction is durable of which that was not known."""

    def reader(self, seconds: float | None = None) -> Connection:
        """Return a new connection that can't write and may be used in any one thread at a time.

        Args:
            seconds: A statement that takes longer is given up.

        Raises:
            LedgerUnavailable: There is no ledger, or another version has written it.
        """

    def version(self) -> int:
        """Return the version of its tables; 0: there are none yet.

        Raises:
            LedgerUnavailable: They are another program's, or a newer version's.
        """

    def size(self, connection: Connection) -> int:
        """Return how many bytes it takes."""

    def used_bytes(self, connection: Connection) -> int | None:
        """Return how much of its storage is in use, free room for what comes left out. None: that can't be told."""

    def too_long(self, error: Exception) -> bool:
        """Return whether a statement was given up because it took too long."""

    def unfit(self, error: Exception) -> bool:
        """Return whether it is one record's own fault: the others of its transaction are written all the same."""

    def describe(self, error: Exception) -> str:
        """Say what went wrong with the database, where, and what to do."""


class Filling(Protocol):
    """New tables in a database that was empty, which are filled in one transaction."""

    @property
    def connection(self) -> Connection:
        """The connection of the transaction."""

    def add(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many rows to a table, as fast as the database can take them."""


class SharedDatabase(Database, Protocol):
    """A database that several gateways can share, and that a file's records can be moved to."""

    def filling(self) -> AbstractContextManager[Filling]:
        """Make the tables where all is empty, and commit at the end: all of it is there then, or nothing.

        Raises:
            LedgerUnavailable: It is not empty, or it is not known whether it was committed.
        """

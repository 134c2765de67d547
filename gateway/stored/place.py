"""What a store asks of a database that gateways share. Whoever wires the gateway has one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Rows(Protocol):
    """Outcome of a statement: its rows, as tuples."""

    @property
    def rowcount(self) -> int:
        """Number of rows that were changed."""

    def fetchone(self) -> Any:
        """Return the next row; None: there is none."""

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""


class Connection(Protocol):
    """Connection to the database; placeholders are `?`."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run a statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Run a statement once for each of these parameters."""


class Place(Protocol):
    """Shared database with a store's tables. Used by one thread; it connects by itself, and again after a failure."""

    @property
    def name(self) -> str:
        """What messages call it, without a password."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The errors that say that the database can't be used."""

    def read(self, work: Callable[[Any], T]) -> T:
        """Return what some work finds that only reads."""

    def write(self, work: Callable[[Any], T]) -> T:
        """Do work in one transaction, one writer of this store at a time; durable when it returns.

        Whatever the work raises undoes it.
        """

    def now(self, connection: Any) -> float:
        """Return Unix seconds, by the one clock of all gateways."""

    def unused(self, connection: Any) -> bool:
        """Return whether nobody uses the store, and let nobody begin to until the transaction ends."""

    def describe(self, error: Exception) -> str:
        """Say what went wrong with the database, where, and what to do."""

    def interrupt(self) -> None:
        """Let whoever waits for the server have an error soon. Any thread."""

    def close(self) -> None:
        """Let go of the connection."""

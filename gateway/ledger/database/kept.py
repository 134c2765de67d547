"""What a shared database is to those who keep something in it beside the ledger."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from gateway.ledger.sql import Connection

T = TypeVar("T")


class StoreDatabase(Protocol):
    """Shared database in which something is kept beside the ledger. Used by one thread; it connects by itself."""

    @property
    def name(self) -> str:
        """What messages call it, without a password."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The errors that say that the database can't be used."""

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what some work finds that only reads."""

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do work in one transaction, one writer of this store at a time; durable when it returns.

        Whatever the work raises undoes it.
        """

    def now(self, connection: Connection) -> float:
        """Return Unix seconds, by the one clock of all gateways."""

    def unused(self, connection: Connection) -> bool:
        """Return whether nobody uses the store, and let nobody begin to until the transaction ends."""

    def describe(self, error: Exception) -> str:
        """Say what went wrong with the database, where, and what to do."""

    def interrupt(self) -> None:
        """Let whoever waits for the server have an error soon. Any thread."""

    def close(self) -> None:
        """Let go of the connection."""

"""The shared database as the place of what clients ask to be kept: one connection, and a lock of the store's own.

Neither receipts nor other stores wait for its transactions. Whoever uses a store holds a shared lock as long as it is
connected, so that nobody erases what another gateway still uses.
"""

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from gateway.ledger.database.postgresql.address import Address
from gateway.ledger.database.postgresql.connection import PostgresqlConnection
from gateway.ledger.database.postgresql.database import PostgresqlDatabase
from gateway.ledger.schema import APPLICATION_ID
from gateway.ledger.sql import Connection, Undecided

_BUSY_SECONDS = 4.0  # for other gateways' writes

T = TypeVar("T")


class PostgresqlStore(PostgresqlDatabase):
    """Database of one store, used by one thread. It connects when it is needed, and again after a failure."""

    def __init__(self, address: Address, store: str, *, using: bool = True) -> None:
        """Open nothing yet.

        Args:
            address: Where it is.
            store: Its name, of letters alone.
            using: Others see that it is in use while this one is connected.
        """
        super().__init__(address, busy_seconds=_BUSY_SECONDS)
        self._lock = f"SELECT pg_advisory_xact_lock({_key(store)})"
        self._users = _key(f"users of {store}")
        self._using = using
        self._connection: PostgresqlConnection | None = None

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what some work finds that only reads.

        A server that was started anew since the last time costs nobody a request.

        Raises:
            LedgerUnavailable: The database can't be reached, or is another one now.
            OperationalError: It can't be read.
        """
        connection, old = self._ready()
        try:
            return work(connection)
        except psycopg.OperationalError:
            again = old and connection.broken
            self.close()
            if not again:
                raise
        connection, _ = self._ready()
        return work(connection)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do work in one transaction, one writer of this store at a time; durable when it returns.

        Raises:
            LedgerUnavailable: The database can't be reached, or is another one now.
            psycopg.Error: It can't be written.
        """
        connection, _ = self._ready()
        try:
            self.begin(connection)
            answer = work(connection)
            self.commit(connection)
        except Undecided as error:
            self.close()
            connection, _ = self._ready()
            if not self.was_committed(connection, error.transaction):
                raise error.cause from error
        except self.failures:
            self.close()  # undoes it
            raise
        except BaseException:
            self._undo(connection)
            raise
        return answer

    def unused(self, connection: Connection) -> bool:
        """Return whether nobody uses the store, and let nobody begin to until the transaction ends."""
        for wait in (0.1, 0.2, 0.4, 0.0):  # a server notices a moment later that somebody has gone
            (had,) = connection.execute(f"SELECT pg_try_advisory_xact_lock({self._users})").fetchone()
            if had:
                return True
            time.sleep(wait)
        return False

    def interrupt(self) -> None:
        """Let whoever waits for the server have an error soon. Any thread."""
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def close(self) -> None:
        """Let go of the connection; what was not committed is undone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ready(self) -> tuple[PostgresqlConnection, bool]:
        """Return the connection, and whether it was there before."""
        if self._connection is not None and not self._connection.broken:
            self._connection.fresh = False  # a server that was started anew since costs no write either
            return self._connection, True
        self.close()
        self._connection = self.connect()
        return self._connection, False

    def _undo(self, connection: PostgresqlConnection) -> None:
        try:
            with contextlib.suppress(*self.failures):  # of a statement that was on its way
                connection.whole()
            connection.run("ROLLBACK")
        except self.failures:
            self.close()

    def _recognise(self, connection: PostgresqlConnection) -> None:
        super()._recognise(connection)
        if self._using:
            connection.run(f"SELECT pg_advisory_lock_shared({self._users})")


def _key(name: str) -> str:
    """Return an advisory lock's two numbers, as SQL: those of this schema's ledger and of a name."""
    return f"{APPLICATION_ID}, hashtext(current_schema() || '/{name}')"

"""One connection to PostgreSQL, as the ledger's works use it."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from psycopg.abc import RV, Buffer, PQGen
from psycopg.adapt import Loader
from psycopg.errors import PipelineAborted
from psycopg.pq import PipelineStatus

from gateway.ledger.database.postgresql import dialect
from gateway.ledger.sql import Rows


class _Whole(Loader):
    """Loader of sums: PostgreSQL adds up whole numbers as decimals."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        try:
            return int(text)
        except ValueError:
            return float(text)


class Interruptible(psycopg.Connection[Any]):
    """Connection whose waiting for the server can be ended by another thread: a server that stands still says nothing.

    INVARIANT: whoever waited gets an error, and the connection is closed: nobody knows what the server does with it.
    """

    interrupted = False

    def wait(self, gen: PQGen[RV], *args: Any, **options: Any) -> RV:
        """Wait for the server, and look now and then whether that was interrupted."""
        return super().wait(self._watched(gen), *args, **options)

    def _watched(self, gen: PQGen[RV]) -> PQGen[RV]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if self.interrupted:
                    gen.close()
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server said nothing for too long")
                wanted = gen.send(ready)
        except StopIteration as end:
            found: RV = end.value
            return found


class _Queued:
    """Outcome of a statement that may still be on its way: whoever looks waits for it."""

    def __init__(self, cursor: "psycopg.Cursor[Any]", connection: "PostgresqlConnection") -> None:
        self._cursor = cursor
        self._connection = connection

    @property
    def rowcount(self) -> int:
        self._connection.flush()
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


class PostgresqlConnection:
    """Connection in autocommit mode: transactions begin and end by statements. It can be made anew in place.

    Within `pipelined` statements are sent without waiting for the answers of those before: what fails is told by a
    later one, or by `flush`.
    """

    def __init__(self, connect: Callable[[], Interruptible]) -> None:
        self._connect = connect
        self._inner = self._made()
        self._pipeline: AbstractContextManager[psycopg.Pipeline] | None = None
        self._sync: Callable[[], None] | None = None
        self.fresh = True  # no transaction was ever begun on it

    @property
    def broken(self) -> bool:
        """Whether the server, or the way to it, is gone."""
        return self._inner.closed

    def renew(self) -> None:
        """Connect once more.

        Raises:
            psycopg.Error: The server can't be reached.
        """
        self.close()
        self._pipeline = self._sync = None
        self._inner = self._made()

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Run a statement."""
        self._recover()
        return _Queued(self._inner.execute(dialect.statement(sql), dialect.parameters(parameters)), self)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Run a statement once for each of these parameters."""
        values = [dialect.parameters(some) for some in parameters]
        if len(values) == 1:
            return self.execute(sql, values[0])
        self._recover()
        cursor = self._inner.cursor()
        if values:
            cursor.executemany(dialect.statement(sql), values)
        return _Queued(cursor, self)

    def pipelined(self) -> None:
        """From now on send statements without waiting, until `whole`."""
        self._pipeline = self._inner.pipeline()
        self._sync = self._pipeline.__enter__().sync

    def flush(self) -> None:
        """Wait until all statements were run.

        Raises:
            psycopg.Error: One of them failed.
        """
        if self._sync is not None:
            self._sync()

    def whole(self) -> None:
        """Wait until all statements were run, and from now on for each.

        Raises:
            psycopg.Error: One of them failed.
        """
        pipeline, self._pipeline, self._sync = self._pipeline, None, None
        if pipeline is not None:
            pipeline.__exit__(None, None, None)

    def _recover(self) -> None:
        """Take the answers of what was skipped behind a statement that failed."""
        while self._sync is not None and self._inner.pgconn.pipeline_status == PipelineStatus.ABORTED:
            with contextlib.suppress(PipelineAborted):
                self._sync()

    def run(self, sql: str) -> "psycopg.Cursor[Any]":
        """Run statements of PostgreSQL's own as they are, in one exchange. The cursor has the first one's rows."""
        return self._inner.execute(sql.encode())

    def take_in(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Send rows to a COPY … FROM STDIN. Not while statements are sent without waiting."""
        with self._inner.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def interrupt(self) -> None:
        """Let whoever waits for the server have an error soon, and break the connection. Any thread."""
        self._inner.interrupted = True

    def close(self) -> None:
        """Let go of it; what was not committed is undone."""
        with contextlib.suppress(psycopg.Error):
            self._inner.close()

    def _made(self) -> Interruptible:
        inner = self._connect()
        inner.adapters.register_loader("numeric", _Whole)
        return inner

"""The ledger's database in PostgreSQL: how it is made, connected to, and written to by one gateway at a time.

INVARIANT: a transaction that writes begins with one advisory lock, which all gateways take. So works of several
gateways follow one another as they do in SQLite, and what a work has read is still so when it writes.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import structlog

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.database.postgresql import dialect
from gateway.ledger.database.postgresql.address import Address
from gateway.ledger.database.postgresql.connection import Interruptible, PostgresqlConnection
from gateway.ledger.database.postgresql.errors import sentence, too_long, unfit
from gateway.ledger.database.postgresql.filling import TablesToFill
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS, VERSION
from gateway.ledger.sql import Connection, Undecided

LOG = structlog.get_logger("aduana.ledger")
_OLDEST = 130_000  # the first server that tells of a cut-off commit whether it is durable
_LOCK = f"SELECT pg_advisory_xact_lock({APPLICATION_ID}, hashtext(current_schema()))"  # of whoever writes the ledger
_WAITS = (0.25, 2.0)  # seconds between two attempts to connect, at first and at most
_STUCK_SECONDS = 5  # a gateway that stops in the middle of a transaction keeps others waiting no longer
_MARK = """
CREATE TABLE aduana (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL);
INSERT INTO aduana VALUES (1, 0);
"""


class PostgresqlDatabase:
    """Database that several gateways share. `prepare` before use."""

    shared = True
    failures: tuple[type[Exception], ...] = (psycopg.Error, OSError)

    def __init__(
        self, address: Address, *, busy_seconds: float = 2.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Open nothing yet.

        Args:
            address: Where it is.
            busy_seconds: How long a transaction waits for those of other gateways.
            monotonic: Tells seconds that pass.
        """
        self._address = address
        self._busy_seconds = busy_seconds
        self._monotonic = monotonic
        self._lock = _LOCK
        self._identity: tuple[str, str] | None = None
        self._wait = 0.0
        self._not_before = 0.0
        self._last_problem = ""

    @property
    def place(self) -> str:
        """Where it lies, without the password."""
        return self._address.shown

    @property
    def name(self) -> str:
        """What messages call it, without the password."""
        return f"The ledger in PostgreSQL ({self._address.shown})"

    def prepare(self) -> None:
        """Look whether the database is ours and fit for a ledger, make its tables, and bring them up to date.

        Raises:
            LedgerUnavailable: It is another program's or a newer version's, or would lose what it acknowledges.
        """
        connection = PostgresqlConnection(self._opened)
        try:
            self._check_server(connection)
            while self._step(connection) < VERSION:
                pass
        finally:
            connection.close()

    def connect(self) -> PostgresqlConnection:
        """Return a new connection that writes. After a failure, nothing is tried for a moment.

        Raises:
            LedgerUnavailable: It can't be reached, or is not the database that was prepared.
        """
        if self._monotonic() < self._not_before:
            raise LedgerUnavailable(self._last_problem)
        try:
            connection = PostgresqlConnection(self._opened)
        except self.failures as error:
            self._wait = min(max(_WAITS[0], self._wait * 2), _WAITS[1])
            self._not_before = self._monotonic() + self._wait
            self._last_problem = self.describe(error)
            raise
        self._wait = 0.0
        try:
            self._recognise(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def begin(self, connection: Connection) -> None:
        """Begin a transaction, and wait until no other gateway has one.

        Raises:
            LedgerUnavailable: The database is not the one that was prepared any more.
            OperationalError: The server can't be reached, or another program holds the lock for too long.
        """
        assert isinstance(connection, PostgresqlConnection)
        fresh, connection.fresh = connection.fresh, False
        try:
            self._begin(connection)
        except psycopg.OperationalError:
            if fresh or not connection.broken:
                raise
            connection.renew()  # a server that was started anew since the last transaction costs nobody a request
            self._recognise(connection)
            self._begin(connection)

    def flush(self, connection: Connection) -> None:
        """Wait until everything that was asked is done.

        Raises:
            psycopg.Error: Something of it failed.
        """
        assert isinstance(connection, PostgresqlConnection)
        connection.flush()

    def undo(self, connection: Connection) -> None:
        """Undo what was done since `begin`."""
        assert isinstance(connection, PostgresqlConnection)
        with contextlib.suppress(*self.failures):  # of what is undone
            connection.whole()
        connection.run("ROLLBACK")

    def commit(self, connection: Connection) -> None:
        """Make durable what was done since `begin`.

        Raises:
            Undecided: The server was gone before it answered.
            OperationalError: It was undone.
            InternalError: It was undone, though nobody had asked for that.
        """
        assert isinstance(connection, PostgresqlConnection)
        connection.whole()
        (transaction,) = connection.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone()
        try:
            done = connection.run("COMMIT").statusmessage
        except psycopg.OperationalError as error:
            if connection.broken and transaction is not None:
                raise Undecided(transaction, error) from error
            raise
        if done != "COMMIT":
            raise psycopg.InternalError(f"the transaction ended with {done}")

    def tidy(self, connection: Connection) -> None:
        """Do nothing: the server looks after itself."""

    def was_committed(self, connection: Connection, transaction: object) -> bool:
        """Return whether a transaction is durable of which that was not known.

        Raises:
            LedgerUnavailable: The server does not know yet.
        """
        (status,) = connection.execute("SELECT pg_xact_status(?::xid8)", (str(transaction),)).fetchone()
        if status == "in progress":
            raise LedgerUnavailable(f"{self.name} still ends a transaction that was cut off.")
        return bool(status == "committed")

    def now(self, connection: Connection) -> float:
        """Return Unix seconds by the server's clock."""
        (seconds,) = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        return float(seconds)

    def reader(self, seconds: float | None = None) -> PostgresqlConnection:
        """Return a new connection that can't write.

        Args:
            seconds: A statement that takes longer is given up.

        Raises:
            LedgerUnavailable: There is no ledger, or another version has written it.
        """
        connection = PostgresqlConnection(self._opened)
        try:
            connection.run("SET default_transaction_read_only = on")
            if seconds is not None:
                connection.run(f"SET statement_timeout = {round(seconds * 1000)}")
            version = self._version(connection)
            if version < VERSION:
                raise LedgerUnavailable(
                    f"There is no ledger in {self._address.shown} yet. It begins with 'aduana serve'."
                    if version == 0
                    else f"{self.name} was written by an older Aduana. "
                    "Start the gateway once ('aduana serve'): it brings the ledger up to date."
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def version(self) -> int:
        """Return the version of its tables; 0: there are none yet.

        Raises:
            LedgerUnavailable: They are a newer version's, or the server is not fit for a ledger.
        """
        connection = PostgresqlConnection(self._opened)
        try:
            self._check_server(connection)
            return self._version(connection)
        finally:
            connection.close()

    @contextmanager
    def filling(self) -> Iterator[TablesToFill]:
        """Make the tables where all is empty, and commit at the end: all of it is there then, or nothing.

        Raises:
            LedgerUnavailable: It is not empty, or it is not known whether it was committed.
        """
        connection = PostgresqlConnection(self._opened)
        try:
            self._check_server(connection)
            self._make_durable(connection)
            connection.run(
                f"SET lock_timeout = {round(self._busy_seconds * 1000)}; SET statement_timeout = 0; "
                "SET idle_in_transaction_session_timeout = 0; SET default_transaction_isolation = 'read committed'"
            )
            connection.run(f"BEGIN; {_LOCK}")
            while self._advance(connection) < VERSION:
                pass
            tables = TablesToFill(connection)
            if tables.used():
                raise LedgerUnavailable(
                    f"{self.name} is not empty: a gateway has begun to write there. Nothing was moved. Name a new "
                    "database (createdb), or a new schema: ?options=-csearch_path%3Daduana."
                )
            yield tables
            tables.number_on()
            self._commit_whole(connection)
        finally:
            connection.close()

    def _commit_whole(self, connection: PostgresqlConnection) -> None:
        """Commit, and find out whether it was done where the server was gone before it answered.

        Raises:
            LedgerUnavailable: Nobody knows.
        """
        try:
            self.commit(connection)
        except Undecided as error:
            try:
                connection.renew()
                if self.was_committed(connection, error.transaction):
                    return
            except (psycopg.Error, OSError, LedgerUnavailable) as unknown:
                raise LedgerUnavailable(
                    f"{self.name} was gone before it said whether it has the records: all of them, or none. Run the "
                    "command again when it can be reached: it then finds them there, or moves them."
                ) from unknown
            raise error.cause from error

    def size(self, connection: Connection) -> int:
        """Return how many bytes its tables take, with their indexes."""
        (size,) = connection.execute(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
            "WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(current_schema())"
        ).fetchone()
        return int(size)

    def used_bytes(self, connection: Connection) -> int | None:
        """Return None: what was removed is given free by the server itself, later."""
        return None

    def too_long(self, error: Exception) -> bool:
        """Return whether a statement was given up because it took too long."""
        return too_long(error)

    def unfit(self, error: Exception) -> bool:
        """Return whether it is one record's own fault."""
        return unfit(error)

    def describe(self, error: Exception) -> str:
        """Say what went wrong, where, and what to do; without the password."""
        return self._address.scrubbed(sentence(error, self.name))

    def _opened(self) -> Interruptible:
        return Interruptible.connect(self._address.conninfo, autocommit=True)

    def _begin(self, connection: PostgresqlConnection) -> None:
        connection.run(f"BEGIN; {self._lock}")
        connection.pipelined()

    def _recognise(self, connection: PostgresqlConnection) -> None:
        """Prepare a connection for writing, and look whose database it leads to.

        INVARIANT: what the server has acknowledged survives its power cut.

        Raises:
            LedgerUnavailable: Another version has changed its tables, or another ledger is there now.
        """
        self._make_durable(connection)
        connection.run(
            f"SET lock_timeout = {round(self._busy_seconds * 1000)}; "
            f"SET idle_in_transaction_session_timeout = '{_STUCK_SECONDS}s'; "
            "SET default_transaction_isolation = 'read committed'"
        )
        if self._version(connection) != VERSION:
            raise LedgerUnavailable(f"{self.name} has no ledger of this version any more. Restart the gateway.")
        found = connection.execute("SELECT id, key FROM state").fetchone()
        if self._identity is not None and found != self._identity:
            raise LedgerUnavailable(f"{self.name} holds another gateway's records now. Restart this gateway.")
        self._identity = found

    @staticmethod
    def _make_durable(connection: PostgresqlConnection) -> None:
        (synchronous,) = connection.execute("SHOW synchronous_commit").fetchone()
        if synchronous not in ("on", "remote_apply"):
            connection.run("SET synchronous_commit = on")

    def _check_server(self, connection: PostgresqlConnection) -> None:
        (version,) = connection.execute("SELECT current_setting('server_version_num')::int").fetchone()
        (schema,) = connection.execute("SELECT current_schema()").fetchone()
        (synced,) = connection.execute("SHOW fsync").fetchone()
        (encoding,) = connection.execute("SHOW server_encoding").fetchone()
        (standby,) = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        problem = ""
        if version < _OLDEST:
            problem = f"is PostgreSQL {version // 10_000}, which is too old. Use version {_OLDEST // 10_000} or newer"
        elif standby:
            problem = "is a standby, which can't be written. Name the primary"
        elif synced != "on":
            problem = "may lose what it has acknowledged (fsync = off). Turn fsync on"
        elif encoding != "UTF8":
            problem = f"stores texts in {encoding}. Make a database with ENCODING 'UTF8'"
        elif schema is None:
            problem = "has no schema for tables. Name one that exists, as ?options=-csearch_path%3Daduana"
        if problem:
            raise LedgerUnavailable(f"{self.name} {problem}.")

    def _step(self, connection: PostgresqlConnection) -> int:
        """Bring the tables one version further, in one transaction, and return the version.

        Raises:
            LedgerUnavailable: The tables are another program's, or a newer version's.
        """
        connection.run(f"BEGIN; {_LOCK}")  # another gateway may do the same now
        try:
            version = self._advance(connection)
            connection.run("COMMIT")
        except BaseException:
            if not connection.broken:
                connection.run("ROLLBACK")
            raise
        return version

    def _advance(self, connection: PostgresqlConnection) -> int:
        """Bring the tables one version further within a transaction, and return the version.

        Raises:
            LedgerUnavailable: The tables are another program's, or a newer version's.
        """
        version = self._version(connection)
        if version == 0 and connection.execute("SELECT to_regclass('aduana')").fetchone() == (None,):
            (tables,) = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
            ).fetchone()
            if tables:
                raise LedgerUnavailable(
                    f"{self.name} has tables of another program. Nothing was changed; make a database for Aduana "
                    "alone, or a schema: ?options=-csearch_path%3Daduana."
                )
            connection.run(_MARK)
        if version < VERSION:
            connection.run(dialect.schema(MIGRATIONS[version]))
            version += 1
            connection.execute("UPDATE aduana SET version = ?", (version,))
        return version

    def _version(self, connection: PostgresqlConnection) -> int:
        """Return the version of the tables; 0: there are none.

        Raises:
            LedgerUnavailable: It is newer than this program's.
        """
        if connection.execute("SELECT to_regclass('aduana')").fetchone() == (None,):
            return 0
        row = connection.execute("SELECT version FROM aduana").fetchone()
        version = int(row[0]) if row is not None else 0
        if version > VERSION:
            raise LedgerUnavailable(
                f"{self.name} was written by a newer Aduana (schema {version}, this one knows {VERSION}). "
                "It was left as it is; install the newer version."
            )
        return version

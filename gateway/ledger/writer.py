"""The one thread that writes. Takes jobs in order, commits many of them with one sync to disk, answers each.

Owns the writing connection. Knows nothing of what the jobs write.
"""

import contextlib
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.schema import identify, migrate

Work = Callable[[sqlite3.Connection], Any]
_BATCH = 256
_PROBE_SECONDS = 2.0
# One record's own fault: the others of its batch are written all the same.
_UNFIT = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    ValueError,
    OverflowError,
    TypeError,
)


class Job(msgspec.Struct, eq=False):
    """Work for the writer.

    `keep`: try again with a later batch when the disk refuses. `waiter` belongs to whoever waits.
    """

    work: Work
    keep: bool = False
    waiter: Any = None
    told: bool = False


Told = tuple[Job, Any, LedgerUnavailable | None]


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

    INVARIANT: synchronous=FULL; what was committed survives a power cut.
    """
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=busy_seconds, isolation_level=None
    )
    try:
        identify(connection, str(file))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        if max_bytes is not None:
            page = connection.execute("PRAGMA page_size").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page)}")
    except BaseException:
        connection.close()
        raise
    return connection


class Writer:
    """Thread that writes, and its queue. `start` opens and migrates; `close` finishes what is queued."""

    def __init__(
        self,
        file: Path,
        *,
        busy_seconds: float,
        max_bytes: int | None,
        check_bytes: int,
        tell: Callable[[list[Told]], None],
    ) -> None:
        self._tell = tell  # called in the writer's thread, once a batch, with what became durable or failed
        self._file = file
        self._busy_seconds = busy_seconds
        self._max_bytes = max_bytes
        self._check_bytes = check_bytes
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._owed: list[Job] = []
        self._problem: str | None = None
        self._closed = False

    @property
    def problem(self) -> str | None:
        """Return why the last write failed; None: it did not fail."""
        return self._problem

    def start(self) -> None:
        """Open, check and migrate in the caller's thread, then write in our own.

        Raises:
            LedgerUnavailable: The database can't be opened, is damaged, or is not ours.
        """
        try:
            self._connection = self._open(create=True)
            self._check(self._connection)
            migrate(self._connection, identify(self._connection, str(self._file)))
            self._identity = self._inode()
        except (sqlite3.Error, OSError) as error:
            if self._connection is not None:
                self._connection.close()
            raise LedgerUnavailable(describe(error, self._file)) from error
        except LedgerUnavailable:
            if self._connection is not None:
                self._connection.close()
            raise
        # Connections are used by one thread at a time: this one hands it over here and never touches it again.
        self._connection.close()
        self._connection = None
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job. `tell` brings its answer when it is durable, or a LedgerUnavailable.

        Raises:
            LedgerUnavailable: The ledger is closed.
        """
        if self._closed:
            raise LedgerUnavailable("The ledger is closed.")
        self._queue.put(job)

    def close(self) -> None:
        """Write what is queued and stop. Blocks; call it in a thread."""
        self._closed = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _open(self, *, create: bool = False) -> sqlite3.Connection:
        return connect(self._file, busy_seconds=self._busy_seconds, max_bytes=self._max_bytes, create=create)

    def _inode(self) -> tuple[int, int]:
        status = os.stat(self._file)
        return status.st_dev, status.st_ino

    def _check(self, connection: sqlite3.Connection) -> None:
        if self._file.stat().st_size > self._check_bytes:
            return
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"malformed: {verdict}")

    def _run(self) -> None:
        running = True
        while running:
            batch, running = self._take()
            if batch or self._problem is not None or (not running and self._owed):
                self._write(batch)
        if self._connection is not None:
            self._connection.close()

    def _take(self) -> tuple[list[Job], bool]:
        batch: list[Job] = []
        try:
            # While something is wrong, look now and then whether it is over, so that readiness can come back.
            job = self._queue.get(timeout=_PROBE_SECONDS if self._problem is not None else None)
            while job is not None:
                batch.append(job)
                if len(batch) == _BATCH:
                    return batch, True
                job = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _write(self, batch: list[Job]) -> None:
        jobs, self._owed = self._owed + batch, []
        try:
            answers = self._commit(jobs)
        except (sqlite3.Error, OSError) as error:
            self._failed(jobs, describe(error, self._file), error)
            return
        except LedgerUnavailable as error:
            self._failed(jobs, error.message, error)
            return
        except Exception as error:  # noqa: BLE001 - a dead writer would leave every later request waiting
            self._failed(jobs, f"The ledger {self._file} failed: {type(error).__name__}.", error)
            return
        self._problem = None
        self._answer([(job, answer, refused) for job, (answer, refused) in zip(jobs, answers, strict=True)])

    def _commit(self, jobs: list[Job]) -> list[tuple[Any, LedgerUnavailable | None]]:
        if self._connection is None:
            self._connection = self._open()
        # A database that was deleted or replaced under us would take writes that nobody will ever read.
        if self._identity is not None and self._inode() != self._identity:
            raise LedgerUnavailable(f"The ledger {self._file} was replaced by another file. Restart the gateway.")
        connection = self._connection
        answers: list[tuple[Any, LedgerUnavailable | None]] = []
        connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            connection.execute("SAVEPOINT job")
            try:
                answers.append((job.work(connection), None))
            except LedgerUnavailable as error:
                connection.execute("ROLLBACK TO job")
                answers.append((None, error))
            except _UNFIT as error:
                connection.execute("ROLLBACK TO job")
                refused = LedgerUnavailable(
                    f"The ledger refused a record: {type(error).__name__}.", code="ledger_invalid_record"
                )
                refused.__cause__ = error
                answers.append((None, refused))
            connection.execute("RELEASE job")
        if not jobs:
            connection.execute("INSERT OR REPLACE INTO heartbeat VALUES (1, ?)", (time.time(),))
        connection.execute("COMMIT")
        return answers

    def _failed(self, jobs: list[Job], message: str, error: Exception) -> None:
        self._problem = message
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()  # rolls back
            self._connection = None
        self._owed.extend(job for job in jobs if job.keep)
        told: list[Told] = []
        for job in jobs:
            unavailable = LedgerUnavailable(message)
            unavailable.__cause__ = error
            told.append((job, None, unavailable))
        self._answer(told)

    def _answer(self, told: list[Told]) -> None:
        news = [item for item in told if not item[0].told and item[0].waiter is not None]
        for job, _, _ in news:
            job.told = True
        if news:
            self._tell(news)

"""The one thread that writes. Takes jobs in order, commits many of them with one sync to disk, answers each.

Owns the writing connection. Knows nothing of what the jobs write, nor of the database's kind.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.sql import Connection, Database, Undecided, Work

_BATCH = 256
_PROBE_SECONDS = 2.0
_IDLE_SECONDS = 0.25  # without work, from which on nobody is expected at once
_STUCK_SECONDS = 10.0  # of one transaction, from which on a stop waits for the database no longer
_HEARTBEAT = "INSERT INTO heartbeat VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at"
_MOST_OWED = 10_000  # jobs that are kept while the database can't be used; no request is admitted then


class Job(msgspec.Struct, eq=False, kw_only=True):
    """Work for the writer, or else records that are written together with those of other jobs.

    `keep`: try again with a later batch when the database refuses. `waiter` belongs to whoever waits.
    """

    work: Work | None = None
    records: tuple[Any, ...] = ()
    keep: bool = False
    waiter: Any = None
    told: bool = False


class Tending(msgspec.Struct, frozen=True, kw_only=True):
    """Work that is done in every transaction, and after so many seconds in one of its own."""

    seconds: float
    work: Work


Told = tuple[Job, Any, LedgerUnavailable | None]
Answers: TypeAlias = "list[tuple[Any, LedgerUnavailable | None]]"
Record: TypeAlias = Callable[[Connection, Sequence[Any]], Sequence[Any]]
"""Writes records of many jobs, all or none, and returns what is told of each."""


class Writer:
    """Thread that writes, and its queue. `start` prepares the database; `close` finishes what is queued."""

    def __init__(
        self,
        database: Database,
        *,
        tell: Callable[[list[Told]], None],
        record: Record,
        tending: Tending | None = None,
    ) -> None:
        self._tell = tell  # called in the writer's thread, once a batch, with what became durable or failed
        self._record = record
        self._database = database
        self._tending = tending
        self._queue: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._connection: Connection | None = None
        self._owed: list[Job] = []
        self._maybe: tuple[object, list[Job]] | None = None  # a transaction that may be durable, and its kept jobs
        self._problem: str | None = None
        self._tidy = True  # nothing was written since the database was last tidied up
        self._closed = False
        self._since: float | None = None  # when the transaction that is under way began

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
            self._database.prepare()
        except self._database.failures as error:
            raise LedgerUnavailable(self._database.describe(error)) from error
        self._thread.start()

    def submit(self, jobs: list[Job]) -> None:
        """Queue jobs. `tell` brings the answer of each when it is durable, or a LedgerUnavailable.

        Raises:
            LedgerUnavailable: The ledger is closed.
        """
        if self._closed:
            raise LedgerUnavailable("The ledger is closed.")
        self._queue.put(jobs)

    def close(self) -> None:
        """Write what is queued and stop. Blocks; call it in a thread.

        A server that says nothing any more is given up; what it has not confirmed, another gateway or start settles.
        """
        self._closed = True
        if self._thread.is_alive():
            self._queue.put(None)
        while self._thread.is_alive():
            self._thread.join(_STUCK_SECONDS / 10)
            since, connection = self._since, self._connection
            stuck = since is not None and time.monotonic() - since > _STUCK_SECONDS
            if stuck and connection is not None and self._database.shared:  # a disk answers in the end
                connection.interrupt()

    def _run(self) -> None:
        running = True
        while running:
            batch, running = self._take()
            if batch or running or self._problem is not None or self._owed or self._maybe is not None:
                self._since = time.monotonic()
                self._write(batch)
                self._since = None
        if self._connection is not None:
            self._connection.close()

    def _take(self) -> tuple[list[Job], bool]:
        batch: list[Job] = []
        try:
            jobs = self._first()
            while jobs is not None:
                batch += jobs
                if len(batch) >= _BATCH:
                    return batch, True
                jobs = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _first(self) -> list[Job] | None:
        """Wait for jobs. In an idle moment the database is tidied up, which would else keep somebody waiting.

        Raises:
            Empty: None came; it is time to look after the database.
        """
        if self._problem is not None:  # look now and then whether it is over, so that readiness can come back
            return self._queue.get(timeout=_PROBE_SECONDS)
        if not self._tidy and self._connection is not None:
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=_IDLE_SECONDS)
            self._tidy = True
            with contextlib.suppress(*self._database.failures):  # it is done again behind the next work
                self._database.tidy(self._connection)
        return self._queue.get(timeout=self._tending.seconds if self._tending is not None else None)

    def _write(self, batch: list[Job]) -> None:
        jobs, self._owed = self._owed + batch, []
        try:
            connection = self._connected()
            jobs = self._undecided(connection) + jobs
            answers = self._commit(connection, jobs)
        except Undecided as error:
            self._failed(jobs, self._database.describe(error.cause), error, undecided=error.transaction)
            return
        except self._database.failures as error:
            self._failed(jobs, self._database.describe(error), error)
            return
        except LedgerUnavailable as error:
            self._failed(jobs, error.message, error)
            return
        except Exception as error:  # noqa: BLE001 - a dead writer would leave every later request waiting
            self._failed(jobs, f"{self._database.name} failed: {type(error).__name__}.", error)
            return
        self._problem = None
        self._tidy = not jobs and self._tidy
        self._answer([(job, answer, refused) for job, (answer, refused) in zip(jobs, answers, strict=True)])

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.connect()
        return self._connection

    def _undecided(self, connection: Connection) -> list[Job]:
        """Return the jobs to be done again, of a transaction of which it was not known whether it was committed."""
        if self._maybe is None:
            return []
        transaction, jobs = self._maybe
        again = [] if self._database.was_committed(connection, transaction) else jobs
        self._maybe = None
        return again

    def _commit(self, connection: Connection, jobs: list[Job]) -> Answers:
        self._database.begin(connection)
        try:
            answers: Answers = [(answer, None) for answer in self._all(connection, jobs)]
            self._database.flush(connection)
        except Exception as error:
            if not self._refused(error):
                raise
            self._database.undo(connection)
            self._database.begin(connection)
            answers = [self._one(connection, job) for job in jobs]
        if not jobs and self._problem is not None:
            connection.execute(_HEARTBEAT, (time.time(),))
        if self._tending is not None:
            self._tending.work(connection)
        self._database.commit(connection)
        return answers

    def _all(self, connection: Connection, jobs: Sequence[Job]) -> Iterator[Any]:
        """Do all jobs in their order, records that follow each other together, and yield what is told of each job.

        Whatever is refused fails them all.
        """
        for recording, some in groupby(jobs, lambda job: job.work is None):
            if not recording:
                yield from (job.work(connection) for job in some if job.work is not None)
                continue
            together = list(some)
            told = self._record(connection, [record for job in together for record in job.records])
            place = 0
            for job in together:
                yield told[place]
                place += len(job.records)

    def _one(self, connection: Connection, job: Job) -> tuple[Any, LedgerUnavailable | None]:
        """Do one job, so that it alone is undone if it is refused."""
        connection.execute("SAVEPOINT job")
        answer, refused = None, None
        try:
            (answer,) = self._all(connection, [job])
            self._database.flush(connection)
        except Exception as error:
            if not self._refused(error):
                raise
            self._undo(connection)
            refused = _refusal(error)
        connection.execute("RELEASE job")
        return answer, refused

    def _refused(self, error: Exception) -> bool:
        """Return whether it is one job's own fault."""
        return isinstance(error, LedgerUnavailable) or self._database.unfit(error)

    def _undo(self, connection: Connection) -> None:
        with contextlib.suppress(*self._database.failures):  # of this job: they are undone with it
            self._database.flush(connection)
        connection.execute("ROLLBACK TO job")

    def _failed(self, jobs: list[Job], message: str, error: Exception, *, undecided: object = None) -> None:
        self._problem = message
        if self._connection is not None:
            with contextlib.suppress(*self._database.failures):
                self._connection.close()  # rolls back
            self._connection = None
        kept = [job for job in jobs if job.keep]
        if undecided is not None:
            self._maybe = (undecided, kept)
        else:
            self._owed = (kept + self._owed)[-_MOST_OWED:]
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


def _refusal(error: Exception) -> LedgerUnavailable:
    if isinstance(error, LedgerUnavailable):
        return error
    refused = LedgerUnavailable(f"The ledger refused a record: {type(error).__name__}.", code="ledger_invalid_record")
    refused.__cause__ = error
    return refused

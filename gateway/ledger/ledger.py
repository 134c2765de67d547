"""The ledger as the gateway uses it. Owns the writer thread, the budgets' totals and the memory of taint.

INVARIANT: when `receive` or `reserve` returns, the record survives a power cut; when it can't be written they raise
LedgerUnavailable, and nothing is sent.
"""

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.record import Accrual, Receipt, Reservation, Settlement
from gateway.core.snapshot import Budget
from gateway.ledger import opening, rows, taint
from gateway.ledger.budgets import Budgets
from gateway.ledger.lock import OwnerLock
from gateway.ledger.settings import LedgerSettings
from gateway.ledger.writer import Job, Told, Writer, describe

FILE_NAME = "ledger.sqlite3"
_START_SECONDS = 600.0  # removing old rows and reading millions of hashes may take a while, once


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether receipts can be written. `problem` is for the operator's eyes: it names the file."""

    ok: bool
    problem: str | None = None


class Ledger:
    """`open` before use, `close` after. All methods are called on the event loop's thread."""

    def __init__(self, settings: LedgerSettings, *, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._wall = wall
        self._zone = zone_of(settings.timezone)
        self._file = settings.directory / FILE_NAME
        self._lock = OwnerLock(settings.directory / "ledger.lock")
        self._writer: Writer | None = None
        self._keys: dict[str, str] = {}  # open request → key
        self._sieve = taint.Sieve()
        self._unwritten: dict[bytes, Label] = {}  # remembered, not yet durable
        self._refreshed: set[bytes] = set()
        self._refreshed_day = 0
        self._reader: sqlite3.Connection | None = None
        self._reading = threading.Lock()
        self._budgets = self._new_budgets()
        self._pruned_day = 0
        self.orphans = 0  # requests that the last start found unsettled

    @property
    def file(self) -> Path:
        """The database."""
        return self._file

    async def open(self) -> None:
        """Take the lock, check, migrate, settle what a crash cut off. Raises LedgerUnavailable."""
        await asyncio.to_thread(self._prepare, asyncio.get_running_loop())
        try:
            self._budgets = self._new_budgets()
            self.orphans = await self._do(self._start_work, patience=_START_SECONDS)
            self._pruned_day = self._day()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Write what is queued, then let go of the files. Safe to call twice."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await asyncio.to_thread(writer.close)
        with self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        self._lock.release()

    def health(self) -> Health:
        """Cheap; for readiness. While writing fails the writer looks every 2 s whether it works again."""
        if self._writer is None:
            return Health(ok=False, problem=f"The ledger {self._file} is not open.")
        problem = self._writer.problem
        return Health(ok=problem is None, problem=problem)

    async def receive(self, receipt: Receipt, reservation: Reservation | None) -> None:
        """Write the decision; durable when it returns. Raises LedgerUnavailable."""
        receipt_row = rows.receipt_row(0, receipt)[1:]
        reservation_row = None if reservation is None else rows.reservation_row(0, reservation)[2:]

        def work(connection: sqlite3.Connection) -> None:
            seq = connection.execute(rows.RECEIPT_SQL, (None, *receipt_row)).lastrowid
            if reservation_row is not None:
                connection.execute(rows.RESERVATION_SQL, (seq, seq, *reservation_row))

        known = receipt.request_id in self._keys
        if not known:
            self._keys[receipt.request_id] = receipt.key
            self._hold(receipt.request_id, receipt.key, reservation)
        try:
            await self._do(work)
        except BaseException as error:
            if not known:
                self._keys.pop(receipt.request_id, None)
                self._budgets.release(receipt.request_id)
            if isinstance(error, TimeoutError | asyncio.CancelledError):
                self._disown(receipt.request_id)
            raise
        self._prune_daily()

    async def reserve(self, request_id: str, reservation: Reservation) -> None:
        """Set money aside for a further target of a request; durable when it returns. Raises LedgerUnavailable."""
        row = rows.reservation_row(0, reservation)[2:]

        def work(connection: sqlite3.Connection) -> None:
            seq = _seq(connection, request_id)
            connection.execute(rows.RESERVATION_SQL, (seq, seq, *row))

        if request_id in self._keys:
            self._hold(request_id, self._keys[request_id], reservation)
        await self._do(work)

    async def settle(self, settlement: Settlement) -> None:
        """Write the end of a request. The first settlement stands, a second changes nothing. Raises LedgerUnavailable.

        One that the disk refuses is kept and tried again with each later write, and by the next start.
        """
        unpriced = settlement.zone is Zone.CLOUD and settlement.target in self._settings.unpriced_targets
        row = rows.settlement_row(0, settlement, unpriced=unpriced)[1:]
        attempts = rows.attempt_rows(0, settlement)

        def work(connection: sqlite3.Connection) -> None:
            seq = _seq(connection, settlement.request_id)
            if connection.execute(rows.SETTLEMENT_SQL, (seq, *row)).rowcount and attempts:
                connection.executemany(rows.ATTEMPT_SQL, [(seq, *attempt[1:]) for attempt in attempts])

        key = self._keys.pop(settlement.request_id, None)
        if key is not None:
            self._roll()
            self._budgets.settle(settlement.request_id, key, settlement.cost_micros)
        await self._do(work, keep=True)

    async def accrue(self, accruals: Sequence[Accrual]) -> None:
        """Add energy and its cost to the hour it belongs to. Raises LedgerUnavailable."""
        values = [
            (
                int(item.at // 3600),
                item.device,
                item.state,
                item.source,
                item.microjoules,
                item.electricity_micros,
                item.hardware_micros,
            )
            for item in accruals
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT INTO energy VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
                "microjoules = microjoules + excluded.microjoules, "
                "electricity_micros = electricity_micros + excluded.electricity_micros, "
                "hardware_micros = hardware_micros + excluded.hardware_micros",
                values,
            )

        await self._do(work, keep=True)

    def budgets(self) -> Mapping[str, Budget]:
        """What was spent, reservations included: `day`, `month`, and `key:<name>` by month. No I/O."""
        self._roll()
        return self._budgets.now()

    async def taint_lookup(self, hashes: Sequence[bytes]) -> dict[bytes, Label]:
        """The labels of those hashes that are remembered; refreshes them. Raises LedgerUnavailable.

        Hashes that were never remembered cost no database access (a filter in memory says so).
        """
        maybe = [item for item in hashes if self._sieve.may_hold(item)]
        if not maybe:
            return {}
        unwritten = {item: self._unwritten[item] for item in maybe if item in self._unwritten}
        found = await asyncio.to_thread(self._read_taint, maybe)
        today = self._day()
        labels = {item: label for item, (label, _) in found.items()}
        if today != self._refreshed_day:
            self._refreshed_day = today
            self._refreshed.clear()
        stale = {item: labels[item] for item, (_, day) in found.items() if day < today and item not in self._refreshed}
        if stale and self._writer is not None:
            self._refreshed.update(stale)
            self._writer.submit(Job(lambda connection: taint.write(connection, stale, today)))
        for item, label in unwritten.items():
            labels[item] = max(label, labels.get(item, label))
        return labels

    async def taint_remember(self, hashes: Sequence[bytes], label: Label) -> None:
        """Remember turns of a conversation with their label, which never falls. Durable when it returns.

        Raises LedgerUnavailable.
        """
        labels = dict.fromkeys(hashes, label)
        if not labels:
            return
        today = self._day()
        for item in labels:
            self._sieve.add(item)
            self._unwritten[item] = max(label, self._unwritten.get(item, label))
        try:
            await self._do(lambda connection: taint.write(connection, labels, today))
        finally:
            for item in labels:
                self._unwritten.pop(item, None)

    def _prepare(self, loop: asyncio.AbstractEventLoop) -> None:
        settings = self._settings
        try:
            settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.take()
            try:
                # Its journal files take over this mode: nobody else on the machine reads who asked for what.
                os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                self._writer = Writer(
                    self._file,
                    busy_seconds=settings.busy_seconds,
                    max_bytes=settings.max_bytes,
                    check_bytes=settings.check_bytes,
                    tell=lambda news: self._told(loop, news),
                )
                self._writer.start()
            except BaseException:
                self._writer = None
                self._lock.release()
                raise
        except OSError as error:
            raise LedgerUnavailable(describe(error, settings.directory)) from error

    def _start_work(self, connection: sqlite3.Connection) -> int:
        now = self._wall()
        settings = self._settings
        orphans = opening.settle_orphans(connection, now)
        while opening.prune(connection, now, settings.keep_days):
            pass
        taint.expire(connection, today=self._day(), days=settings.taint_days, entries=settings.taint_entries)
        for item in taint.everything(connection):
            self._sieve.add(item)
        opening.load_totals(connection, self._budgets, self._today(), self._zone)
        return orphans

    async def _do(
        self, work: Callable[[sqlite3.Connection], Any], *, keep: bool = False, patience: float | None = None
    ) -> Any:
        if self._writer is None:
            raise LedgerUnavailable(f"The ledger {self._file} is not open.")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Any] = loop.create_future()
        self._writer.submit(Job(work=work, keep=keep, waiter=waiter))
        seconds = self._settings.write_seconds if patience is None else patience
        alarm = loop.call_later(seconds, self._too_slow, waiter, seconds)
        try:
            return await waiter
        finally:
            alarm.cancel()

    def _too_slow(self, waiter: "asyncio.Future[Any]", seconds: float) -> None:
        if not waiter.done():
            waiter.set_exception(_TooSlow(f"The ledger {self._file} did not write within {seconds:g} s."))

    def _told(self, loop: asyncio.AbstractEventLoop, news: list[Told]) -> None:
        """In the writer's thread: one wake-up of the loop for a whole batch."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody waits any more
            loop.call_soon_threadsafe(_wake, news)

    def _disown(self, request_id: str) -> None:
        """Nobody will settle this request; if its receipt is written late, it is settled right behind."""
        if self._writer is not None:
            now = self._wall()
            self._writer.submit(Job(lambda connection: opening.settle_orphan(connection, request_id, now), True))

    def _hold(self, request_id: str, key: str, reservation: Reservation | None) -> None:
        if reservation is not None and reservation.zone is Zone.CLOUD:
            self._budgets.hold(request_id, key, reservation.micros)

    def _read_taint(self, hashes: Sequence[bytes]) -> dict[bytes, tuple[Label, int]]:
        try:
            with self._reading:
                if self._reader is None:
                    self._reader = sqlite3.connect(
                        f"{self._file.absolute().as_uri()}?mode=ro",
                        uri=True,
                        timeout=self._settings.busy_seconds,
                        isolation_level=None,
                        check_same_thread=False,
                    )
                return taint.read(self._reader, hashes)
        except sqlite3.Error as error:
            raise LedgerUnavailable(describe(error, self._file)) from error

    def _prune_daily(self) -> None:
        today = self._day()
        if today <= self._pruned_day or self._writer is None:
            return
        self._pruned_day = today
        now, settings = self._wall(), self._settings

        def work(connection: sqlite3.Connection) -> None:
            opening.prune(connection, now, settings.keep_days)
            taint.expire(connection, today=today, days=settings.taint_days, entries=settings.taint_entries)

        self._writer.submit(Job(work))

    def _new_budgets(self) -> Budgets:
        settings = self._settings
        return Budgets(
            day=settings.day_limit_usd,
            month=settings.month_limit_usd,
            keys=settings.key_limits_usd,
            today=self._today(),
        )

    def _roll(self) -> None:
        self._budgets.roll(self._today())

    def _today(self) -> date:
        return datetime.fromtimestamp(self._wall(), self._zone).date()

    def _day(self) -> int:
        return int(self._wall() // 86_400)


def zone_of(name: str) -> tzinfo | None:
    """The time zone of an IANA name; None, the machine's own, for an empty one. Raises ConfigurationError."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError((f"{name!r} is not a time zone. Write one like 'Europe/Madrid'.",)) from error


def _wake(news: list[Told]) -> None:
    for job, answer, refused in news:
        if not job.waiter.done():
            if refused is not None:
                job.waiter.set_exception(refused)
            else:
                job.waiter.set_result(answer)


class _TooSlow(LedgerUnavailable, TimeoutError):
    """Not durable in time."""


def _seq(connection: sqlite3.Connection, request_id: str) -> int:
    row = connection.execute("SELECT seq FROM receipts WHERE request_id = ?", (request_id,)).fetchone()
    if row is None:
        raise LedgerUnavailable(f"The ledger has no receipt {request_id!r}.", code="ledger_invalid_record")
    return int(row[0])

"""The ledger as the gateway uses it. Owns the writer thread, the budgets' totals and the memory of taint.

INVARIANT: when `receive` or `reserve` returns, the record survives a power cut; when it can't be written they raise
LedgerUnavailable, and nothing is sent.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.record import Accrual, Receipt, RequestEnergy, Reservation, Settlement
from gateway.core.snapshot import Budget
from gateway.ledger import identity, masking, pruning_day, recovery, rows, taint
from gateway.ledger.budgets import Budgets
from gateway.ledger.identity import LedgerIdentity
from gateway.ledger.lock import OwnerLock
from gateway.ledger.masking import MaskRecord
from gateway.ledger.settings import LedgerSettings
from gateway.ledger.taint_cache import TaintCache
from gateway.ledger.write_queue import WriteQueue
from gateway.ledger.writer import Told, Writer, describe

FILE_NAME = "ledger.sqlite3"
_START_SECONDS = 600.0  # removing old rows and reading millions of hashes may take a while, once


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """State of the ledger: whether receipts can be written. `problem` is for the operator's eyes: it names the file."""

    ok: bool
    problem: str | None = None


class Ledger:
    """The account of every request.

    `open` before use, `close` after. All methods are called on the event loop's thread.
    """

    def __init__(
        self, settings: LedgerSettings, *, wall: Callable[[], float] = time.time, lock: OwnerLock | None = None
    ) -> None:
        """Open nothing yet.

        Args:
            settings: Where it lies, limits and times.
            wall: Clock, in Unix seconds.
            lock: The directory's lock, where it may have been taken before; released here when the ledger is closed.
        """
        self._settings = settings
        self._wall = wall
        self._zone = zone_of(settings.timezone)
        self._file = settings.directory / FILE_NAME
        self._lock = lock or OwnerLock(settings.directory)
        self._writer: Writer | None = None
        self._keys: dict[str, str] = {}  # open request → key
        self._write_queue: WriteQueue | None = None
        self._taint_cache = TaintCache(self._file, busy_seconds=settings.busy_seconds, today=self._day)
        self._budgets = self._new_budgets()
        self._pruned_day = 0
        self.orphans = 0  # requests that the last start found unsettled

    @property
    def file(self) -> Path:
        """Return the path of the database."""
        return self._file

    async def open(self) -> None:
        """Take the lock, check, migrate, and settle what a crash cut off.

        Raises:
            LedgerUnavailable: Another gateway holds the ledger, or it can't be opened or written.
        """
        await asyncio.to_thread(self._prepare)
        try:
            self._budgets = self._new_budgets()
            self.orphans = await self._submitting(_START_SECONDS).do(self._start_work)
            self._submitting(self._settings.write_seconds)
            self._pruned_day = self._day()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Write what is queued, then let go of the files. Safe to call twice."""
        await self._taint_cache.ended()
        if self._write_queue is not None:
            self._write_queue.hand_over()
        writer, self._writer = self._writer, None
        if writer is not None:
            await asyncio.to_thread(writer.close)
        if self._write_queue is not None:
            self._write_queue.close()
            self._write_queue = None
        self._taint_cache.close()
        self._lock.release()

    async def identity(self) -> LedgerIdentity:
        """Return whose state this ledger belongs to.

        Raises:
            LedgerUnavailable: It can't be read.
        """
        found: LedgerIdentity = await self._open_now().do(identity.read)
        return found

    async def claim(self, state: str, key: str, starts: int) -> None:
        """Give the ledger its identity; durable when it returns.

        Args:
            state: Id of the state directory's state.
            key: Fingerprint of the conversation key.
            starts: How often the state was started.

        Raises:
            LedgerUnavailable: It could not be written in time.
        """
        await self._open_now().do(lambda connection: identity.write(connection, state, key, starts))

    def exhaust_budgets(self) -> None:
        """Count every budget with a limit as spent, because nobody knows what was: until the ledger is opened again."""
        self._budgets.exhaust()

    def health(self) -> Health:
        """Return whether receipts can be written; cheap, for readiness.

        While writing fails, the writer looks every 2 s whether it works again.
        """
        if self._writer is None:
            return Health(ok=False, problem=f"The ledger {self._file} is not open.")
        problem = self._writer.problem
        return Health(ok=problem is None, problem=problem)

    async def receive(self, receipt: Receipt, reservation: Reservation | None) -> str | None:
        """Write the decision and set the money aside; durable when it returns.

        Returns the budget that does not allow for it: then the receipt stands without the reservation.

        Raises:
            LedgerUnavailable: The receipt could not be written in time, so nothing may be sent.
        """
        reservation_row = None if reservation is None else rows.reservation_row(0, reservation)[2:]

        def work(connection: sqlite3.Connection) -> None:
            seq = connection.execute(rows.RECEIPT_SQL, (None, *rows.receipt_row(0, receipt)[1:])).lastrowid
            if reservation_row is not None:
                connection.execute(rows.RESERVATION_SQL, (seq, seq, *reservation_row))

        refused: str | None = None
        known = receipt.request_id in self._keys
        if not known:
            self._keys[receipt.request_id] = receipt.key
            refused = self._hold(receipt.request_id, receipt.key, reservation)
            if refused is not None:
                reservation_row = None
        try:
            await self._open_now().do(work)
        except BaseException as error:
            if not known:
                self._keys.pop(receipt.request_id, None)
                self._budgets.release(receipt.request_id)
            if isinstance(error, TimeoutError | asyncio.CancelledError):
                self._disown(receipt.request_id)
            raise
        self._prune_daily()
        return refused

    async def refuse(self, receipt: Receipt, settlement: Settlement) -> None:
        """Write a receipt together with its settlement, for a request that was sent nowhere; durable when it returns.

        Both stand or neither does. Under a flood many of them share one commit.

        Raises:
            LedgerUnavailable: They could not be written in time.
        """
        rows.check_cost(settlement)

        def work(connection: sqlite3.Connection) -> None:
            seq = connection.execute(rows.RECEIPT_SQL, (None, *rows.receipt_row(0, receipt)[1:])).lastrowid
            assert seq is not None
            connection.execute(rows.SETTLEMENT_SQL, rows.settlement_row(seq, settlement, unpriced=False))
            connection.executemany(rows.ATTEMPT_SQL, rows.attempt_rows(seq, settlement))

        await self._open_now().do(work, patient=True)
        self._prune_daily()

    async def reserve(self, request_id: str, reservation: Reservation) -> str | None:
        """Set money aside for a further target of a request; durable when it returns.

        Returns the budget that does not allow for it: then nothing was set aside.

        Raises:
            LedgerUnavailable: The reservation could not be written in time.
        """
        row = rows.reservation_row(0, reservation)[2:]

        def work(connection: sqlite3.Connection) -> None:
            seq = _seq(connection, request_id)
            connection.execute(rows.RESERVATION_SQL, (seq, seq, *row))

        if request_id in self._keys:
            refused = self._hold(request_id, self._keys[request_id], reservation)
            if refused is not None:
                return refused
        await self._open_now().do(work)
        return None

    async def settle(self, settlement: Settlement) -> None:
        """Write the end of a request. The first settlement stands, a second changes nothing.

        One that the disk refuses is kept and tried again with each later write, and by the next start.

        Raises:
            LedgerUnavailable: It could not be written in time.
        """
        unpriced = settlement.zone is Zone.CLOUD and settlement.target in self._settings.unpriced_targets
        rows.check_cost(settlement)  # what counts for budgets is checked here, all else by the writer

        def work(connection: sqlite3.Connection) -> None:
            seq = _seq(connection, settlement.request_id)
            row = rows.settlement_row(seq, settlement, unpriced=unpriced)
            if connection.execute(rows.SETTLEMENT_SQL, row).rowcount and settlement.attempts:
                connection.executemany(rows.ATTEMPT_SQL, rows.attempt_rows(seq, settlement))

        key = self._keys.pop(settlement.request_id, None)
        if key is not None:
            self._roll()
            self._budgets.settle(settlement.request_id, key, settlement.cost_micros)
        await self._open_now().do(work, keep=True, patient=True)

    async def accrue(self, accruals: Sequence[Accrual], requests: Sequence[RequestEnergy] = ()) -> None:
        """Add energy and its cost to the hour and to the requests that it belongs to.

        Raises:
            LedgerUnavailable: It could not be written in time.
        """

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(rows.ENERGY_SQL, [rows.energy_row(item) for item in accruals])
            connection.executemany(rows.REQUEST_ENERGY_SQL, [rows.request_energy_row(item) for item in requests])

        await self._open_now().do(work, keep=True)

    def budgets(self) -> Mapping[str, Budget]:
        """Return what was spent, reservations included: `day`, `month`, and `key:<name>` by month. No I/O."""
        self._roll()
        return self._budgets.now()

    async def taint_lookup(self, hashes: Sequence[bytes]) -> dict[bytes, Label]:
        """Return the labels of those hashes that are remembered, and note that they were seen.

        Hashes that were never remembered cost no database access (a filter in memory says so).

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        return await self._taint_cache.lookup(hashes, self._write_queue)

    async def taint_causes(self, hashes: Sequence[bytes]) -> frozenset[str] | None:
        """Return the categories that alone made the sensitive ones of these hashes sensitive.

        None: not known, or not only findings did.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        return await self._taint_cache.causes(hashes)

    async def taint_remember(self, hashes: Sequence[bytes], label: Label, causes: frozenset[str] | None = None) -> None:
        """Remember turns of a conversation with their label, which never falls, and what alone caused it.

        Durable when it returns.

        Raises:
            LedgerUnavailable: It could not be written in time.
        """
        await self._taint_cache.remember(hashes, label, self._open_now(), causes)

    async def mask_lookup(self, hashes: Sequence[bytes]) -> MaskRecord | None:
        """Return the sealed mapping of the conversation that begins in these ways, and note that it was seen.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        kept = await self._taint_cache.reading(lambda connection: masking.read(connection, hashes))
        today = self._day()
        if kept is not None and kept.day < today and self._write_queue is not None:
            name = kept.name
            self._write_queue.send(lambda connection: masking.touch(connection, name, today))
        return kept

    async def mask_remember(self, name: bytes, sealed: bytes, hashes: Sequence[bytes]) -> None:
        """Keep a conversation's sealed mapping; durable when it returns.

        Raises:
            LedgerUnavailable: It could not be written in time.
        """
        today = self._day()
        await self._open_now().do(lambda connection: masking.write(connection, name, sealed, hashes, today))

    def _submitting(self, seconds: float) -> WriteQueue:
        """Make a new queue, in which a write may take that many seconds, and return it."""
        assert self._writer is not None
        if self._write_queue is not None:
            self._write_queue.close()
        name = f"The ledger {self._file}"
        self._write_queue = WriteQueue(self._writer, asyncio.get_running_loop(), seconds=seconds, name=name)
        return self._write_queue

    def _told(self, news: list[Told]) -> None:
        write_queue = self._write_queue
        if write_queue is not None:
            write_queue.told(news)

    def _prepare(self) -> None:
        settings = self._settings
        try:
            self._lock.take()
            try:
                # Its journal files take over this mode: nobody else on the machine reads who asked for what.
                os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                self._writer = Writer(
                    self._file,
                    busy_seconds=settings.busy_seconds,
                    max_bytes=settings.max_bytes,
                    check_bytes=settings.check_bytes,
                    tell=self._told,
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
        orphans = recovery.settle_orphans(connection, now)
        today = pruning_day.advance(connection, now)
        while recovery.prune(connection, today, settings.keep_days):
            pass
        self._forget(connection, today)
        self._taint_cache.fill(connection)
        recovery.load_totals(connection, self._budgets, self._today(), self._zone)
        return orphans

    def _open_now(self) -> WriteQueue:
        if self._write_queue is None:
            raise LedgerUnavailable(f"The ledger {self._file} is not open.")
        return self._write_queue

    def _disown(self, request_id: str) -> None:
        """Note that nobody will settle this request; if its receipt is written late, it is settled right behind it."""
        if self._write_queue is not None:
            now = self._wall()
            self._write_queue.send(lambda connection: recovery.settle_orphan(connection, request_id, now), keep=True)

    def _hold(self, request_id: str, key: str, reservation: Reservation | None) -> str | None:
        """Set money aside, and return the budget that does not allow for it.

        INVARIANT: whether there is enough is looked at where it is taken, with nothing in between.
        """
        if reservation is None or reservation.zone is not Zone.CLOUD:
            return None
        self._roll()
        unpriced = reservation.target in self._settings.unpriced_targets
        return self._budgets.hold(request_id, key, None if unpriced else reservation.micros)

    def _prune_daily(self) -> None:
        today = self._day()
        if today == self._pruned_day or self._write_queue is None:
            return
        self._pruned_day = today
        now, settings = self._wall(), self._settings

        def work(connection: sqlite3.Connection) -> None:
            oldest = pruning_day.advance(connection, now)
            recovery.prune(connection, oldest, settings.keep_days)
            self._forget(connection, oldest)

        self._write_queue.send(work)

    def _forget(self, connection: sqlite3.Connection, today: int) -> None:
        """Forget old conversations: that they were sensitive, and what stood for what in them."""
        settings = self._settings
        for room in (taint, masking):
            room.expire(connection, today=today, days=settings.taint_days, entries=settings.taint_entries)

    def _new_budgets(self) -> Budgets:
        settings = self._settings
        return Budgets(
            day=settings.day_limit_usd,
            month=settings.month_limit_usd,
            keys=settings.key_limits_usd,
            today=self._today(),
            zone=self._zone,
            unpriced_allowed=settings.unpriced_allowed,
        )

    def _roll(self) -> None:
        self._budgets.roll(self._today())

    def _today(self) -> date:
        return datetime.fromtimestamp(self._wall(), self._zone).date()

    def _day(self) -> int:
        return int(self._wall() // 86_400)


def zone_of(name: str) -> tzinfo | None:
    """Return the time zone of an IANA name; None, the machine's own, for an empty one.

    Raises:
        ConfigurationError: There is no such time zone.
    """
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError((f"{name!r} is not a time zone. Write one like 'Europe/Madrid'.",)) from error


def _seq(connection: sqlite3.Connection, request_id: str) -> int:
    row = connection.execute("SELECT seq FROM receipts WHERE request_id = ?", (request_id,)).fetchone()
    if row is None:
        raise LedgerUnavailable(f"The ledger has no receipt {request_id!r}.", code="ledger_invalid_record")
    return int(row[0])

"""The ledger as the gateway uses it. Owns the writer thread, the budgets' totals and the memory of taint.

INVARIANT: when `receive` or `reserve` returns, the record survives a power cut; when it can't be written they raise
LedgerUnavailable, and nothing is sent.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, tzinfo
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.accounts.keys import StoredKey
from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.limits import Account, Claim, Full, Scope, Use
from gateway.core.record import Accrual, Receipt, RequestEnergy, Reservation, Settlement, Whose
from gateway.core.snapshot import Budget
from gateway.ledger import chain, identity, masking, recovery, rows
from gateway.ledger.budgets import Budgets, drawn_on
from gateway.ledger.database.places import database_of
from gateway.ledger.database.sqlite import FILE_NAME
from gateway.ledger.days import Days
from gateway.ledger.identity import LedgerIdentity
from gateway.ledger.keeping.upkeep import Upkeep
from gateway.ledger.keys import table
from gateway.ledger.lock import OwnerLock
from gateway.ledger.masking import MaskRecord
from gateway.ledger.packing import phrases
from gateway.ledger.packing.facts import Pattern, Patterns
from gateway.ledger.packing.facts import add as add_pattern
from gateway.ledger.packing.facts import newest as newest_pattern
from gateway.ledger.recording import NewReceipt, Place, Record, receipt_record, settlement_record, write
from gateway.ledger.settings import LedgerSettings
from gateway.ledger.sharing import Sharing
from gateway.ledger.sql import Connection, Database
from gateway.ledger.taint.cache import TaintCache
from gateway.ledger.write_queue import Patience, WriteQueue
from gateway.ledger.writer import Told, Writer

_START_SECONDS = 600.0  # removing old rows and reading millions of hashes may take a while, once


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """State of the ledger: whether receipts can be written. `problem` is for the operator's eyes: it names the file."""

    ok: bool
    problem: str | None = None


class _Open(msgspec.Struct, eq=False):
    """A request that is not settled yet."""

    key: str
    place: Place
    accounts: tuple[Account, ...] = ()  # what else it draws on
    claiming: bool = False  # it holds something of shared limits


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
        self._days = Days(self._zone)
        self._database = database_of(settings)
        self._lock = lock or OwnerLock(settings.directory)
        self._writer: Writer | None = None
        self._requests: dict[str, _Open] = {}
        self._write_queue: WriteQueue | None = None
        self._taint_cache = TaintCache(self._database, today=self._day)
        self._sharing = self._new_sharing() if self._database.shared else None
        self._budgets = self._new_budgets()
        self._patterns = Patterns()
        self._phrases = phrases.Phrases()
        self._upkeep = Upkeep(settings, self._database, wall)
        self._tokens: Mapping[tuple[Scope, str], int] = {}
        self.orphans = 0  # requests that the last start found unsettled
        self.received = 0  # receipts that were handed over since

    @property
    def file(self) -> Path:
        """Return the path of the database, where it is a file."""
        return self._settings.directory / FILE_NAME

    @property
    def database(self) -> Database:
        """Return where the ledger lies."""
        return self._database

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
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Write what is queued, then let go of the files. Safe to call twice."""
        await self._taint_cache.ended()
        await self._upkeep.ended()
        if self._write_queue is not None:
            if self._sharing is not None and self._writer is not None:
                self._write_queue.send(self._sharing.leave)
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

    async def claim(self, state: str, key: str, starts: int) -> str:
        """Give the ledger its identity; durable when it returns, with the id that the state has now.

        Args:
            state: Id of the state directory's state.
            key: Fingerprint of the conversation key.
            starts: How often the state was started.

        Raises:
            LedgerUnavailable: It could not be written in time, or is begun with another key.
        """
        claimed: str = await self._open_now().do(
            lambda connection: identity.write(connection, state, key, starts, shared=self._database.shared)
        )
        return claimed

    def exhaust_budgets(self) -> None:
        """Count every budget with a limit as spent, because nobody knows what was: until the ledger is opened again."""
        self._budgets.exhaust()

    def health(self) -> Health:
        """Return whether receipts can be written; cheap, for readiness.

        While writing fails, the writer looks every 2 s whether it works again.
        """
        if self._writer is None:
            return Health(ok=False, problem=f"{self._database.name} is not open.")
        problem = self._writer.problem
        if problem is None and self._write_queue is not None:
            problem = self._write_queue.problem
        return Health(ok=problem is None, problem=problem)

    def receive(self, receipt: Receipt, reservation: Reservation | None) -> "asyncio.Future[str | Full | None]":
        """Write the decision and set the money aside; both are durable when the future is done.

        It has the budget that does not allow for the money, or the shared limit that has no room: then the receipt
        stands without the reservation. Of a target's limit, those of the caller are taken all the same. It fails with
        LedgerUnavailable where the receipt could not be written in time, so nothing may be sent.
        """
        self.received += 1
        try:
            record = self._record_of(receipt, reservation)
            queue = self._open_now()
        except LedgerUnavailable as error:
            return _failed(error)
        name = receipt.request_id
        known = name in self._requests
        if not known:
            self._requests[name] = opened = _Open(receipt.key, record.place)
            record.answer = self._hold(name, opened, reservation)
            opened.claiming = self.shares_limits and reservation is not None and bool(reservation.claims)
        if record.answer is not None:
            record.reservation = None
        if self._sharing is not None:
            self._admitted(record, receipt.key, reservation)
        written = queue.record(record)
        if not known:
            written.add_done_callback(lambda done: self._received(name, done))
        self._upkeep.request_came(queue)
        return written

    async def refuse(self, receipt: Receipt, settlement: Settlement) -> None:
        """Write a receipt together with its settlement, for a request that was sent nowhere; durable when it returns.

        Both stand or neither does. Under a flood many of them share one commit.

        Raises:
            LedgerUnavailable: They could not be written in time.
        """
        rows.check_cost(settlement)
        self.received += 1
        record = self._record_of(receipt, None)
        end = settlement_record(record.place, settlement, unpriced=False)
        await self._open_now().record(record, end, patience=Patience.SOME)
        self._upkeep.request_came(self._write_queue)

    async def reserve(self, request_id: str, reservation: Reservation) -> str | Full | None:
        """Set money aside for a further target of a request; durable when it returns.

        What the request held of the limits of the target before it is free again. Returns the budget that does not
        allow for it, or the shared limit that has no room: then nothing was set aside.

        Raises:
            LedgerUnavailable: The reservation could not be written in time.
        """
        row = rows.reservation_row(reservation)
        opened = self._requests.get(request_id)
        held = opened is not None and opened.claiming

        def work(connection: Connection) -> str | Full | None:
            seq = _seq(connection, request_id)
            if held and self._sharing is not None:
                self._sharing.limits.leave_target(connection, seq)
            refused = None if opened is None else self._take(connection, seq, opened.key, reservation)
            if refused is None:
                connection.execute(rows.RESERVATION_SQL, (seq, seq, *row))
            return refused

        if opened is not None:
            refused = self._hold(request_id, opened, reservation)
            if refused is not None:
                return refused
            opened.claiming = held or (self.shares_limits and bool(reservation.claims))
        taken_by_others: str | Full | None = await self._open_now().do(work)
        return taken_by_others

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        """Write the end of a request; it is durable when the future is done.

        The first settlement stands, a second changes nothing. One that the disk refuses is kept and tried again with
        each later write, and by the next start. The future fails with LedgerUnavailable where it could not be written
        in time.
        """
        try:
            rows.check_cost(settlement)  # what counts for budgets
            return self._settled(settlement)
        except LedgerUnavailable as error:
            return _failed(error)

    def _settled(self, settlement: Settlement) -> "asyncio.Future[None]":
        unpriced = settlement.zone is Zone.CLOUD and settlement.target in self._settings.unpriced_targets
        name, cost = settlement.request_id, settlement.cost_micros
        opened = self._requests.pop(name, None)
        if opened is None:  # a second one, or one of a request that this process did not admit
            return self._open_now().do(partial(_settle_late, settlement, unpriced), keep=True, patience=Patience.MUCH)
        if self._sharing is None:
            self._roll()
            self._budgets.settle(name, opened.key, cost, opened.accounts)
        record = settlement_record(opened.place, settlement, unpriced=unpriced)
        if self._sharing is not None:
            drawn = [account.name for account in drawn_on(opened.key, opened.accounts)]
            used = settlement.usage.prompt_tokens + settlement.usage.completion_tokens
            tokens = used if opened.claiming else None
            record.then = partial(self._sharing.settled, names=drawn, micros=cost, tokens=tokens)
        # Whoever waits for a place that this frees may ask another gateway in the next moment.
        patience = Patience.NONE if opened.claiming else Patience.MUCH
        return self._open_now().record(record, keep=True, patience=patience)

    async def accrue(self, accruals: Sequence[Accrual], requests: Sequence[RequestEnergy] = ()) -> None:
        """Add energy and its cost to the hour and to the requests that it belongs to.

        Raises:
            LedgerUnavailable: It could not be written in time.
        """

        def work(connection: Connection) -> None:
            connection.executemany(rows.ENERGY_SQL, [rows.energy_row(item) for item in accruals])
            connection.executemany(rows.REQUEST_ENERGY_SQL, [rows.request_energy_row(item) for item in requests])

        await self._open_now().do(work, keep=True)

    def budgets(self) -> Mapping[str, Budget]:
        """Return what was spent, reservations included: `day`, `month`, and each `Account` by its name. No I/O."""
        self._roll()
        return self._budgets.now()

    def budgets_of(self, key: str, accounts: Sequence[Account]) -> Mapping[str, Budget]:
        """Return the budgets that a request with this key and these accounts draws on, as they are told. No I/O."""
        self._roll()
        return self._budgets.drawn(key, accounts)

    @property
    def shares_limits(self) -> bool:
        """Return whether limits of requests and tokens are held together with other gateways."""
        return self._sharing is not None

    def limits_seen(self, claim: Claim) -> Use | None:
        """Return what all gateways together used of shared limits a moment ago; None: nobody looked lately. No I/O."""
        return None if self._sharing is None else self._sharing.limits.seen(claim)

    def tokens_today(self) -> Mapping[tuple[Scope, str], int]:
        """Return the tokens that were used today by the time of the start: by key, user, tag and target."""
        return self._tokens

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

    async def checkpoint(self, key: chain.SigningKey, *, idle_seconds: float) -> bool:
        """Sign how the chain ends now, and keep that; durable when it returns.

        Returns whether there was a reason to: new links, or a last checkpoint that is older than `idle_seconds`.

        Raises:
            LedgerUnavailable: It could not be written in time.
        """
        now = self._wall()
        made: bool = await self._open_now().do(
            lambda connection: chain.add_checkpoint(connection, key, now, idle_seconds=idle_seconds)
        )
        return made

    async def checkpoints_behind(self, place: int) -> list[str]:
        """Return the lines of all checkpoints behind that place, in their order.

        Raises:
            LedgerUnavailable: They can't be read.
        """
        lines: list[str] = await self._open_now().do(lambda connection: chain.lines_behind(connection, place))
        return lines

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

    async def mask_remember(self, name: bytes, sealed: bytes, hashes: Sequence[bytes], whose: Whose) -> None:
        """Keep a conversation's sealed mapping; durable when it returns.

        Raises:
            LedgerUnavailable: It could not be written in time.
        """
        today = self._day()
        await self._open_now().do(lambda connection: masking.write(connection, name, sealed, hashes, today, whose))

    async def key_changes(self) -> int:
        """Return how often a stored key was made or changed, by whichever process.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        return await self._taint_cache.reading(table.changes)

    async def stored_keys(self) -> tuple[StoredKey, ...]:
        """Return the API keys that commands made, the revoked ones too.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        return await self._taint_cache.reading(table.everything)

    def _submitting(self, seconds: float) -> WriteQueue:
        """Make a new queue, in which a write may take that many seconds, and return it."""
        assert self._writer is not None
        if self._write_queue is not None:
            self._write_queue.close()
        loop = asyncio.get_running_loop()
        self._write_queue = WriteQueue(self._writer, loop, seconds=seconds, name=self._database.name)
        return self._write_queue

    def _write(self, connection: Connection, records: Sequence[Record]) -> list[str | None]:
        return write(connection, records, perhaps_settled=self._database.shared)

    def _told(self, news: list[Told]) -> None:
        write_queue = self._write_queue
        if write_queue is not None:
            write_queue.told(news)

    def _prepare(self) -> None:
        directory = self._settings.directory
        try:
            self._lock.take()
            try:
                tending = self._sharing.tending if self._sharing is not None else None
                self._writer = Writer(self._database, tell=self._told, record=self._write, tending=tending)
                self._writer.start()
            except BaseException:
                self._writer = None
                self._lock.release()
                raise
        except OSError as error:
            raise LedgerUnavailable(f"The ledger {directory} can't be used: {error.strerror or error}.") from error

    def _start_work(self, connection: Connection) -> int:
        now = self._wall()
        chain.begin(connection, now)
        if self._sharing is not None:
            orphans = self._sharing.join(connection)
        else:
            orphans = recovery.settle_orphans(connection, now)
            self._taint_cache.fill(connection)
            recovery.load_totals(connection, self._budgets, self._today(), self._zone)
        self._upkeep.at_start(connection)
        self._patterns.current = newest_pattern(connection)
        self._phrases = phrases.newest(connection)
        self._tokens = recovery.tokens_of_day(connection, self._today(), self._zone)
        return orphans

    def _open_now(self) -> WriteQueue:
        if self._write_queue is None:
            raise LedgerUnavailable(f"{self._database.name} is not open.")
        return self._write_queue

    def _record_of(self, receipt: Receipt, reservation: Reservation | None) -> NewReceipt:
        """Return a receipt as it is to be written. What it has in common with others is kept once, if it comes again.

        Raises:
            InvalidRecord: Something in it can't be true.
        """
        record = receipt_record(receipt, reservation, self._pattern_for(receipt.facts), self._phrases)
        words = self._phrases.wanted()
        if words is not None and self._write_queue is not None:
            made = self._write_queue.do(lambda connection: phrases.add(connection, words), patience=Patience.SOME)
            made.add_done_callback(partial(self._phrased, words))
        return record

    def _phrased(self, words: phrases.Words, made: "asyncio.Future[int]") -> None:
        if not made.cancelled() and made.exception() is None:
            self._phrases.learn(words, made.result())

    def _pattern_for(self, facts: bytes) -> Pattern | None:
        """Return what packs these facts. One that would do so better is kept first, and used when it is durable."""
        content = self._patterns.better(facts)
        if content is not None and self._write_queue is not None:
            made = self._write_queue.do(lambda connection: add_pattern(connection, content), patience=Patience.SOME)
            made.add_done_callback(self._patterned)
        return self._patterns.current

    def _patterned(self, made: "asyncio.Future[Pattern]") -> None:
        if not made.cancelled() and made.exception() is None:
            self._patterns.current = made.result()

    def _admitted(self, record: NewReceipt, key: str, reservation: Reservation | None) -> None:
        """Let a receipt of a shared ledger say behind it whose request it is, and take its money there."""
        sharing, row, record.reservation = self._sharing, record.reservation, None
        assert sharing is not None

        def then(connection: Connection, seq: int) -> str | Full | None:
            sharing.admit(connection, seq)
            if reservation is None or row is None:
                return None
            taken_by_others = self._take(connection, seq, key, reservation)
            if taken_by_others is None:
                connection.execute(rows.RESERVATION_SQL, (seq, seq, *row))
            return taken_by_others

        record.then = then

    def _received(self, request_id: str, written: "asyncio.Future[str | Full | None]") -> None:
        """Forget a request whose receipt could not be written in time; if it is written late, it is settled there."""
        error = asyncio.CancelledError() if written.cancelled() else written.exception()
        if error is None:
            return
        self._requests.pop(request_id, None)
        self._budgets.release(request_id)
        # Of a shared database it may not be known whether it has the receipt: its server may have gone away.
        if self._sharing is not None or isinstance(error, TimeoutError | asyncio.CancelledError):
            self._disown(request_id)

    def _disown(self, request_id: str) -> None:
        """Note that nobody will settle this request; if its receipt is written late, it is settled right behind it."""
        if self._write_queue is not None:
            now, sharing = self._wall(), self._sharing

            def work(connection: Connection) -> None:
                if sharing is not None:
                    sharing.disown(connection, request_id)
                else:
                    recovery.settle_orphan(connection, request_id, now)

            self._write_queue.send(work, keep=True)

    def _take(self, connection: Connection, seq: int, key: str, reservation: Reservation) -> str | Full | None:
        """Take money and what limits have room for in a shared database, and return what does not allow for it.

        A limit of the caller's or the tags': nothing is taken. A budget, or a limit of the target's: the target is not
        asked, so nothing is taken of what is its own.
        """
        if self._sharing is None:
            return None
        claims, limits = reservation.claims, self._sharing.limits
        if not claims:
            return self._take_money(self._sharing, connection, seq, key, reservation)
        looked = limits.look(connection, claims)
        own = [claim for claim in claims if claim.scope is not Scope.TARGET]
        full = [looked.shortages[claim.place] for claim in own if claim.place in looked.shortages]
        if full:
            return max(full, key=lambda one: one.wait if one.wait is not None else 0.0)
        targets = [claim for claim in claims if claim.scope is Scope.TARGET]
        refused: str | Full | None = next((looked.shortages.get(claim.place) for claim in targets), None)
        if refused is None:
            refused = self._take_money(self._sharing, connection, seq, key, reservation)
        limits.take(connection, seq, claims if refused is None else own, looked)
        return refused

    def _take_money(
        self, sharing: Sharing, connection: Connection, seq: int, key: str, reservation: Reservation
    ) -> str | None:
        if reservation.zone is not Zone.CLOUD:
            return None
        unpriced = reservation.target in self._settings.unpriced_targets
        accounts = drawn_on(key, reservation.accounts)
        return sharing.take(connection, seq, accounts, None if unpriced else reservation.micros)

    def _hold(self, request_id: str, opened: _Open, reservation: Reservation | None) -> str | None:
        """Set money aside, and return the budget that does not allow for it; of a shared database `_take` does that.

        INVARIANT: whether there is enough is looked at where it is taken, with nothing in between.
        """
        if reservation is None:
            return None
        opened.accounts = reservation.accounts
        if reservation.zone is not Zone.CLOUD or self._sharing is not None:
            return None
        self._roll()
        unpriced = reservation.target in self._settings.unpriced_targets
        micros = None if unpriced else reservation.micros
        return self._budgets.hold(request_id, opened.key, micros, reservation.accounts)

    def _new_sharing(self) -> Sharing:
        return Sharing(
            self._database,
            lease_seconds=self._settings.lease_seconds,
            wall=self._wall,
            today=self._today,
            budgets=lambda: self._budgets,
            recorded=self._spent_on_record,
            tokens_today=lambda connection: recovery.tokens_of_day(connection, self._today(), self._zone),
        )

    def _spent_on_record(self, connection: Connection) -> Mapping[str, int]:
        budgets = self._new_budgets()
        recovery.load_totals(connection, budgets, self._today(), self._zone)
        return budgets.spent()

    def _new_budgets(self) -> Budgets:
        settings = self._settings
        return Budgets(
            day=settings.day_limit_usd,
            month=settings.month_limit_usd,
            keys=settings.key_limits_usd,
            today=self._today(),
            zone=self._zone,
            unpriced_allowed=settings.unpriced_allowed,
            limits=settings.limits_usd,
        )

    def _roll(self) -> None:
        self._budgets.roll(self._today())

    def _today(self) -> date:
        return self._days.at(self._wall())

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


def _seq(connection: Connection, request_id: str) -> int:
    row = connection.execute("SELECT seq FROM receipts WHERE request_id = ?", (request_id,)).fetchone()
    if row is None:
        raise LedgerUnavailable(f"The ledger has no receipt {request_id!r}.", code="ledger_invalid_record")
    return int(row[0])


def _settle_late(settlement: Settlement, unpriced: bool, connection: Connection) -> None:
    """Settle a request by what the database says of it, unless it is settled."""
    seq = _seq(connection, settlement.request_id)
    place = Place(chain.salt_of(connection, seq), seq)
    write(connection, [settlement_record(place, settlement, unpriced=unpriced)], perhaps_settled=True)


def _failed(error: LedgerUnavailable) -> "asyncio.Future[Any]":
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(error)
    return failed

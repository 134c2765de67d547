"""Sealed records of any kind, each under its owner and its id, behind one thread of their own.

A record may have parts, whose ids are its own with `/` and more behind it; they are deleted with it. INVARIANT: a part
whose record is not there is deleted at the next start, or where gateways share the table once nobody can be writing
it any more, so that what was half written leaves nothing.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from gateway.core.errors import AduanaError, TooLarge, Unavailable
from gateway.stored.contract import RecordDatabase, Row
from gateway.stored.database_thread import LOG, DatabaseThread, StoreDamaged
from gateway.stored.homes import home_of
from gateway.stored.place import Place
from gateway.stored.sealing import Sealing, sealed_name
from gateway.stored.taking_over import take_over

_SECONDS = 15.0  # for one read or write; nobody waits longer for a disk
_HALF_WRITTEN = 2 * 60 * 60.0  # seconds; no gateway writes a record for longer
_UNBOUNDED = 2**62  # here nothing is dropped to make room: what is new is refused


class LeaseLost(Unavailable):
    """Another gateway works on this now: nothing was written."""


class TableSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where sealed records lie, and their bounds. `setting`: its name in the configuration, for errors."""

    file: Path
    setting: str
    shared: Place | None = None  # the database that gateways share; None: the file
    days: int
    most_bytes: int


class SealedTable:
    """Owner of sealed records. `open` before use, `close` after; called on the event loop's thread."""

    def __init__(self, settings: TableSettings, sealing: Sealing, *, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._sealing = sealing
        self._holder = secrets.token_hex(16)
        self._thread = DatabaseThread(
            home_of(settings.file, settings.shared, settings.setting, most_bytes=_UNBOUNDED),
            sealing,
            setting=settings.setting,
            days=settings.days,
            seconds=_SECONDS,
            wall=wall,
        )

    @property
    def shared(self) -> bool:
        """Return whether other gateways use it too."""
        return self._settings.shared is not None

    @property
    def lifetime(self) -> float:
        """Return the seconds for which a record is kept."""
        return self._thread.lifetime

    async def open(self) -> None:
        """Open the database, and delete what has expired and what was half written; a shared one takes over the file.

        Raises:
            ConfigurationError: It can't be opened.
        """
        await self._thread.open(self._begin)

    async def close(self) -> None:
        """Finish what is being written, and let go of the file."""
        await self._thread.close()

    async def expire(self) -> None:
        """Delete once an hour what has expired. Runs until cancelled."""
        await self._thread.expire(self._tidy if self.shared else None)

    async def put(
        self,
        owner: str,
        contents: Mapping[str, bytes],
        *,
        at: float | None = None,
        bounded: bool = True,
        lease: str | None = None,
    ) -> None:
        """Keep contents by their ids, all or none; durable when it returns.

        Args:
            owner: Whose they are.
            contents: What is kept, by its id.
            at: Unix seconds of their making; None: now.
            bounded: They are refused where there is no room. What only takes another's place need not be.
            lease: Only while this gateway has this lease.

        Raises:
            LeaseLost: Another gateway has it.
            StoreUnavailable: They can't be written.
            TooLarge: There is no room for them.
        """
        at = self._thread.now() if at is None else at
        work = partial(self._put, owner, contents, at, bounded, lease)
        await self._thread.do(lambda database: database.change(partial(work, database)))

    async def change(
        self,
        owner: str,
        record_id: str,
        change: Callable[[bytes], Mapping[str, bytes]],
        *,
        bounded: bool = True,
        lease: str | None = None,
    ) -> bool:
        """Put contents that depend on what a record has, and return True; False: it is not there.

        Nobody else changes the record meanwhile. `change` is called in the table's thread; what it raises is raised.

        Raises:
            LeaseLost: Another gateway has the lease.
            StoreDamaged: The record can't be opened.
            StoreUnavailable: It can't be read or written.
            TooLarge: There is no room.
        """

        def work(database: RecordDatabase) -> bool:
            found = self._get(owner, record_id, database)
            if found is None:
                return False
            self._put(owner, change(found), self._thread.now(), bounded, lease, database)
            return True

        return await self._thread.do(lambda database: database.change(partial(work, database)))

    async def take(self, names: Sequence[str], seconds: float) -> tuple[str, bool] | None:
        """Take the first of these leases that no other gateway has, for so long.

        Returns its name, and whether this gateway was the last one who had it; None: others have them all.

        Raises:
            StoreUnavailable: It can't be written.
        """
        return await self._thread.do(lambda database: database.take(names, self._holder, seconds))

    async def renew(self, names: Sequence[str], seconds: float) -> list[str]:
        """Prolong leases, and return those that are still this gateway's.

        Raises:
            StoreUnavailable: They can't be written.
        """
        return await self._thread.do(lambda database: database.renew(names, self._holder, seconds))

    async def release(self, names: Sequence[str]) -> None:
        """Let other gateways have leases.

        Raises:
            StoreUnavailable: They can't be written.
        """
        await self._thread.do(lambda database: database.release(names, self._holder))

    async def get(self, owner: str, record_id: str) -> bytes | None:
        """Return what this owner has under an id; None: it is not there.

        Raises:
            StoreDamaged: It can't be opened.
            StoreUnavailable: The store can't be read.
        """
        return await self._thread.do(partial(self._get, owner, record_id))

    async def listed(self, prefix: str, owner: str | None = None) -> list[tuple[str, bytes]]:
        """Return the owners and contents of records whose ids begin so, parts left out; None: of every owner.

        Raises:
            StoreDamaged: One of them can't be opened.
            StoreUnavailable: The store can't be read.
        """
        return await self._thread.do(partial(self._listed, prefix, owner))

    async def recent(self, prefix: str, seconds: float) -> list[tuple[str, str]]:
        """Return owner and id of records whose ids begin so and that were put in the last seconds.

        Raises:
            StoreUnavailable: The store can't be read.
        """
        return await self._thread.do(lambda database: database.ids(prefix, None, since=self._thread.now() - seconds))

    async def parts(self, owner: str, record_id: str) -> list[str]:
        """Return what the ids of a record's parts have behind its own.

        Raises:
            StoreUnavailable: The store can't be read.
        """
        return await self._thread.do(lambda database: database.parts(record_id, owner, since=self._thread.since()))

    async def delete(self, owner: str, record_id: str) -> None:
        """Delete a record with its parts. They are gone from the file when it returns.

        Raises:
            StoreUnavailable: It can't be written.
        """
        await self._thread.do(lambda database: database.delete_whole(record_id, owner))

    async def delete_parts(self, owner: str, record_id: str) -> None:
        """Delete a record's parts.

        Raises:
            StoreUnavailable: It can't be written.
        """
        await self._thread.do(lambda database: database.delete_whole(record_id, owner, itself=False))

    # In the thread

    def _begin(self, database: RecordDatabase) -> None:
        if database.shared:
            settings = self._settings
            take_over(settings.file, database, self._sealing, settings.setting, since=self._thread.since())
        self._tidy(database)

    def _tidy(self, database: RecordDatabase) -> None:
        database.delete_orphans(self._thread.now() - _HALF_WRITTEN if database.shared else _UNBOUNDED)

    def _put(
        self,
        owner: str,
        contents: Mapping[str, bytes],
        at: float,
        bounded: bool,
        lease: str | None,
        database: RecordDatabase,
    ) -> None:
        if lease is not None and not database.holds(lease, self._holder):
            raise LeaseLost("Another gateway goes on with this now.")
        rows = tuple(
            [
                Row(id=name, owner=owner, seen=at, sealed=self._sealing.seal(content, sealed_name(owner, name)))
                for name, content in contents.items()
            ]
        )
        if bounded and database.total() + sum(len(row.sealed) for row in rows) > self._settings.most_bytes:
            raise TooLarge(
                f"There is no room for this among what is stored ({self._settings.setting}.max_bytes). Delete files "
                "that are not needed any more.",
                code="storage_full",
            )
        database.write(rows)

    def _get(self, owner: str, record_id: str, database: RecordDatabase) -> bytes | None:
        sealed = database.read(record_id, owner, since=self._thread.since())
        if sealed is None:
            return None
        try:
            return self._sealing.open(sealed, sealed_name(owner, record_id))
        except AduanaError as error:
            LOG.error(f"{self._settings.setting}.damaged", error=type(error).__name__)
            raise StoreDamaged(
                "What is stored under this id was changed or can't be opened: it is not used."
            ) from error

    def _listed(self, prefix: str, owner: str | None, database: RecordDatabase) -> list[tuple[str, bytes]]:
        found = []
        for whose, name in database.ids(prefix, owner, since=self._thread.since()):
            content = self._get(whose, name, database)
            if content is not None:
                found.append((whose, content))
        return found

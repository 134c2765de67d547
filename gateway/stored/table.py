"""Sealed records of any kind, each under its owner and its id, behind one thread of their own.

A record may have parts, whose ids are its own with `/` and more behind it; they are deleted with it. INVARIANT: a part
whose record is not there is deleted at the next start, so that what was half written leaves nothing.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from gateway.core.errors import AduanaError, TooLarge
from gateway.stored.database import Database, Row
from gateway.stored.database_thread import LOG, DatabaseThread, StoreDamaged
from gateway.stored.sealing import Sealing, sealed_name

_SECONDS = 15.0  # for one read or write; nobody waits longer for a disk
_UNBOUNDED = 2**62  # here nothing is dropped to make room: what is new is refused


class TableSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where sealed records lie, and their bounds. `setting`: its name in the configuration, for errors."""

    file: Path
    setting: str
    days: int
    most_bytes: int


class SealedTable:
    """Owner of sealed records. `open` before use, `close` after; called on the event loop's thread."""

    def __init__(self, settings: TableSettings, sealing: Sealing, *, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._sealing = sealing
        self._thread = DatabaseThread(
            settings.file,
            setting=settings.setting,
            days=settings.days,
            most_bytes=_UNBOUNDED,
            seconds=_SECONDS,
            wall=wall,
        )

    @property
    def lifetime(self) -> float:
        """Return the seconds for which a record is kept."""
        return self._thread.lifetime

    async def open(self) -> None:
        """Open the database, and delete what has expired and what was half written.

        Raises:
            ConfigurationError: It can't be opened.
        """
        await self._thread.open(lambda database: database.delete_orphans())

    async def close(self) -> None:
        """Finish what is being written, and let go of the file."""
        await self._thread.close()

    async def expire(self) -> None:
        """Delete once an hour what has expired. Runs until cancelled."""
        await self._thread.expire()

    async def put(
        self, owner: str, contents: Mapping[str, bytes], *, at: float | None = None, bounded: bool = True
    ) -> None:
        """Keep contents by their ids, all or none; durable when it returns.

        Args:
            owner: Whose they are.
            contents: What is kept, by its id.
            at: Unix seconds of their making; None: now.
            bounded: They are refused where there is no room. What only takes another's place need not be.

        Raises:
            StoreUnavailable: They can't be written.
            TooLarge: There is no room for them.
        """
        await self._thread.do(partial(self._put, owner, contents, self._thread.now() if at is None else at, bounded))

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

    async def parts(self, owner: str, record_id: str) -> list[str]:
        """Return what the ids of a record's parts have behind its own.

        Raises:
            StoreUnavailable: The store can't be read.
        """
        found = await self._thread.do(
            lambda database: database.ids(f"{record_id}/", owner, since=self._thread.since(), parts=True)
        )
        return [name.removeprefix(f"{record_id}/") for _, name in found]

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

    def _put(self, owner: str, contents: Mapping[str, bytes], at: float, bounded: bool, database: Database) -> None:
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

    def _get(self, owner: str, record_id: str, database: Database) -> bytes | None:
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

    def _listed(self, prefix: str, owner: str | None, database: Database) -> list[tuple[str, bytes]]:
        found = []
        for whose, name in database.ids(prefix, owner, since=self._thread.since()):
            content = self._get(whose, name, database)
            if content is not None:
                found.append((whose, content))
        return found

"""A database of sealed records behind a thread of its own: nobody waits for a disk on the event loop."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from gateway.core.errors import AduanaError, ConfigurationError, Unavailable
from gateway.stored.database import Database
from gateway.stored.examination import unopenable

LOG = structlog.get_logger("aduana.stored")
_DAY = 24 * 60 * 60.0
_LOOK_SECONDS = 60 * 60.0

T = TypeVar("T")


class StoreUnavailable(Unavailable):
    """The store can't be read or written now."""

    code = "store_unavailable"


class StoreDamaged(AduanaError):
    """A record was changed or can't be opened, so it is not used: nobody knows how sensitive it was."""

    code = "stored_object_damaged"


class DatabaseThread:
    """Owner of a database and its thread. `open` before use, `close` after; called on the event loop's thread."""

    def __init__(
        self,
        file: Path,
        *,
        setting: str,
        days: int,
        most_bytes: int,
        owner_bytes: int | None = None,
        seconds: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Prepare the thread.

        Args:
            file: Where the database lies.
            setting: Its section of the configuration, for errors and the log.
            days: For how long a record is kept.
            most_bytes: Of all records; beyond it, what was not used for the longest time goes.
            owner_bytes: Of those of one owner, likewise; None: as many as of all.
            seconds: For one read or write; nobody waits longer for a disk.
            wall: Tells Unix seconds.
        """
        self._file = file
        self._setting = setting
        self._most_bytes = most_bytes
        self._owner_bytes = owner_bytes
        self._seconds = seconds
        self._wall = wall
        self.lifetime = days * _DAY
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"stored {setting}")
        self._database: Database | None = None

    def now(self) -> float:
        """Return Unix seconds."""
        return self._wall()

    def since(self) -> float:
        """Return the time before which everything has expired."""
        return self._wall() - self.lifetime

    async def open(self, tidy: Callable[[Database], None] | None = None) -> None:
        """Open the database, delete what has expired, and tidy up.

        Raises:
            ConfigurationError: It can't be opened.
        """
        try:
            await self._run(partial(self._begin, tidy))
        except (OSError, sqlite3.Error) as error:
            self._thread.shutdown()
            raise ConfigurationError((unopenable(self._file, self._setting, error),)) from error

    async def close(self) -> None:
        """Finish what is being written, and let go of the file."""
        if self._database is not None:
            await self._run(self._database.close)
            self._database = None
        self._thread.shutdown()

    async def expire(self) -> None:
        """Delete once an hour what has expired. Runs until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            with contextlib.suppress(StoreUnavailable):  # it was logged, and is tried again
                await self.do(lambda database: database.expire(self.since()))

    async def do(self, work: Callable[[Database], T]) -> T:
        """Return what some work with the database returns.

        Raises:
            StoreUnavailable: It can't be read or written, or not in time.
        """
        database = self._database
        if database is None:
            raise StoreUnavailable("What is stored can't be used now.")
        try:
            async with asyncio.timeout(self._seconds):
                return await self._run(partial(work, database))
        except (OSError, sqlite3.Error) as error:  # also where the disk takes too long
            LOG.error(f"{self._setting}.store_failed", error=type(error).__name__)
            raise StoreUnavailable("What is stored can't be read or written now.") from error

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _begin(self, tidy: Callable[[Database], None] | None) -> None:
        database = Database(self._file, most_bytes=self._most_bytes, owner_bytes=self._owner_bytes)
        try:
            database.expire(self.since())
            if tidy is not None:
                tidy(database)
        except BaseException:
            database.close()
            raise
        self._database = database

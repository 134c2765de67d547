"""A database of sealed records behind a thread of its own: nobody waits for a disk on the event loop."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import structlog

from gateway.core.errors import AduanaError, ConfigurationError, Unavailable
from gateway.stored.contract import RecordDatabase
from gateway.stored.homes import Home
from gateway.stored.sealing import Sealing

LOG = structlog.get_logger("aduana.stored")
_DAY = 24 * 60 * 60.0
_LOOK_SECONDS = 60 * 60.0
_STUCK_SECONDS = 60.0  # of one work, from which on its server is given up

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
        home: Home,
        sealing: Sealing,
        *,
        setting: str,
        days: int,
        seconds: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Prepare the thread.

        Args:
            home: Where the database lies.
            sealing: What its records are sealed with.
            setting: Its section of the configuration, for errors and the log.
            days: For how long a record is kept.
            seconds: For one read or write; nobody waits longer for a disk or a server.
            wall: Tells Unix seconds.
        """
        self._home = home
        self._sealing = sealing
        self._setting = setting
        self._seconds = seconds
        self._wall = wall
        self.lifetime = days * _DAY
        self._failures: tuple[type[Exception], ...] = (TimeoutError, *home.failures)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"stored {setting}")
        self._database: RecordDatabase | None = None
        self._since: float | None = None  # when the work that is under way began

    def now(self) -> float:
        """Return Unix seconds."""
        return self._wall()

    def since(self) -> float:
        """Return the time before which everything has expired."""
        return self._wall() - self.lifetime

    async def open(self, tidy: Callable[[RecordDatabase], None] | None = None) -> None:
        """Open the database, delete what has expired, and tidy up.

        Raises:
            ConfigurationError: It can't be opened, or what it has is sealed under another key.
        """
        try:
            await self._run(partial(self._begin, tidy))
        except self._home.failures as error:
            self._thread.shutdown()
            raise ConfigurationError((self._home.told(self._setting, error),)) from error
        except BaseException:
            self._thread.shutdown()
            raise

    async def close(self) -> None:
        """Finish what is being written, and let go of the file; a server that says nothing any more is given up."""
        database, self._database = self._database, None
        if database is not None:
            closing = asyncio.ensure_future(self._run(database.close))
            while not (await asyncio.wait([closing], timeout=self._seconds))[0]:
                database.interrupt()
            await closing
        self._thread.shutdown()

    async def expire(self, tidy: Callable[[RecordDatabase], None] | None = None) -> None:
        """Delete once an hour what has expired, and tidy up. Runs until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            with contextlib.suppress(StoreUnavailable):  # it was logged, and is tried again
                await self.do(lambda database: database.expire(self.since()))
                if tidy is not None:
                    await self.do(tidy)

    async def do(self, work: Callable[[RecordDatabase], T]) -> T:
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
        except self._failures as error:
            since = self._since
            if since is not None and time.monotonic() - since > _STUCK_SECONDS:
                database.interrupt()  # else everything waits behind it as long as its server stands still
            LOG.error(f"{self._setting}.store_failed", error=type(error).__name__)
            raise StoreUnavailable(f"What is stored can't be read or written now: {self._home.trouble}.") from error

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, work)

    def _timed(self, work: Callable[[], T]) -> T:
        self._since = time.monotonic()
        try:
            return work()
        finally:
            self._since = None

    def _begin(self, tidy: Callable[[RecordDatabase], None] | None) -> None:
        database = self._home.open()
        try:
            database.check(self._sealing, self._setting)
            database.expire(self.since())
            if tidy is not None:
                tidy(database)
        except BaseException:
            database.close()
            raise
        self._database = database

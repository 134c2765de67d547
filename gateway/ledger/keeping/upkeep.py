"""What goes in its time: old requests, those beyond the size, and conversations that nobody has seen for long.

Done at start, once a day, and after some hundreds of requests, in pieces between which receipts are written.
"""

import asyncio
from collections.abc import Callable

from gateway.core.errors import LedgerUnavailable
from gateway.ledger import masking, pruning_day, taint
from gateway.ledger.keeping import retention
from gateway.ledger.settings import LedgerSettings
from gateway.ledger.sql import Connection, Database
from gateway.ledger.write_queue import WriteQueue

_EVERY = 500  # requests between two looks at the size
_FILLED = 0.95  # of the size that requests may fill
_PAUSE = 0.05  # seconds between two pieces


class Upkeep:
    """Owner of the removal that is under way. Used on the event loop's thread, but for `at_start`."""

    def __init__(self, settings: LedgerSettings, database: Database, wall: Callable[[], float]) -> None:
        self._settings = settings
        self._database = database
        self._wall = wall
        self._day = 0
        self._requests = 0
        self._running: asyncio.Task[None] | None = None

    def at_start(self, connection: Connection) -> None:
        """Remove all that is due; in the writer's thread."""
        today = self._day_begins(connection)
        while self._piece(connection, today) >= retention.STEP and not self._database.shared:
            pass  # others wait for this transaction; what is left of their old records goes with the next days
        self._day = self._clock_day()

    def request_came(self, queue: WriteQueue | None) -> None:
        """Note a further request, and begin to remove what is due. None: the ledger is being closed."""
        if queue is None:
            return
        self._requests += 1
        new_day = self._clock_day() != self._day
        if (new_day or self._requests >= _EVERY) and (self._running is None or self._running.done()):
            self._day, self._requests = self._clock_day(), 0
            self._running = asyncio.get_running_loop().create_task(self._remove(queue, new_day=new_day))

    async def ended(self) -> None:
        """End what is under way behind its next piece."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])

    async def _remove(self, queue: WriteQueue, *, new_day: bool) -> None:
        def begin(connection: Connection) -> tuple[int | None, int]:
            today = self._day_begins(connection) if new_day else None
            return today, self._piece(connection, today)

        try:
            today, removed = await queue.do(begin)
            while removed >= retention.STEP:
                await asyncio.sleep(_PAUSE)
                removed = await queue.do(lambda connection: self._piece(connection, today))
        except LedgerUnavailable:
            return  # told where it matters; the next look goes on with it

    def _piece(self, connection: Connection, today: int | None) -> int:
        """Remove a few hundred requests, and return how many. `today`: of `pruning_day`; None: only for the size."""
        now, settings = self._wall(), self._settings
        old = 0 if today is None else retention.prune(connection, today, settings.keep_days, now)
        if old or settings.keep_bytes is None:
            return old
        used = self._database.used_bytes(connection)
        return 0 if used is None or used <= _FILLED * settings.keep_bytes else retention.shrink(connection, now)

    def _day_begins(self, connection: Connection) -> int:
        """Forget old conversations (that they were sensitive, and what stood for what), and return today."""
        today = pruning_day.advance(connection, self._wall())
        settings = self._settings
        for room in (taint, masking):
            room.expire(connection, today=today, days=settings.taint_days, entries=settings.taint_entries)
        return today

    def _clock_day(self) -> int:
        return int(self._wall() // 86_400)

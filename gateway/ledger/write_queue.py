"""The loop's side of the writer: work is handed over, and whoever waits for it is woken when it is durable.

The writer is woken once for all that comes in one turn of the loop, and the loop once for a whole commit; one timer is
for everybody who waits. Patient work waits a moment for other work, so that it needs no commit of its own.
"""

import asyncio
import contextlib
import enum
from collections.abc import Sequence
from typing import Any

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.sql import Work
from gateway.ledger.writer import Job, Told, Writer

_SECONDS = 0.02  # between two handovers of work that waits for other work while somebody waits for it
_LEISURE = 0.05  # seconds that work waits for other work where nobody waits for it


class Patience(enum.Enum):
    """How long work waits for other work to be committed with. Always in the order in which it came."""

    NONE = enum.auto()  # it goes at the end of this turn of the loop
    SOME = enum.auto()  # somebody waits: the first in a while goes at once, those of a flood together
    MUCH = enum.auto()  # nobody waits, so it goes with the next other work, or a moment later


class TooSlow(LedgerUnavailable, TimeoutError):
    """Error of work that was not durable in time."""


class WriteQueue:
    """Work that is on its way to the writer. Used on the event loop's thread alone, but for `told`."""

    def __init__(self, writer: Writer, loop: asyncio.AbstractEventLoop, *, seconds: float, name: str) -> None:
        self._writer = writer
        self._loop = loop
        self._seconds = seconds
        self._name = name  # of the ledger, for messages
        self._waiting: dict[asyncio.Future[Any], float] = {}  # → when it is too late; in that order
        self._alarm: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self._queued: list[Job] = []  # to be handed over
        self._soon = False  # at the end of this turn of the loop
        self._handover: asyncio.Handle | None = None  # or then
        self._handover_at = 0.0  # kept here: what uvloop returns for a moment that is past knows none
        self._handed_over = 0.0  # when patient work last went alone
        self.problem: str | None = None  # why work waits in vain; None: the writer has answered since

    async def do_by_pieces(self, pieces: Sequence[Work]) -> None:
        """Do much work piece by piece, and return when all of it is durable.

        INVARIANT: of all such work only one piece is with the writer at a time, so receipts never wait behind much of
        it, and whoever else has much to write comes between.

        Raises:
            LedgerUnavailable: A piece could not be written in time; those behind it are left out.
        """
        for piece in pieces:
            async with self._turn:
                await self.do(piece, keep=True)

    def do(self, work: Work, *, keep: bool = False, patience: Patience = Patience.NONE) -> "asyncio.Future[Any]":
        """Hand work over and return a future that is done when it is durable.

        The future fails with LedgerUnavailable; with TooSlow after the time for a write.
        """
        return self._waited_for(Job(work=work, keep=keep), patience)

    def record(self, *records: object, keep: bool = False, patience: Patience = Patience.NONE) -> "asyncio.Future[Any]":
        """Hand records over, of which all or none are written, as `do` does with work."""
        return self._waited_for(Job(records=records, keep=keep), patience)

    def send(self, work: Work, *, keep: bool = False) -> None:
        """Hand over work that nobody waits for."""
        self._queued.append(Job(work=work, keep=keep))
        self._go(Patience.NONE)

    def hand_over(self) -> None:
        """Give the writer now what is queued."""
        self._soon = False
        if not self._queued:
            return
        jobs, self._queued = self._queued, []
        try:
            self._writer.submit(jobs)
        except LedgerUnavailable as error:
            self._wake([(job, None, error) for job in jobs if job.waiter is not None])

    def _waited_for(self, job: Job, patience: Patience) -> "asyncio.Future[Any]":
        job.waiter = waiter = self._loop.create_future()
        self._queued.append(job)
        self._go(patience)
        self._waiting[waiter] = self._loop.time() + self._seconds
        if self._alarm is None:
            self._alarm = self._loop.call_later(self._seconds, self._late)
        return waiter

    def _go(self, patience: Patience) -> None:
        """See to it that what was queued goes in its time."""
        if self._soon:
            return
        if patience is Patience.NONE:
            self._soon = True
            self._loop.call_soon(self.hand_over)
            return
        at = self._handed_over + _SECONDS if patience is Patience.SOME else self._loop.time() + _LEISURE
        if self._handover is None or at < self._handover_at:
            if self._handover is not None:
                self._handover.cancel()
            self._handover, self._handover_at = self._loop.call_at(at, self._hand_over_patient), at

    def _hand_over_patient(self) -> None:
        self._handover = None
        self._handed_over = self._loop.time()
        self.hand_over()

    def told(self, news: list[Told]) -> None:
        """Take the news of one commit, in the writer's thread, and wake whoever waits."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody waits any more
            self._loop.call_soon_threadsafe(self._wake, news)

    def close(self) -> None:
        """Stop the timers: no more work comes."""
        self.hand_over()
        for timer in (self._alarm, self._handover):
            if timer is not None:
                timer.cancel()
        self._alarm = self._handover = None

    def _wake(self, news: list[Told]) -> None:
        self.problem = None
        for job, answer, refused in news:
            self._waiting.pop(job.waiter, None)
            if not job.waiter.done():
                if refused is not None:
                    job.waiter.set_exception(refused)
                else:
                    job.waiter.set_result(answer)

    def _late(self) -> None:
        self._alarm = None
        now = self._loop.time()
        while self._waiting:
            waiter, due = next(iter(self._waiting.items()))
            if due > now and not waiter.done():
                self._alarm = self._loop.call_at(due, self._late)
                return
            del self._waiting[waiter]
            if not waiter.done():
                self.problem = f"{self._name} did not write within {self._seconds:g} s."
                waiter.set_exception(TooSlow(self.problem))

"""The loop's side of the writer: work is handed over, and whoever waits for it is woken when it is durable.

One wake-up of the loop for a whole commit, and one timer for everybody who waits: a write costs the loop a future.
Patient work waits a moment for more of it, so that a flood of refusals costs few commits.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.sql import Work
from gateway.ledger.writer import Job, Told, Writer

_PATIENCE = 0.02  # seconds that patient work waits for other work to be committed with


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
        self._patient: list[Job] = []
        self._handed_over = 0.0  # when patient work last went alone: the first in a while goes at once
        self._handover: asyncio.TimerHandle | None = None

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

    def do(self, work: Work, *, keep: bool = False, patient: bool = False) -> "asyncio.Future[Any]":
        """Hand work over and return a future that is done when it is durable.

        The future fails with LedgerUnavailable; with TooSlow after the time for a write. `patient` work goes to the
        writer with the next other work, or a moment later: always in the order in which it came.
        """
        waiter: asyncio.Future[Any] = self._loop.create_future()
        job = Job(work=work, keep=keep, waiter=waiter)
        if patient:
            self._patient.append(job)
            if self._handover is None:
                last = self._handed_over + _PATIENCE
                self._handover = self._loop.call_at(last, self._hand_over_patient)
        else:
            self.hand_over()
            self._writer.submit(job)
        self._waiting[waiter] = self._loop.time() + self._seconds
        if self._alarm is None:
            self._alarm = self._loop.call_later(self._seconds, self._late)
        return waiter

    def send(self, work: Work, *, keep: bool = False) -> None:
        """Hand over work that nobody waits for."""
        self.hand_over()
        self._writer.submit(Job(work=work, keep=keep))

    def _hand_over_patient(self) -> None:
        self._handed_over = self._loop.time()
        self.hand_over()

    def hand_over(self) -> None:
        """Give patient work to the writer now."""
        if self._handover is not None:
            self._handover.cancel()
            self._handover = None
        jobs, self._patient = self._patient, []
        for job in jobs:
            try:
                self._writer.submit(job)
            except LedgerUnavailable as error:
                self._wake([(job, None, error)])

    def told(self, news: list[Told]) -> None:
        """Take the news of one commit, in the writer's thread, and wake whoever waits."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody waits any more
            self._loop.call_soon_threadsafe(self._wake, news)

    def close(self) -> None:
        """Stop the alarm: no more work comes."""
        self.hand_over()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _wake(self, news: list[Told]) -> None:
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
                waiter.set_exception(TooSlow(f"{self._name} did not write within {self._seconds:g} s."))

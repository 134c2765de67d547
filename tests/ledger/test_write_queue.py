"""Work on its way to the writer: in its order, and patient work together."""

import asyncio
from typing import cast

import pytest
import uvloop

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.write_queue import Patience, WriteQueue
from gateway.ledger.writer import Job, Writer


class FakeWriter:
    """A writer that notes what it gets, and has written it when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.closed = False
        self.queue = WriteQueue(cast(Writer, self), asyncio.get_running_loop(), seconds=60, name="The ledger")

    def submit(self, jobs: list[Job]) -> None:
        """Take jobs."""
        if self.closed:
            raise LedgerUnavailable("The ledger is closed.")
        self.jobs += jobs
        if len(self.jobs) == 3:
            self.queue.told([(job, number, None) for number, job in enumerate(self.jobs)])


async def test_patient_work_goes_with_the_next_other_work() -> None:
    """It does not wake the writer by itself, and what came first is written first."""
    writer = FakeWriter()
    waiters = [writer.queue.do(lambda _: None, patience=Patience.SOME) for _ in range(2)]
    assert not writer.jobs
    waiters.append(writer.queue.do(lambda _: None))
    assert await asyncio.gather(*waiters) == [0, 1, 2]
    writer.queue.close()


async def test_patient_work_alone_is_written_together() -> None:
    """Nothing else need come for it."""
    writer = FakeWriter()
    waiters = [writer.queue.do(lambda _: None, patience=Patience.SOME) for _ in range(3)]
    assert not writer.jobs
    assert await asyncio.gather(*waiters) == [0, 1, 2]
    writer.queue.close()


def test_patient_work_waits_together_on_the_loop_that_serves() -> None:
    """The gateway runs on uvloop, where what is due at once has no time of its own: refusals come in floods there."""

    async def flood() -> list[int]:
        writer = FakeWriter()
        waiters = [writer.queue.do(lambda _: None, patience=Patience.SOME) for _ in range(3)]
        answers = await asyncio.gather(*waiters)
        writer.queue.close()
        return answers

    assert uvloop.run(flood()) == [0, 1, 2]


async def test_patient_work_fails_where_the_writer_has_closed() -> None:
    """Whoever waits for it hears of it."""
    writer = FakeWriter()
    waiter = writer.queue.do(lambda _: None, patience=Patience.SOME)
    writer.closed = True
    writer.queue.close()
    with pytest.raises(LedgerUnavailable):
        await waiter

"""The account of one request: what is kept of an answer, and what is only counted; and who settles it."""

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from gateway.core.delta import Delta, Finish, FinishReason, Text, UsageReport
from gateway.core.errors import LedgerUnavailable
from gateway.core.record import Outcome, Settlement
from gateway.core.usage import Usage
from gateway.pipeline.settlement import RequestAccount, SettlementWriter
from tests.observe.conftest import make_receipt


def answer(pieces: int) -> Iterator[Delta]:
    """An answer of so many pieces of 1,000 characters."""
    for _ in range(pieces):
        yield Text(text="x" * 1_000, index=0)
    yield Finish(reason=FinishReason.STOP, index=0)
    yield UsageReport(usage=Usage(input=1, output=1))


@pytest.mark.parametrize(("pieces", "whole"), [(10, True), (10_000, False)])
def test_of_a_huge_answer_only_the_beginning_is_kept(pieces: int, whole: bool) -> None:
    """Its length is still counted, so that an answer that is cut off costs what was given of it."""
    account = RequestAccount(make_receipt(), None, lambda: 0.0)
    account.target = "home"
    for delta in answer(pieces):
        account.note(delta)
    account.check_end()
    assert account.text_is_whole is whole
    assert len(account.answer_text()) == (pieces * 1_000 if whole else 65_000)
    account.usage = None
    assert account.usage_so_far().output == int(pieces * 1_000 / 3.5)


class Writing:
    """A ledger whose one receipt is durable when a test says so, and a client that waits for it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.receipt: asyncio.Future[None] = loop.create_future()
        self.settled: list[Outcome] = []
        self.ended: list[str] = []
        self.writer = SettlementWriter(
            ledger=SimpleNamespace(receive=lambda *_: self.receipt, settle=self._settle),  # type: ignore[arg-type]
            pricing=SimpleNamespace(cost=lambda *_: 0, avoided=lambda *_: None),  # type: ignore[arg-type]
            observer=SimpleNamespace(on=lambda _: None),
            failed=lambda *_: None,
            ended=lambda request, _: self.ended.append(request),
        )
        self.client = loop.create_task(self.writer.receive(make_receipt(), None))

    def _settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        self.settled.append(settlement.outcome)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def durable(self) -> None:
        self.receipt.set_result(None)

    def fails(self) -> None:
        self.receipt.set_exception(LedgerUnavailable("The disk is full."))

    def leaves(self) -> None:
        self.client.cancel()


# What happens in one moment, in this order, and how the request is settled, if it is.
MOMENTS: dict[str, tuple[tuple[Callable[[Writing], None], ...], list[Outcome]]] = {
    "gone just before the receipt is durable": ((Writing.leaves, Writing.durable), [Outcome.CANCELLED]),
    "gone just behind it": ((Writing.durable, Writing.leaves), [Outcome.CANCELLED]),
    "gone just before the ledger fails": ((Writing.leaves, Writing.fails), []),
    "gone just behind that": ((Writing.fails, Writing.leaves), []),
}


@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize(("moment", "outcomes"), MOMENTS.values(), ids=MOMENTS)
async def test_a_client_that_goes_away_in_the_moment_of_the_receipt(
    moment: tuple[Callable[[Writing], None], ...], outcomes: list[Outcome], turns: int
) -> None:
    """A receipt that stands has one settlement, one that does not has none, and either way nothing stays set aside."""
    ledger = Writing()
    await asyncio.sleep(0)
    first, second = moment
    first(ledger)
    for _ in range(turns):  # of the event loop between the two; behind a second one the client has its answer
        await asyncio.sleep(0)
    second(ledger)
    with pytest.raises(asyncio.CancelledError):
        await ledger.client
    await ledger.writer.close()
    assert ledger.settled == outcomes
    assert ledger.ended == ["r1"]


async def test_a_receipt_is_waited_for() -> None:
    """Nobody goes on before it is durable, and where it can't be written the client is told so."""
    ledger = Writing()
    await asyncio.sleep(0)
    assert not ledger.client.done()
    ledger.durable()
    assert (await ledger.client).outcome is None
    failing = Writing()
    failing.fails()
    with pytest.raises(LedgerUnavailable):
        await failing.client
    assert failing.ended == ["r1"]
    assert ledger.settled == failing.settled == []

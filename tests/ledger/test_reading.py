"""Sums for reports, beside a running gateway and from any thread."""

import asyncio
from datetime import UTC

import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Zone
from gateway.ledger import Ledger, LedgerSettings, Reader
from tests.ledger.conftest import NOON, make_receipt, make_settlement


async def test_reading_beside_a_running_gateway(ledger: Ledger, settings: LedgerSettings) -> None:
    """With a connection that is kept, or one for each question, also in a thread; the newest requests come first."""
    await ledger.receive(make_receipt("a"), None)
    await ledger.settle(make_settlement("a"))
    await ledger.receive(make_receipt("b", received_at=NOON + 5), None)
    reader = Reader(settings.directory)
    sums = await asyncio.to_thread(reader.savings, NOON, NOON + 60)
    assert (sums.requests, sums.avoided_micros) == (1, 120)
    with Reader(settings.directory) as kept:
        assert kept.total(NOON, NOON + 60).local == 1
        first, second = kept.recent(5)
        assert (first.outcome, first.target) == (None, None)
        assert (second.outcome, second.target, second.tokens) == ("ok", "home", 15)
    await ledger.settle(make_settlement("b", target="big", zone=Zone.CLOUD, cost_micros=7, avoided_micros=None))
    (day,) = reader.cloud_days(NOON - 3600, NOON + 3600, UTC)
    assert (day.target, day.requests, day.cost_micros) == ("big", 1, 7)


async def test_reading_writes_nothing(ledger: Ledger, settings: LedgerSettings) -> None:
    """A report can't change the account."""
    with Reader(settings.directory) as reader, pytest.raises(LedgerUnavailable, match="readonly"):
        list(reader._rows("DELETE FROM receipts"))


def test_nothing_to_read_is_said(settings: LedgerSettings) -> None:
    """And no empty database is left behind."""
    with pytest.raises(LedgerUnavailable, match="no ledger at"):
        Reader(settings.directory).savings(0, 1)
    assert not settings.directory.exists()

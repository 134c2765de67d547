"""A database server that stands still, with its connections open, holds nobody for ever."""

import asyncio

import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from tests.ledger.conftest import CLOUD, Joined, make_receipt, make_settlement, rows
from tests.standins.postgresql import Postgresql

A = b"a" * 16


async def test_a_request_is_refused_and_the_gateway_is_not_ready(
    join: Joined, postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither receipt nor memory comes while it stands still, and readiness says so; all goes on behind it."""
    monkeypatch.setattr("gateway.ledger.taint.cache._READ_SECONDS", 0.5)
    ledger = await join(write_seconds=0.5)
    await ledger.taint_remember([A], Label.SENSITIVE)
    with postgresql.frozen():
        async with asyncio.timeout(30):
            with pytest.raises(LedgerUnavailable, match=r"did not write within 0\.5 s"):
                await ledger.receive(make_receipt("a"), CLOUD)
            assert not ledger.health().ok
            with pytest.raises(LedgerUnavailable, match=r"did not answer within 0\.5 s"):
                await ledger.taint_lookup([A])
    async with asyncio.timeout(30):
        while not ledger.health().ok:  # noqa: ASYNC110 - the writer goes on by itself
            await asyncio.sleep(0.05)
        while not rows(ledger, "SELECT count(*) FROM settlements")[0][0]:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.05)
    assert await ledger.taint_lookup([A]) == {A: Label.SENSITIVE}
    assert rows(ledger, "SELECT request_id, outcome FROM settlements JOIN receipts USING (seq)") == [("a", "unknown")]


async def test_a_stop_is_not_held_up(join: Joined, postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was on its way is written or settled by whoever comes next."""
    monkeypatch.setattr("gateway.ledger.writer._STUCK_SECONDS", 0.5)
    ledger = await join(write_seconds=0.5, lease_seconds=1.0)
    await ledger.receive(make_receipt("a"), CLOUD)
    with postgresql.frozen():
        async with asyncio.timeout(30):
            with pytest.raises(LedgerUnavailable):
                await ledger.settle(make_settlement("a"))
            await ledger.close()
    other = await join(lease_seconds=1.0)
    async with asyncio.timeout(30):
        while not rows(other, "SELECT count(*) FROM settlements")[0][0]:  # noqa: ASYNC110 - when the lease has ended
            await asyncio.sleep(0.05)
    assert rows(other, "SELECT count(*) FROM settlements") == [(1,)]

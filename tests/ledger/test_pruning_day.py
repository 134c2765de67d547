"""A clock that jumps empties neither the ledger nor the memory; old records go a day at a time."""

import sqlite3
from pathlib import Path

import pytest
import structlog.testing

from gateway.core.labels import Label
from gateway.ledger import Ledger, LedgerSettings
from tests.ledger.conftest import NOON, Clock, make_receipt, make_settlement

DAY = 86_400
TURN = b"t" * 16


async def used(ledger: Ledger, clock: Clock, name: str) -> None:
    """One request and one remembered turn of now."""
    await ledger.receive(make_receipt(name, received_at=clock.now), None)
    await ledger.settle(make_settlement(name, settled_at=clock.now + 1))


async def known(ledger: Ledger) -> bool:
    """Return whether the turn is still remembered."""
    return await ledger.taint_lookup([TURN]) == {TURN: Label.SENSITIVE}


def count(ledger: Ledger) -> int:
    """Return how many requests the ledger holds."""
    with sqlite3.connect(ledger.file) as connection:
        (found,) = connection.execute("SELECT count(*) FROM receipts").fetchone()
    connection.close()
    return int(found)


@pytest.mark.parametrize("jump", [3650 * DAY, -3650 * DAY])
@pytest.mark.parametrize("restarts", [0, 5])
async def test_a_clock_that_jumps_empties_nothing(tmp_path: Path, clock: Clock, jump: float, restarts: int) -> None:
    """Ten years forward or back, while it runs and at starts, and back again; the log says so."""
    settings = LedgerSettings(directory=tmp_path, timezone="UTC")
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await used(ledger, clock, "before")
    await ledger.taint_remember([TURN], Label.SENSITIVE)
    with structlog.testing.capture_logs() as logs:
        clock.now = NOON + jump
        await used(ledger, clock, "beyond")
        await used(ledger, clock, "beyond, again")
        for _ in range(restarts):
            await ledger.close()
            ledger = Ledger(settings, wall=clock)
            await ledger.open()
        clock.now = NOON
        await used(ledger, clock, "after")
        assert await known(ledger)
        await used(ledger, clock, "after, again")
    assert count(ledger) == 5
    assert [entry["event"] for entry in logs][:1] == ["ledger.clock_jumped"]
    await ledger.close()


async def test_old_records_go_in_their_time(tmp_path: Path, clock: Clock) -> None:
    """With a clock that goes as it should, requests beyond the days to keep are removed, day by day."""
    settings = LedgerSettings(directory=tmp_path, timezone="UTC", keep_days=3)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    for number in range(8):
        await used(ledger, clock, f"day {number}")
        clock.now += DAY
    await used(ledger, clock, "last")
    await used(ledger, clock, "behind the removal")
    assert 4 <= count(ledger) <= 5
    await ledger.close()

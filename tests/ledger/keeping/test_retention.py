"""Old requests go in their time, the oldest go where the ledger is too large, and budgets go on counting them."""

import asyncio
import sqlite3

import msgspec
import pytest

from gateway.core.labels import Label, Zone
from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.database.sqlite import used_bytes
from gateway.ledger.keeping import retention
from tests.ledger.conftest import NOON, Clock, make_receipt, make_settlement, only_sqlite, rows

DAY = 86_400
CLOUD = {"target": "big", "zone": Zone.CLOUD, "avoided_micros": None}


async def ask(ledger: Ledger, clock: Clock, name: str, **changes: object) -> None:
    """One request of now, which a cloud answers for a cent."""
    whose = {field: changes.pop(field) for field in ("user", "tags") if field in changes}
    receipt = make_receipt(name, received_at=clock.now, facts=b"{" + b" " * 2000 + b"}", **whose)
    await ledger.receive(receipt, None)
    await ledger.settle(make_settlement(name, settled_at=clock.now, cost_micros=10_000, **(CLOUD | changes)))


def scalar(ledger: Ledger, query: str) -> object:
    """Return the one value of a query."""
    return rows(ledger, query)[0][0]


@pytest.fixture
def small(settings: LedgerSettings, monkeypatch: pytest.MonkeyPatch) -> LedgerSettings:
    """A ledger of at most 400 KB, of which the newest 50 requests stay."""
    monkeypatch.setattr(retention, "_NEWEST", 50)
    return msgspec.structs.replace(settings, keep_bytes=400_000)


@only_sqlite
async def test_the_oldest_make_room(small: LedgerSettings, clock: Clock) -> None:
    """At a start, and while it runs; what was spent this month still counts, and the memory stays."""
    ledger = Ledger(msgspec.structs.replace(small, keep_bytes=None), wall=clock)
    await ledger.open()
    for number in range(400):
        await ask(ledger, clock, f"r{number}")
    await ledger.taint_remember([b"t" * 16], Label.SENSITIVE)
    spent = ledger.budgets()["month"].spent
    with sqlite3.connect(ledger.file) as connection:
        full = used_bytes(connection)
    connection.close()
    await ledger.close()
    limit = full * 3 // 4
    again = Ledger(msgspec.structs.replace(small, keep_bytes=limit), wall=clock)
    await again.open()
    with sqlite3.connect(again.file) as connection:
        assert used_bytes(connection) <= limit
    connection.close()
    assert 50 <= int(str(scalar(again, "SELECT count(*) FROM receipts"))) < 400
    assert scalar(again, "SELECT max(request_id) FROM receipts WHERE seq = (SELECT max(seq) FROM receipts)") == "r399"
    budgets = again.budgets()
    assert (budgets["month"].spent, budgets["day"].spent) == (pytest.approx(spent), pytest.approx(spent))
    assert budgets["key:laptop"].spent == pytest.approx(spent)
    assert await again.taint_lookup([b"t" * 16]) == {b"t" * 16: Label.SENSITIVE}
    await again.close()


@only_sqlite
async def test_it_does_not_grow_while_it_runs(
    small: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a restart, behind the answers; what has not ended stays."""
    monkeypatch.setattr("gateway.ledger.keeping.upkeep._EVERY", 50)
    monkeypatch.setattr("gateway.ledger.keeping.upkeep._PAUSE", 0.0)
    ledger = Ledger(msgspec.structs.replace(small, keep_bytes=300_000), wall=clock)
    await ledger.open()
    await ledger.receive(make_receipt("open", received_at=clock.now), None)
    for number in range(1500):
        await ask(ledger, clock, f"r{number}")
    async with asyncio.timeout(10):
        while int(str(scalar(ledger, "SELECT count(*) FROM receipts"))) > 1000:
            await ask(ledger, clock, f"later {clock.now}")
            clock.now += 1
    assert ledger.budgets()["month"].spent >= 15.0
    assert scalar(ledger, "SELECT request_id FROM receipts ORDER BY seq LIMIT 1") == "open"
    await ledger.close()


async def test_a_budget_of_last_month_does_not_count(settings: LedgerSettings, clock: Clock) -> None:
    """What was removed counts for the day and the month in which it was spent, and its key is forgotten behind that."""
    settings = msgspec.structs.replace(settings, keep_days=1)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ask(ledger, clock, "r")
    await ledger.close()
    for days, day, month in ((3, 0.0, 0.01), (30, 0.0, 0.0)):
        clock.now = NOON + days * DAY
        for _ in range(3):  # a clock that jumps removes a day's worth at each start
            clock.now += DAY
            again = Ledger(settings, wall=clock)
            await again.open()
            budgets = again.budgets()
            await again.close()
        assert budgets["month"].spent == pytest.approx(month), days
        assert budgets["day"].spent == day
    clock.now = NOON + 100 * DAY
    await again.open()
    assert scalar(again, "SELECT count(*) FROM receipts") == 0
    assert scalar(again, "SELECT count(*) FROM removed_spending") == 0
    await again.close()


@only_sqlite
async def test_what_goes_in_its_time_is_overwritten(settings: LedgerSettings, clock: Clock) -> None:
    """Neither of old requests nor of the sums behind them is a name left in the files, also where pages come free."""
    settings = msgspec.structs.replace(settings, keep_days=1)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    for number in range(60):
        clock.now += 900
        await ask(ledger, clock, f"r{number}", user="zubizarreta", tags=(f"zubizarreta-{number}",))
    await ledger.close()
    for _ in range(40):
        clock.now += DAY
        await ledger.open()
        await ledger.close()
    assert scalar(ledger, "SELECT count(*) FROM receipts") == 0
    assert [file.name for file in ledger.file.parent.iterdir() if b"zubizarreta" in file.read_bytes()] == []

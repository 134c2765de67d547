"""Sums for reports, beside a running gateway and from any thread."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.record import Accrual
from gateway.ledger import FILE_NAME, Ledger, LedgerSettings, Reader
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS
from tests.ledger.conftest import NOON, make_receipt, make_settlement, only_sqlite


async def test_reading_beside_a_running_gateway(ledger: Ledger) -> None:
    """With a connection that is kept, or one for each question, also in a thread; the newest requests come first."""
    await ledger.receive(make_receipt("a"), None)
    await ledger.settle(make_settlement("a"))
    await ledger.receive(make_receipt("b", received_at=NOON + 5), None)
    reader = Reader(ledger.database)
    sums = await asyncio.to_thread(reader.savings, NOON, NOON + 60)
    assert (sums.requests, sums.avoided_micros) == (1, 120)
    with Reader(ledger.database) as kept:
        assert kept.total(NOON, NOON + 60).local == 1
        first, second = kept.recent(5)
        assert (first.outcome, first.target) == (None, None)
        assert (second.outcome, second.target, second.tokens) == ("ok", "home", 15)
    await ledger.settle(make_settlement("b", target="big", zone=Zone.CLOUD, cost_micros=7, avoided_micros=None))
    (day,) = reader.cloud_days(NOON - 3600, NOON + 3600, UTC)
    assert (day.target, day.requests, day.cost_micros) == ("big", 1, 7)


async def test_a_shadow_costs_but_saves_nothing_and_is_no_request(ledger: Ledger) -> None:
    """Reports count a shadow's cost but no saving and no request, as the metrics do."""
    await ledger.receive(make_receipt("a"), None)
    await ledger.settle(make_settlement("a"))
    for name, changes in (
        ("local", {}),
        ("cloud", {"target": "big", "zone": Zone.CLOUD, "cost_micros": 900, "avoided_micros": None}),
    ):
        await ledger.receive(make_receipt(name, shadow=True), None)
        await ledger.settle(make_settlement(name, **changes))
    reader = Reader(ledger.database)
    sums = reader.total(NOON, NOON + 60)
    assert (sums.requests, sums.local, sums.cloud) == (1, 1, 0)
    assert (sums.avoided_micros, sums.cost_micros) == (120, 900)
    assert (sums.local_output, sums.cloud_output) == (10, 5)
    assert len(reader.recent(5)) == 1


async def test_sensitive_requests_are_counted_and_where_they_went(ledger: Ledger) -> None:
    """Reports count sensitive requests, and any that a cloud answered."""
    await ledger.receive(make_receipt("kept", label=Label.SENSITIVE), None)
    await ledger.settle(make_settlement("kept"))
    reader = Reader(ledger.database)
    sums = reader.savings(NOON, NOON + 60)
    assert (sums.sensitive, sums.sensitive_left) == (1, 0)
    await ledger.receive(make_receipt("left", label=Label.SENSITIVE, shadow=True), None)
    await ledger.settle(make_settlement("left", target="big", zone=Zone.CLOUD))
    sums = reader.savings(NOON, NOON + 60)
    assert (sums.sensitive, sums.sensitive_left) == (1, 1)


@only_sqlite
async def test_an_older_database_becomes_a_current_one(settings: LedgerSettings) -> None:
    """A migrated database keeps its rows; what the new schema adds has its default."""
    settings.directory.mkdir()
    connection = sqlite3.connect(settings.directory / "ledger.sqlite3")
    connection.executescript(f"{MIGRATIONS[0]} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
    names = "seq, request_id, received_at, dialect, endpoint, key, model, stream, label, label_source, tags, categories"
    values = f"1, 'old', {NOON}, 'openai', 'chat', 'k', 'auto', 0, 0, 'tag', '[]', '[]'"
    connection.execute(
        f"INSERT INTO receipts ({names}, doubts, rule, permitted, policy_digest, facts) "
        f"VALUES ({values}, '[]', '-', '[]', 'd', x'7b7d')"
    )
    connection.commit()
    connection.close()
    ledger = Ledger(settings)
    await ledger.open()
    assert ledger.orphans == 1
    await ledger.receive(make_receipt("new"), None)
    await ledger.close()
    assert [request.outcome for request in Reader(settings.directory).recent(5)] == [None, "unknown"]


async def test_reading_writes_nothing(ledger: Ledger) -> None:
    """A report can't change the account."""
    with Reader(ledger.database) as reader, pytest.raises(LedgerUnavailable, match=r"readonly|read-only"):
        list(reader._rows("DELETE FROM receipts"))


@only_sqlite
def test_nothing_to_read_is_said(settings: LedgerSettings) -> None:
    """A missing database is an error that says so, and no empty one is left behind."""
    with pytest.raises(LedgerUnavailable, match="no ledger at"):
        Reader(settings.directory).savings(0, 1)
    assert not settings.directory.exists()


def test_an_older_ledger_is_named_and_left_as_it_is(tmp_path):
    """For an older ledger the message says what to do, and the file keeps its schema."""
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript(f"PRAGMA application_id = {APPLICATION_ID};{MIGRATIONS[0]}PRAGMA user_version = 1;")
    connection.close()
    with pytest.raises(LedgerUnavailable, match="Start the gateway once"), Reader(tmp_path) as reader:
        reader.total(0, 1)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "Asia/Kolkata", "Australia/Adelaide", "Pacific/Chatham"])
async def test_days_have_the_same_sums_as_each_day_by_itself(ledger: Ledger, zone) -> None:
    """One pass over the records puts each request into its local day, also where a day begins at half an hour."""
    times = [NOON + number * 3_517 for number in range(120)]
    for number, at in enumerate(times):
        await ledger.receive(make_receipt(f"r{number}", received_at=at), None)
    ends = [make_settlement(f"r{number}", settled_at=at + 1, avoided_micros=number) for number, at in enumerate(times)]
    await asyncio.gather(*(ledger.settle(end) for end in ends))
    accrual = Accrual(at=NOON, device="gpu0", state="idle", source="counter", microjoules=1, electricity_micros=500)
    await ledger.accrue([msgspec.structs.replace(accrual, at=NOON + hour * 3600) for hour in range(100)])
    reader, where = Reader(ledger.database), ZoneInfo(zone)
    until = NOON + 120 * 3_517
    days = reader.savings_by_day(NOON, until, where)
    assert [day for day, _ in days] == [day for day, _ in reader.days(NOON, until, where)]
    for (_, money), (_, sums) in zip(days, reader.days(NOON, until, where), strict=True):
        assert (money.requests, money.avoided_micros) == (sums.requests, sums.avoided_micros)
    assert sum(money.electricity_micros for _, money in days) == 50_000
    day = days[1][0]
    later = datetime(day.year, day.month, day.day, tzinfo=where).timestamp()
    assert reader.savings_by_day(later, until, where) == days[1:]

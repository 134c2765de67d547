"""The memory of sensitive conversations."""

import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.ledger import Ledger, LedgerSettings
from tests.ledger.conftest import Clock, make_receipt, only_sqlite

DAY = 86_400
A, B, C = (bytes([number]) * 16 for number in range(3))


def changes_of(ledger: Ledger) -> int:
    """Return the number of rows that the memory has ever written, as a trigger in the database counts them."""
    with sqlite3.connect(ledger.file) as connection:
        connection.executescript(
            "CREATE TABLE IF NOT EXISTS written (hash BLOB);"
            "CREATE TRIGGER IF NOT EXISTS new AFTER INSERT ON taint BEGIN INSERT INTO written VALUES (new.hash); END;"
            "CREATE TRIGGER IF NOT EXISTS old AFTER UPDATE ON taint BEGIN INSERT INTO written VALUES (new.hash); END;"
        )
        (count,) = connection.execute("SELECT count(*) FROM written").fetchone()
    connection.close()
    return int(count)


async def test_what_is_remembered_is_found_also_after_a_restart(settings: LedgerSettings) -> None:
    """Only known hashes come back, each with its label."""
    ledger = Ledger(settings)
    await ledger.open()
    await ledger.taint_remember([A, B], Label.SENSITIVE)
    assert await ledger.taint_lookup([A, C]) == {A: Label.SENSITIVE}
    await ledger.close()
    await ledger.open()
    assert await ledger.taint_lookup([A, B, C]) == {A: Label.SENSITIVE, B: Label.SENSITIVE}
    assert await ledger.taint_lookup([C]) == {}
    await ledger.close()


async def test_a_label_never_falls(ledger: Ledger) -> None:
    """Remembering a lower label later changes nothing."""
    await ledger.taint_remember([A], Label.SENSITIVE)
    await ledger.taint_remember([A], Label.INTERNAL)
    assert await ledger.taint_lookup([A]) == {A: Label.SENSITIVE}
    await ledger.taint_remember([B], Label.INTERNAL)
    await ledger.taint_remember([B], Label.SENSITIVE)
    assert await ledger.taint_lookup([B]) == {B: Label.SENSITIVE}


@only_sqlite
async def test_what_keeps_coming_never_expires(settings: LedgerSettings, clock: Clock) -> None:
    """Looked up every 20 days it lives for ever; unseen for longer than `taint_days` it goes."""
    settings = msgspec.structs.replace(settings, taint_days=30)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ledger.taint_remember([A, B], Label.SENSITIVE)
    for day in range(1, 61):
        await ledger.close()
        clock.now += DAY
        await ledger.open()
        assert day % 20 or A in await ledger.taint_lookup([A])
    assert await ledger.taint_lookup([B]) == {}
    await ledger.close()


async def test_a_clock_that_is_wrong_at_start_forgets_nothing(settings: LedgerSettings, clock: Clock) -> None:
    """Days count from the newest entry: a start in 2040 does not make every conversation old."""
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ledger.taint_remember([A], Label.SENSITIVE)
    await ledger.close()
    clock.now += 5000 * DAY
    await ledger.open()
    assert await ledger.taint_lookup([A]) == {A: Label.SENSITIVE}
    await ledger.close()


async def test_the_number_of_entries_is_bounded(settings: LedgerSettings, clock: Clock) -> None:
    """Beyond the bound the longest unseen entries are forgotten first."""
    settings = msgspec.structs.replace(settings, taint_entries=2)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    for item in (A, B, C):
        await ledger.taint_remember([item], Label.SENSITIVE)
        clock.now += DAY
    await ledger.close()
    await ledger.open()
    assert await ledger.taint_lookup([A, B, C]) == {B: Label.SENSITIVE, C: Label.SENSITIVE}
    await ledger.close()


async def test_many_hashes_at_once(ledger: Ledger) -> None:
    """More hashes than one statement takes are remembered and found."""
    many = [number.to_bytes(16, "big") for number in range(1800)]
    await ledger.taint_remember(many, Label.SENSITIVE)
    assert len(await ledger.taint_lookup(many)) == 1800


@only_sqlite
async def test_what_is_known_is_not_written_again(ledger: Ledger) -> None:
    """A later turn of a sensitive conversation costs the ledger only what is new in it."""
    many = [number.to_bytes(16, "big") for number in range(1800)]
    await ledger.taint_remember(many, Label.SENSITIVE, frozenset({"id"}))
    before = changes_of(ledger)
    await ledger.taint_remember([*many, A + b"x"], Label.SENSITIVE, frozenset({"id"}))
    assert changes_of(ledger) == before + 1


@only_sqlite
async def test_what_else_makes_a_known_turn_sensitive_is_written(ledger: Ledger) -> None:
    """A turn that was sensitive by findings alone, and then by something else, may not be masked any more."""
    await ledger.taint_remember([A, B], Label.SENSITIVE, frozenset({"id"}))
    await ledger.taint_remember([A], Label.SENSITIVE, frozenset({"contact"}))
    assert await ledger.taint_causes([A, B]) == frozenset({"id", "contact"})
    await ledger.taint_remember([B], Label.SENSITIVE)
    assert await ledger.taint_causes([A, B]) is None
    assert await ledger.taint_causes([A]) == frozenset({"id", "contact"})


@only_sqlite
async def test_receipts_come_before_much_that_is_remembered(ledger: Ledger) -> None:
    """While a large conversation is remembered, a receipt waits for a piece of it and not for the whole."""
    order: list[str] = []

    async def remember(number: int) -> None:
        await ledger.taint_remember(
            [bytes([number]) + item.to_bytes(15, "big") for item in range(20_000)], Label.SENSITIVE
        )
        order.append("memory")

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(remember(number))
        await asyncio.sleep(0)
        await ledger.receive(make_receipt(), None)
        order.append("receipt")
    assert order == ["receipt", *["memory"] * 4]


async def test_who_does_not_wait_is_not_forgotten(settings: LedgerSettings) -> None:
    """What was being remembered when its client went away is known at once, and after a restart."""
    ledger = Ledger(settings)
    await ledger.open()
    many = [number.to_bytes(16, "big") for number in range(5_000)]
    task = asyncio.create_task(ledger.taint_remember(many, Label.SENSITIVE))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await ledger.taint_lookup(many)) == 5_000
    await ledger.close()
    await ledger.open()
    assert len(await ledger.taint_lookup(many)) == 5_000
    await ledger.close()


@only_sqlite
async def test_not_being_able_to_look_is_an_error_not_a_no(settings: LedgerSettings, tmp_path: Path) -> None:
    """When the database can't be read, the question is not answered with 'unknown, so harmless'."""
    ledger = Ledger(settings)
    await ledger.open()
    await ledger.taint_remember([A], Label.SENSITIVE)
    await ledger.close()
    await ledger.open()
    ledger.file.rename(tmp_path / "elsewhere")
    with pytest.raises(LedgerUnavailable):
        await ledger.taint_lookup([A])
    await ledger.close()


@only_sqlite
async def test_what_is_surely_unknown_needs_no_database(settings: LedgerSettings, tmp_path: Path) -> None:
    """Beside thousands of known turns, unknown ones are answered from memory, even when the database is gone."""
    known = [number.to_bytes(16, "big") for number in range(2000)]
    ledger = Ledger(settings)
    await ledger.open()
    await ledger.taint_remember(known, Label.SENSITIVE)
    await ledger.close()
    ledger = Ledger(settings)
    await ledger.open()
    ledger.file.rename(tmp_path / "elsewhere")
    assert await ledger.taint_lookup([number.to_bytes(16, "little") for number in range(10**6, 10**6 + 2000)]) == {}
    for item in known[::100]:
        with pytest.raises(LedgerUnavailable):
            await ledger.taint_lookup([item])
    await ledger.close()

"""The memory of sensitive conversations."""

from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.ledger import Ledger, LedgerSettings
from tests.ledger.conftest import Clock

DAY = 86_400
A, B, C = (bytes([number]) * 16 for number in range(3))


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


async def test_what_keeps_coming_never_expires(settings: LedgerSettings, clock: Clock) -> None:
    """Looked up every 20 days it lives for ever; unseen for longer than `taint_days` it goes."""
    settings = msgspec.structs.replace(settings, taint_days=30)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ledger.taint_remember([A, B], Label.SENSITIVE)
    for _ in range(5):
        await ledger.close()
        clock.now += 20 * DAY
        await ledger.open()
        assert A in await ledger.taint_lookup([A])
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


async def test_not_being_able_to_look_is_an_error_not_a_no(settings: LedgerSettings, tmp_path: Path) -> None:
    """When the database can't be read, the question is not answered with 'unknown, so harmless'."""
    ledger = Ledger(settings)
    await ledger.open()
    await ledger.taint_remember([A], Label.SENSITIVE)
    ledger.file.rename(tmp_path / "elsewhere")
    with pytest.raises(LedgerUnavailable):
        await ledger.taint_lookup([A])
    await ledger.close()


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

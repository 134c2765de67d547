"""What alone made conversations sensitive, and the sealed mappings of those that went out masked."""

import sqlite3

import msgspec
import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.core.record import Whose
from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS
from tests.ledger.conftest import CLOUD, Clock, make_receipt, only_sqlite, rows

DAY = 86_400
LAPTOP = Whose(key="laptop")
A, B, C = (bytes([number]) * 16 for number in range(3))
MAIL, NAME = frozenset({"contact.email"}), frozenset({"person.name"})


async def test_causes_are_joined_and_once_unknown_stay_unknown(settings: LedgerSettings) -> None:
    """The union over all turns; a turn of unknown cause, or one of an older ledger, makes the whole unknown."""
    ledger = Ledger(settings)
    await ledger.open()
    await ledger.taint_remember([A], Label.SENSITIVE, MAIL)
    await ledger.taint_remember([B], Label.SENSITIVE, NAME)
    assert await ledger.taint_causes([A, C]) == MAIL
    assert await ledger.taint_causes([A, B]) == MAIL | NAME
    await ledger.taint_remember([A], Label.SENSITIVE, NAME)
    assert await ledger.taint_causes([A]) == MAIL | NAME
    await ledger.taint_remember([A], Label.SENSITIVE)
    await ledger.taint_remember([A], Label.SENSITIVE, MAIL)
    assert await ledger.taint_causes([A]) is None
    assert await ledger.taint_causes([A, B]) is None
    assert await ledger.taint_causes([C]) is None
    await ledger.close()
    await ledger.open()
    assert await ledger.taint_causes([B]) == NAME
    await ledger.close()


async def test_the_causes_of_a_lower_label_are_not_those_of_a_higher(ledger: Ledger) -> None:
    """Only the causes of the highest label count, in whatever order they came."""
    await ledger.taint_remember([A], Label.INTERNAL)
    await ledger.taint_remember([A], Label.SENSITIVE, MAIL)
    await ledger.taint_remember([A], Label.INTERNAL)
    assert await ledger.taint_causes([A]) == MAIL


async def test_looking_again_on_another_day_keeps_the_causes(settings: LedgerSettings, clock: Clock) -> None:
    """A refresh touches the day and nothing else."""
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ledger.taint_remember([A], Label.SENSITIVE, MAIL)
    clock.now += 2 * DAY
    await ledger.taint_lookup([A])
    await ledger.taint_remember([B], Label.SENSITIVE)
    assert await ledger.taint_causes([A]) == MAIL
    await ledger.close()


async def test_what_is_being_written_counts(ledger: Ledger) -> None:
    """A turn whose memory is on its way to the disk has its causes, known or not."""
    first = ledger.taint_remember([A], Label.SENSITIVE, MAIL)
    first.send(None)
    assert await ledger.taint_causes([A]) == MAIL
    first.close()


async def test_a_mapping_is_found_by_the_longest_known_beginning(ledger: Ledger) -> None:
    """A branch of a conversation finds its own mapping, else that of what it began with."""
    await ledger.mask_remember(b"one", b"sealed 1", [A], LAPTOP)
    await ledger.mask_remember(b"two", b"sealed 2", [B], LAPTOP)
    assert (await ledger.mask_lookup([A, C])).name == b"one"
    kept = await ledger.mask_lookup([A, B, C])
    assert (kept.name, kept.sealed, kept.links) == (b"two", b"sealed 2", frozenset({B}))
    await ledger.mask_remember(b"one", b"sealed 3", [A, C], LAPTOP)
    kept = await ledger.mask_lookup([C])
    assert (kept.sealed, kept.links) == (b"sealed 3", frozenset({C}))
    assert await ledger.mask_lookup([b"unknown"]) is None


@only_sqlite
async def test_mappings_are_erased_with_the_conversation(settings: LedgerSettings, clock: Clock) -> None:
    """Unseen for `taint_days` a mapping goes, with its links; what keeps coming stays; the fewest go beyond a limit."""
    settings = msgspec.structs.replace(settings, taint_days=30, taint_entries=2)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ledger.mask_remember(b"one", b"sealed 1", [A], LAPTOP)
    await ledger.mask_remember(b"two", b"sealed 2", [B], LAPTOP)
    for day in range(1, 41):
        clock.now += DAY
        assert day % 10 or await ledger.mask_lookup([B]) is not None
        await ledger.close()
        await ledger.open()
    assert await ledger.mask_lookup([A]) is None
    assert (await ledger.mask_lookup([B])).name == b"two"
    assert rows(ledger, "SELECT count(*) FROM mask_links") == [(1,)]
    await ledger.close()


@only_sqlite
async def test_a_mapping_that_can_not_be_kept_is_an_error(settings: LedgerSettings, tmp_path) -> None:
    """A mapping that can't be read or written raises an error; neither fails in silence."""
    ledger = Ledger(settings)
    await ledger.open()
    ledger.file.rename(tmp_path / "elsewhere")
    with pytest.raises(LedgerUnavailable):
        await ledger.mask_lookup([A])
    with pytest.raises(LedgerUnavailable):
        await ledger.mask_remember(b"one", b"sealed", [A], LAPTOP)
    await ledger.close()


async def test_receipts_say_what_was_masked(ledger: Ledger) -> None:
    """A receipt holds category and count of what was masked, and nothing else."""
    await ledger.receive(make_receipt(masked=(("contact.email", 2),)), CLOUD)
    assert rows(ledger, "SELECT masked FROM receipts") == [('[["contact.email",2]]',)]


@only_sqlite
async def test_an_older_ledger_learns_to_mask(settings: LedgerSettings) -> None:
    """After the migration of an older ledger its sensitive conversations stay, of unknown cause."""
    settings.directory.mkdir(parents=True)
    connection = sqlite3.connect(settings.directory / "ledger.sqlite3")
    connection.executescript(f"{MIGRATIONS[0]} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
    connection.execute("INSERT INTO taint VALUES (?, 2, ?)", (A, 20_000))
    connection.commit()
    connection.close()
    ledger = Ledger(settings)
    await ledger.open()
    assert await ledger.taint_lookup([A]) == {A: Label.SENSITIVE}
    assert await ledger.taint_causes([A]) is None
    await ledger.mask_remember(b"one", b"sealed", [A], LAPTOP)
    await ledger.close()

"""Receipts, settlements and what a start makes of a database that a crash left behind."""

import asyncio
import math
import sqlite3
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.record import Accrual, Outcome, RequestEnergy
from gateway.core.usage import Usage
from gateway.ledger import Ledger, LedgerSettings, Reader
from gateway.ledger.reading.reports import GroupBy
from tests.ledger.conftest import CLOUD, NOON, Clock, make_receipt, make_settlement, only_sqlite, rows


async def test_a_receipt_is_in_the_database_when_receive_returns(ledger: Ledger) -> None:
    """Another connection sees receipt and reservation at once, with every field."""
    await ledger.receive(make_receipt(), CLOUD)
    assert rows(ledger, "SELECT request_id, key, label, tags, permitted, stream FROM whole_receipts") == [
        ("r1", "laptop", int(Label.INTERNAL), '["client-acme"]', '["home","big"]', 1)
    ]
    assert rows(ledger, "SELECT seq, number, target, zone, micros FROM reservations") == [(1, 0, "big", "cloud", 500)]


@only_sqlite
async def test_the_connection_syncs_every_commit(ledger: Ledger, settings: LedgerSettings) -> None:
    """The journal is WAL and synchronous is FULL: a committed receipt survives a power cut."""
    assert rows(ledger, "PRAGMA journal_mode") == [("wal",)]
    from gateway.ledger.database.sqlite import connect

    connection = connect(ledger.file, busy_seconds=1)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


async def test_there_is_one_settlement_and_the_first_one_stands(ledger: Ledger) -> None:
    """A second settlement of the same request changes nothing."""
    await ledger.receive(make_receipt(), None)
    await ledger.settle(make_settlement(attempts=(("big", "target_timeout"),)))
    await ledger.settle(make_settlement(outcome=Outcome.ERROR, cost_micros=9, attempts=(("big", "x"), ("home", "y"))))
    assert rows(ledger, "SELECT outcome, cost_micros, input, output FROM settlements") == [("ok", 0, 10, 5)]
    assert rows(ledger, "SELECT target, error FROM attempts") == [("big", "target_timeout")]


async def test_a_settlement_needs_a_receipt(ledger: Ledger) -> None:
    """There is no settlement without a receipt."""
    with pytest.raises(LedgerUnavailable, match="no receipt 'nobody'"):
        await ledger.settle(make_settlement("nobody"))


async def test_a_request_id_is_used_once(ledger: Ledger) -> None:
    """A second receipt with the same id is refused; the others of the same commit are not."""
    await ledger.receive(make_receipt(), None)
    results = await asyncio.gather(
        ledger.receive(make_receipt("r2"), None),
        ledger.receive(make_receipt("r1"), None),
        ledger.receive(make_receipt("r3"), None),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), LedgerUnavailable, type(None)]
    assert rows(ledger, "SELECT request_id FROM receipts ORDER BY seq") == [("r1",), ("r2",), ("r3",)]
    await ledger.settle(make_settlement("r1"))
    assert ledger.health().ok


async def test_a_cost_that_is_not_known_is_not_zero(settings: LedgerSettings) -> None:
    """For a target without a price the ledger holds NULL, not 0."""
    ledger = Ledger(msgspec.structs.replace(settings, unpriced_targets=frozenset({"big"})))
    await ledger.open()
    await ledger.receive(make_receipt(), CLOUD)
    await ledger.settle(make_settlement(target="big", zone=Zone.CLOUD, avoided_micros=None))
    assert rows(ledger, "SELECT cost_micros, avoided_micros FROM settlements") == [(None, None)]
    await ledger.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_seconds": math.nan},
        {"duration_seconds": math.inf},
        {"first_token_seconds": -1.0},
        {"settled_at": math.nan},
        {"cost_micros": 10**30},
        {"cost_micros": -1},
        {"cost_micros": 0.5},
        {"avoided_micros": 10**16},
        {"usage": Usage(input=-1)},
        {"usage": Usage(output=10**30)},
        {"usage": Usage(reasoning=True)},
        {"usage": Usage(input=math.nan)},  # type: ignore[arg-type]
    ],
    ids=str,
)
async def test_numbers_that_cannot_be_true_never_reach_sqlite(ledger: Ledger, changes: dict[str, object]) -> None:
    """NaN would become NULL and 10³⁰ an OverflowError; both are refused, and the ledger goes on."""
    await ledger.receive(make_receipt(), None)
    with pytest.raises(LedgerUnavailable, match="refused a record"):
        await ledger.settle(make_settlement(**changes))
    assert rows(ledger, "SELECT count(*) FROM settlements") == [(0,)]
    await ledger.settle(make_settlement())
    assert rows(ledger, "SELECT count(*) FROM settlements") == [(1,)]


@pytest.mark.parametrize("changes", [{"key": "\ud800"}, {"tags": ("\ud800",)}, {"key": 5j}, {"prompt_tokens": 2**80}])
async def test_one_unfit_record_does_not_take_others_with_it(ledger: Ledger, changes: dict[str, object]) -> None:
    """Half a character, a thing that is no text, a number without end: refused alone, and the writer lives on."""
    results = await asyncio.gather(
        ledger.receive(make_receipt("a"), CLOUD),
        ledger.receive(make_receipt("bad", **changes), CLOUD),
        ledger.receive(make_receipt("b"), CLOUD),
        return_exceptions=True,
    )
    assert [type(result) for result in results if result is None] == [type(None)] * 2
    assert isinstance(results[1], LedgerUnavailable)
    assert rows(ledger, "SELECT request_id FROM receipts ORDER BY seq") == [("a",), ("b",)]
    assert ledger.health().ok
    assert ledger.budgets()["day"].spent == pytest.approx(0.001)


async def test_what_a_crash_cut_off_is_settled_as_unknown(settings: LedgerSettings, clock: Clock) -> None:
    """The next start settles it once, at its upper estimate if it was on its way to a cloud."""
    first = Ledger(settings, wall=clock)
    await first.open()
    await first.receive(make_receipt("done"), None)
    await first.settle(make_settlement("done"))
    await first.receive(make_receipt("lost"), CLOUD)
    await first.reserve("lost", msgspec.structs.replace(CLOUD, target="bigger", micros=700))
    await first.receive(make_receipt("early"), None)
    await first.close()
    for orphans in (2, 0):
        clock.now += 60
        again = Ledger(settings, wall=clock)
        await again.open()
        assert again.orphans == orphans
        assert again.budgets()["month"].spent == pytest.approx(0.0012)
        assert rows(
            again, "SELECT seq, outcome, target, error, cost_micros, estimated FROM settlements ORDER BY 1"
        ) == [
            (1, "ok", "home", None, 0, 0),
            (2, "unknown", "bigger", "gateway_stopped", 1200, 1),
            (3, "unknown", None, "gateway_stopped", 0, 1),
        ]
        await again.close()


async def test_a_clock_that_jumps_back_keeps_the_order(ledger: Ledger, clock: Clock) -> None:
    """Requests keep their order, by sequence and not by time, when the clock jumps back."""
    await ledger.receive(make_receipt("a"), None)
    clock.now -= 1_000_000
    await ledger.receive(make_receipt("b", received_at=clock.now), None)
    await ledger.settle(make_settlement("b", settled_at=clock.now))
    assert rows(ledger, "SELECT request_id FROM receipts ORDER BY seq") == [("a",), ("b",)]


async def test_many_requests_at_once_each_get_their_row(ledger: Ledger) -> None:
    """Many receipts and settlements side by side: none lost, none twice."""

    async def one(number: int) -> None:
        await ledger.receive(make_receipt(f"r{number}"), CLOUD)
        await ledger.settle(make_settlement(f"r{number}", target="big", zone=Zone.CLOUD, cost_micros=3))

    await asyncio.gather(*(one(number) for number in range(150)))
    assert rows(ledger, "SELECT count(*), sum(cost_micros) FROM settlements") == [(150, 450)]
    assert ledger.budgets()["day"].spent == pytest.approx(0.00045)


async def test_old_requests_go_and_unsettled_ones_stay(settings: LedgerSettings, clock: Clock) -> None:
    """Settled requests older than keep_days are removed with everything that belongs to them."""
    settings = msgspec.structs.replace(settings, keep_days=30)
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ledger.receive(make_receipt("old"), CLOUD)
    await ledger.settle(make_settlement("old", attempts=(("big", "x"),)))
    await ledger.receive(make_receipt("new", received_at=NOON + 20 * 86400), None)
    for _ in range(31):  # old records go a day's worth a day
        await ledger.close()
        clock.now += 86400
        await ledger.open()
    assert rows(ledger, "SELECT request_id FROM receipts") == [("new",)]
    assert rows(ledger, "SELECT (SELECT count(*) FROM reservations) + (SELECT count(*) FROM attempts)") == [(0,)]
    await ledger.close()


async def test_energy_adds_up_by_the_hour(ledger: Ledger) -> None:
    """Accruals of one hour are one row; sums are exact integers."""
    one = Accrual(
        at=NOON, device="gpu0", state="idle", source="power", microjoules=7, electricity_micros=2, hardware_micros=1
    )
    await ledger.accrue([one, one])
    await ledger.accrue([msgspec.structs.replace(one, at=NOON + 3600, state="request")])
    with Reader(ledger.database) as reader:
        energy = reader.energy(NOON, NOON + 7200)
        assert (energy.microjoules, energy.request_microjoules) == (21, 7)
        assert (energy.electricity_micros, energy.hardware_micros) == (6, 3)


async def test_energy_is_kept_by_request(settings: LedgerSettings, clock: Clock) -> None:
    """Parts of a running request add up, before and after its settlement and over a restart; unknown ones are left out.

    What a crash cut off keeps what it drew.
    """
    ledger = Ledger(settings, wall=clock)
    await ledger.open()
    await ledger.receive(make_receipt("a"), None)
    await ledger.receive(make_receipt("lost", key="phone"), None)
    part = RequestEnergy(request_id="a", microjoules=5_000_000, electricity_nanos=300)
    await ledger.accrue((), [part, msgspec.structs.replace(part, request_id="nobody")])
    await ledger.settle(make_settlement("a"))
    await ledger.accrue((), [part, msgspec.structs.replace(part, request_id="lost")])
    await ledger.close()
    again = Ledger(settings, wall=clock)
    await again.open()
    with Reader(again.database) as reader:
        lines = {sums.name: sums for sums in reader.groups(GroupBy.APP, NOON - 1, NOON + 60)}
    assert (lines["laptop"].microjoules, lines["laptop"].electricity_nanos) == (10_000_000, 600)
    assert (lines["phone"].microjoules, lines["phone"].electricity_nanos) == (5_000_000, 300)
    await again.close()


@only_sqlite
async def test_the_files_are_for_their_owner_only(ledger: Ledger) -> None:
    """Who asked for what is nobody else's business on a shared machine."""
    await ledger.receive(make_receipt(), None)
    for file in ledger.file.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


def test_an_unknown_time_zone_is_named(tmp_path: Path) -> None:
    """The message says what to write."""
    with pytest.raises(ConfigurationError, match="'Europe/Madriz' is not a time zone"):
        Ledger(LedgerSettings(directory=tmp_path, timezone="Europe/Madriz"))


@pytest.mark.parametrize("damage", ["garbage", "middle", "foreign", "newer"])
@only_sqlite
async def test_what_cannot_be_read_is_left_as_it_is(settings: LedgerSettings, damage: str) -> None:
    """A damaged, foreign or newer database: a clear error, and not one byte changed."""
    first = Ledger(settings)
    await first.open()
    for number in range(50):
        await first.receive(make_receipt(f"r{number}"), None)
        await first.settle(make_settlement(f"r{number}"))
    await first.close()
    file = first.file
    match damage:
        case "garbage":
            file.write_bytes(b"this is not a database, but it may be somebody's only copy of something" * 100)
        case "middle":
            content = bytearray(file.read_bytes())
            content[4096 * 2 : 4096 * 3] = b"\xff" * 4096
            file.write_bytes(content)
        case "foreign":
            file.unlink()
            connection = sqlite3.connect(file)
            connection.execute("CREATE TABLE photos (name TEXT)")
            connection.close()
        case _:
            connection = sqlite3.connect(file)
            connection.execute("PRAGMA user_version = 99")
            connection.close()
    before = file.read_bytes()
    with pytest.raises(LedgerUnavailable, match=r"damaged|another program|newer Aduana") as caught:
        await Ledger(settings).open()
    assert str(file) in caught.value.message
    assert file.read_bytes() == before


async def test_a_closed_ledger_refuses(settings: LedgerSettings) -> None:
    """Before `open` and after `close` nothing is admitted, and health says so."""
    ledger = Ledger(settings)
    for step in ("before", "after"):
        with pytest.raises(LedgerUnavailable, match="not open"):
            await ledger.receive(make_receipt(step), None)
        assert not ledger.health().ok
        if step == "before":
            await ledger.open()
            await ledger.close()


async def test_a_refusal_is_one_record(ledger: Ledger) -> None:
    """Receipt, settlement and the targets without a place are there together when `refuse` returns."""
    refused = make_settlement(outcome=Outcome.ERROR, target=None, zone=None, attempts=(("home", "target_busy"),))
    await ledger.refuse(make_receipt(), refused)
    assert rows(ledger, "SELECT request_id, outcome FROM receipts JOIN settlements USING (seq)") == [("r1", "error")]
    assert rows(ledger, "SELECT target, error FROM attempts") == [("home", "target_busy")]


async def test_a_refusal_that_is_unfit_leaves_no_receipt_behind(ledger: Ledger) -> None:
    """Both stand or neither does."""
    with pytest.raises(LedgerUnavailable):
        await ledger.refuse(make_receipt(), make_settlement(duration_seconds=math.nan))
    assert rows(ledger, "SELECT count(*) FROM receipts") == [(0,)]


async def test_refusals_that_wait_are_written_when_the_ledger_closes(settings: LedgerSettings) -> None:
    """Nobody's record is left behind by a stop."""
    ledger = Ledger(settings)
    await ledger.open()
    waiting = [asyncio.ensure_future(ledger.refuse(make_receipt(f"r{n}"), make_settlement(f"r{n}"))) for n in range(3)]
    await asyncio.sleep(0)
    await ledger.close()
    await asyncio.gather(*waiting)
    assert rows(ledger, "SELECT count(*) FROM settlements") == [(3,)]

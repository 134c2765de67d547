"""Whatever is changed in a recorded ledger is found, and whatever is erased as it should be leaves the chain whole."""

import sqlite3
from pathlib import Path

import pytest

from gateway.core.labels import Label, Zone
from gateway.ledger import Ledger, LedgerSettings, chain
from gateway.ledger.chain import Examined, Standing, Subjects
from gateway.ledger.chain.commitments import LATER_IN_RECEIPT, LATER_IN_SETTLEMENT, RECEIPT, SETTLEMENT
from gateway.ledger.chain.signing import read_checkpoints, read_public_key
from tests.ledger.chain.house import NOON, STEP, TAMPERINGS, Office, recorded, tamper
from tests.ledger.conftest import make_receipt, make_settlement


def examine(office: Office, **asked: object) -> Examined:
    """Verify as an auditor with the public key and the file from elsewhere."""
    key = read_public_key(office.public_key.read_bytes(), "key")
    read = read_checkpoints(office.file.read_bytes().split(b"\n"), [key])
    connection = sqlite3.connect(office.database)
    try:
        return chain.verify(connection, read=read, elsewhere=True, **asked)  # type: ignore[arg-type]
    finally:
        connection.close()


async def test_a_ledger_as_it_was_written_is_proved(tmp_path: Path) -> None:
    """Nothing was changed; no sensitive request could go to a cloud; every checkpoint agrees."""
    found = examine(await recorded(tmp_path), subjects=Subjects(tags=("patient", "office")))
    assert (found.standing, found.problems, found.requests, found.unproved) == (Standing.REFUTED, (), 30, 0)
    assert [(claim.value, claim.requests, claim.permitted, claim.answered) for claim in found.claims] == [
        ("sensitive", 10, 0, 0),
        ("patient", 10, 0, 0),
        ("office", 20, 10, 10),  # these went out, and are said to
    ]
    assert found.checkpoints == 3
    assert examine(Office(tmp_path)).standing is Standing.PROVED


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_is_found(tmp_path: Path, name: str) -> None:
    """Each change is named; what only the chain could have told is told by the checkpoint from elsewhere."""
    office = await recorded(tmp_path)
    change, fault = TAMPERINGS[name]
    change(office)
    found = examine(office)
    assert found.standing is Standing.REFUTED
    assert fault in [problem.fault for problem in found.problems]


async def test_erasure_keeps_the_chain_whole_and_says_what_it_took(tmp_path: Path) -> None:
    """Rows and salts are gone and the proof still stands; for a tag, only of requests that no cloud was permitted."""
    office = await recorded(tmp_path)
    connection = sqlite3.connect(office.database)
    connection.execute("PRAGMA foreign_keys = ON")
    chain.forget(connection, [4, 5, 6, 12], at=office.now)
    connection.execute("DELETE FROM receipts WHERE seq IN (4, 5, 6, 12)")
    connection.commit()
    assert connection.execute("SELECT count(*) FROM chain_salts").fetchone() == (26,)
    connection.close()
    found = examine(office, subjects=Subjects(tags=("patient",)))
    assert (found.problems, found.erased, found.requests) == ((), 4, 30)
    label, tag = found.claims
    assert (label.requests, label.refuted) == (10, False)
    assert (tag.requests, tag.refuted, tag.unknown, tag.erased) == (9, False, 2, 2)  # 6 and 12 could go to a cloud
    assert [(one.first, one.last) for one in found.removals] == [(4, 6), (12, 12)]
    tamper(office.database, "DELETE FROM receipts WHERE seq = 20")
    assert [problem.fault for problem in examine(office).problems] == ["receipt_removed"]


async def test_a_number_that_is_given_out_anew_is_no_fault(tmp_path: Path) -> None:
    """Where the newest request was erased, the next one gets its number; both links stand for what they stood for."""
    office = await recorded(tmp_path, 6, every=6)
    connection = sqlite3.connect(office.database)
    connection.execute("PRAGMA foreign_keys = ON")
    chain.forget(connection, [6], at=office.now)
    connection.execute("DELETE FROM receipts WHERE seq = 6")
    connection.commit()
    connection.close()
    office = await Office(tmp_path).open()
    office.asked, office.now = 6, NOON + 6 * STEP
    await office.ask(1)
    await office.close()
    found = examine(office)
    assert (found.problems, found.requests, found.erased) == ((), 7, 1)
    tamper(office.database, "UPDATE receipts SET key = 'somebody' WHERE seq = 6")
    assert [problem.fault for problem in examine(office).problems] == ["receipt_changed"]


async def test_removal_by_age_is_written_down(tmp_path: Path) -> None:
    """Requests that the gateway itself removes because they are old do not look like tampering."""
    office = await recorded(tmp_path, 3, every=3)
    office.now += 500 * 86_400
    later = Ledger(LedgerSettings(directory=office.state, keep_days=400), wall=lambda: office.now)
    for _ in range(3):  # removing goes at most a day further each day
        await later.open()
        await later.close()
        office.now += 86_400
    connection = sqlite3.connect(office.database)
    connection.execute(
        "UPDATE pruning SET today = ?, clock = ?", (int(office.now // 86_400), int(office.now // 86_400))
    )
    connection.commit()
    connection.close()
    await later.open()
    await later.close()
    found = examine(office)
    assert (found.problems, found.aged, found.erased) == ((), 3, 0)


async def test_a_period_counts_its_own_requests(tmp_path: Path) -> None:
    """What came before and after is not counted, and what comes behind the last checkpoint is named as not proved."""
    office = await recorded(tmp_path)
    begin, end = NOON + 10.5 * STEP, NOON + 20.5 * STEP
    found = examine(office, since=begin, until=end)
    assert (found.requests, found.unproved, found.standing) == (10, 0, Standing.PROVED)
    lines = office.file.read_text().splitlines(keepends=True)
    office.file.write_text(lines[0])
    found = examine(office, since=begin, until=end)
    assert (found.requests, found.unproved, found.standing) == (10, 10, Standing.OPEN)
    assert found.own_newest is not None  # the ledger knows of later ones, so the file was cut off


@pytest.mark.parametrize("days", [-40, 40])
async def test_a_clock_that_was_set_keeps_no_request_out_of_its_period(tmp_path: Path, days: int) -> None:
    """A request among those of the period is looked at with them, whatever time it carries; others' periods as well."""
    office = await Office(tmp_path).open()
    await office.ask(10)
    office.now += days * 86_400
    await office.ask(1, label=Label.SENSITIVE, permitted=("big",), zones=(Zone.CLOUD,))
    office.now -= days * 86_400
    await office.ask(10)
    await office.keeper.sign()
    office.now += 3 * 86_400
    await office.ask(3)
    await office.keeper.sign()
    await office.close()
    found = examine(office, since=NOON, until=NOON + 2 * 86_400)
    assert (found.requests, found.displaced) == (21, 1)
    assert found.standing is Standing.REFUTED
    assert [claim.permitted for claim in found.claims] == [1]


async def _days_with_a_wrong_clock(folder: Path, wrong: dict[int, int]) -> Office:
    """Record a request and a checkpoint a day, for 20 days; on some, a sensitive one for the cloud with another day."""
    office = await Office(folder).open()
    for day in range(20):
        office.now = NOON + day * 86_400
        await office.ask(1, label=Label.INTERNAL)
        if day in wrong:
            office.now = NOON + wrong[day] * 86_400
            await office.ask(1, label=Label.SENSITIVE, permitted=("big",), zones=(Zone.CLOUD,))
            office.now = NOON + day * 86_400
        await office.keeper.sign()
    await office.close()
    return office


def _between(office: Office, first: float, last: float) -> Examined:
    return examine(office, since=NOON + (first - 0.5) * 86_400, until=NOON + (last + 0.5) * 86_400)


@pytest.mark.parametrize("wrong", [{12: -900}, {12: 900}, {2: 900, 12: -900}, {2: 12, 12: -900}, {12: 900, 17: -900}])
async def test_a_wrong_clock_hides_no_other_one(tmp_path: Path, wrong: dict[int, int]) -> None:
    """However the clock was set before or after, what was written in the period counts in it."""
    office = await _days_with_a_wrong_clock(tmp_path, wrong)
    found = _between(office, 10, 15)
    assert (found.requests, found.displaced) == (7 + (wrong.get(2) == 12), 1)
    assert found.standing is Standing.REFUTED


@pytest.mark.parametrize("wrong", [{12: 3}, {3: 12}])
async def test_a_wrong_clock_draws_nothing_else_into_a_period(tmp_path: Path, wrong: dict[int, int]) -> None:
    """One request that carries a time of the period, written long after or before it, is one more and no others."""
    office = await _days_with_a_wrong_clock(tmp_path, wrong)
    (carried,) = wrong.values()
    found = _between(office, carried - 1, carried + 1)
    assert (found.requests, found.displaced) == (4, 0)
    other = _between(office, 6, 8)
    assert (other.requests, other.displaced, other.standing) == (3, 0, Standing.PROVED)


async def test_the_last_of_a_period_and_of_the_chain_is_not_hidden_by_the_clock(tmp_path: Path) -> None:
    """The checkpoint behind a request tells that it was written before, also where no other request follows."""
    office = await _days_with_a_wrong_clock(tmp_path, {15: 900, 19: 900})
    assert [claim.permitted for claim in _between(office, 10, 15).claims] == [1]
    assert [claim.permitted for claim in _between(office, 16, 19).claims] == [1]
    assert [_between(office, *days).displaced for days in ((10, 15), (16, 19), (10, 19), (1, 9))] == [1, 1, 2, 0]


async def test_a_checkpoint_from_the_future_excuses_no_removal(tmp_path: Path) -> None:
    """Checkpoints of the period for links that are gone convict, though one before them carries a later time."""
    office = await Office(tmp_path).open()
    await office.ask(10)
    office.now += 40 * 86_400
    await office.keeper.sign()
    office.now -= 40 * 86_400
    await office.ask(10)
    await office.keeper.sign()
    await office.close()
    tamper(office.database, "DELETE FROM receipts WHERE seq > 10", "DELETE FROM chain_salts WHERE seq > 10",
           "DELETE FROM settlements WHERE seq > 10", recompute=True)  # fmt: skip
    found = examine(office, until=NOON + 2 * 86_400)
    assert [problem.fault for problem in found.problems] == ["checkpoint_beyond"]


async def test_an_old_file_does_not_prove_all_of_it(tmp_path: Path) -> None:
    """Where no period is asked for, requests behind the file's last line, or a newer line, leave the verdict open."""
    office = await recorded(tmp_path)
    lines = office.file.read_text().splitlines(keepends=True)
    office.file.write_text("".join(lines[:2]))
    found = examine(office)
    assert (found.problems, found.unproved, found.standing) == ((), 10, Standing.OPEN)
    tamper(office.database, "DELETE FROM checkpoints WHERE place > 2")  # as whoever changes the last requests would
    assert examine(office).standing is Standing.OPEN


async def test_a_copy_that_is_older_than_the_file_proves_a_period_that_was_over(tmp_path: Path) -> None:
    """What newer checkpoints cover is not of the period; without one, nobody can tell a copy from a removal."""
    office = await recorded(tmp_path)
    TAMPERINGS["the newest 10 deleted and the chain recomputed"][0](office)
    assert [problem.fault for problem in examine(office).problems] == ["checkpoint_beyond"]
    found = examine(office, until=NOON + 15.5 * STEP)
    assert (found.problems, found.newer, found.requests, found.standing) == ((), 1, 15, Standing.PROVED)
    assert examine(office, until=NOON + 25.5 * STEP).standing is Standing.REFUTED


async def test_a_sensitive_request_in_the_cloud_is_told(tmp_path: Path) -> None:
    """Permitted, tried or answered: each of them refutes the claim and names the request."""
    office = await Office(tmp_path).open()
    await office.ledger.receive(
        make_receipt("bad", label=Label.SENSITIVE, permitted=("big", "home"), zones=(Zone.CLOUD, Zone.LOCAL)), None
    )
    await office.ledger.settle(make_settlement("bad", attempts=(("big", "timeout"),)))
    await office.ledger.refuse(
        make_receipt("worse", label=Label.SENSITIVE, permitted=("big",), zones=(Zone.CLOUD,)),
        make_settlement("worse", target="big", zone=Zone.CLOUD),
    )
    await office.close()
    (claim,) = examine(office).claims
    assert (claim.permitted, claim.tried, claim.answered, claim.examples) == (2, 1, 1, ("bad", "worse"))
    assert examine(office).standing is Standing.REFUTED


async def test_records_from_before_the_chain_are_not_covered(tmp_path: Path) -> None:
    """An older ledger's requests are counted as not covered; their settlements have no link, and that is no fault."""
    office = await recorded(tmp_path, 6, every=6)
    tamper(office.database, *(f"DELETE FROM {table}" for table in
                              ("chain_head", "chain_links", "chain_salts", "checkpoints", "settlements")))  # fmt: skip
    office.file.unlink()
    office = await Office(tmp_path).open()
    assert office.ledger.orphans == 6
    office.asked = 6
    await office.ask(3)
    await office.close()
    found = examine(office)
    assert (found.problems, found.before, found.requests, found.standing) == ((), 6, 3, Standing.OPEN)


async def test_a_crash_leaves_no_fault(tmp_path: Path) -> None:
    """The settlement that the next start writes for a request that was cut off has its link."""
    office = await Office(tmp_path).open()
    await office.ledger.receive(make_receipt("cut", zones=(Zone.LOCAL, Zone.CLOUD)), None)
    await office.ledger.close()  # as if it were killed: nobody settles
    office = await Office(tmp_path).open()
    assert office.ledger.orphans == 1
    await office.close()
    found = examine(office)
    assert (found.problems, found.links) == ((), 3)


async def test_checkpoints_of_another_key_and_of_another_ledger(tmp_path: Path) -> None:
    """Another key's lines prove nothing; lines of the same key for another chain say that the ledger was replaced."""
    office = await recorded(tmp_path)
    other = await recorded(tmp_path / "other", 3) if (tmp_path / "other").mkdir() is None else office
    mine = office.file.read_bytes()
    office.file.write_bytes(other.file.read_bytes())
    assert [problem.fault for problem in examine(office).problems] == ["other_key"]
    office.file.write_bytes(mine + other.file.read_bytes())
    assert examine(office).standing is Standing.PROVED
    office.database.unlink()
    fresh = await Office(tmp_path).open()
    await fresh.ask(3)
    await fresh.close()
    assert [problem.fault for problem in examine(fresh).problems] == ["other_chain"]
    changed = mine.replace(b'"number":61', b'"number":60')
    assert changed != mine
    fresh.file.write_bytes(changed)
    assert "forged" in [problem.fault for problem in examine(fresh).problems]


async def test_every_column_is_committed_to(tmp_path: Path) -> None:
    """A column that somebody adds to receipts or settlements belongs into the commitment; else it could be changed."""
    office = await recorded(tmp_path, 1, every=1)
    connection = sqlite3.connect(office.database)
    for table, names in (
        # By the last two facts and words are put together again, and those are.
        ("receipts", {"seq", *RECEIPT, *LATER_IN_RECEIPT, "pattern", "phrase"}),
        ("settlements", {"seq", *SETTLEMENT, *LATER_IN_SETTLEMENT}),
        ("attempts", {"seq", "number", "target", "error"}),
    ):
        assert {row[1] for row in connection.execute(f"PRAGMA table_info({table})")} == names
    connection.close()

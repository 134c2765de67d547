"""Erasing somebody takes everything that is about them, and nothing that keeps others safe or budgets right."""

import sqlite3
from pathlib import Path

import pytest

from gateway.core.labels import Label, Zone
from gateway.core.record import RequestEnergy, Whose
from gateway.ledger import Ledger
from gateway.ledger.database.beside import beside
from gateway.ledger.database.vacuum import empty_journal
from gateway.ledger.keeping.erasure import Found, Subject, erase, find
from tests.ledger.conftest import CLOUD, NOON, make_receipt, make_settlement, only_sqlite

TALK, OTHER = b"talk-one", b"talk-two"
TURN = b"t" * 16


@pytest.fixture
async def filled(ledger: Ledger) -> Ledger:
    """A ledger with requests of two keys and two users, one of which still runs."""
    for name, key, user, talk in (
        ("a", "laptop", "maria", TALK), ("b", "laptop", "jon", OTHER), ("c", "phone", "maria", TALK),
        ("d", "phone", None, None), ("e", "phone", "maria", None),
    ):  # fmt: skip
        await ledger.receive(make_receipt(name, key=key, user=user, conversation=talk, rule=f"UNIQUE-{name}-"), CLOUD)
        if name != "e":
            cloud = {"target": "big", "zone": Zone.CLOUD, "cost_micros": 100, "avoided_micros": None}
            await ledger.settle(make_settlement(name, attempts=(("home", "target_busy"),), **cloud))
            await ledger.accrue((), [RequestEnergy(request_id=name, microjoules=5)])
    await ledger.mask_remember(b"m1", b"sealed", [b"1" * 16], Whose(key="laptop", user="maria", conversation=TALK))
    await ledger.mask_remember(b"m2", b"sealed", [b"2" * 16], Whose(key="phone"))
    await ledger.taint_remember([TURN], Label.SENSITIVE)
    return ledger


def rows(ledger: Ledger, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(ledger.file) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def erased(ledger: Ledger, subject: Subject) -> Found:
    """Erase beside the open ledger, and return what was found."""
    with beside(ledger.file.parent) as connection:
        found = find(connection, subject)
        erase(ledger.database, connection, found, subject.kind, NOON)
        assert empty_journal(connection)
    return found


@only_sqlite
@pytest.mark.parametrize(
    ("subject", "gone", "masks", "running"),
    [
        (Subject(key="laptop"), {"a", "b"}, ["m2"], 0),
        (Subject(key="phone"), {"c", "d"}, ["m1"], 1),
        (Subject(users=("maria",)), {"a", "c"}, ["m2"], 1),
        (Subject(key="phone", users=("user-1", "maria")), {"c"}, ["m1", "m2"], 1),
        (Subject(conversations=frozenset({TALK})), {"a", "c"}, ["m2"], 0),
        (Subject(requests=frozenset({"b"})), {"b"}, ["m1", "m2"], 0),
        (Subject(key="nobody"), set(), ["m1", "m2"], 0),
    ],
)
async def test_all_of_somebody_goes(
    filled: Ledger, subject: Subject, gone: set[str], masks: list[str], running: int
) -> None:
    """Receipts with all that belongs to them, and what pseudonyms stood for; a request that runs is left and told."""
    found = erased(filled, subject)
    assert {name for name, _ in found.requests} == gone
    assert found.running == running
    left = {name for (name,) in rows(filled, "SELECT request_id FROM receipts")}
    assert left == {"a", "b", "c", "d", "e"} - gone
    count = len(left) - 1  # one has not ended
    for table in ("settlements", "attempts", "request_energy"):
        assert rows(filled, f"SELECT count(*) FROM {table}") == [(count,)], table
    assert rows(filled, "SELECT count(*) FROM reservations") == [(1,)]
    assert [name.decode() for (name,) in rows(filled, "SELECT name FROM masks ORDER BY name")] == masks  # type: ignore[attr-defined]
    assert rows(filled, "SELECT count(*) FROM mask_links") == [(len(masks),)]
    assert rows(filled, "SELECT what, requests FROM erasures") == [(subject.kind, len(gone))]
    files = b"".join(file.read_bytes() for file in filled.file.parent.iterdir() if "ledger" in file.name)
    for name in "abcde":
        assert (f"UNIQUE-{name}-".encode() in files) == (name not in gone), name


@only_sqlite
async def test_what_protects_and_counts_stays(filled: Ledger) -> None:
    """Budgets count on, over a restart; what was told in confidence is still known; requests go on being written."""
    before = filled.budgets()
    erased(filled, Subject(key="laptop"))
    erased(filled, Subject(key="phone"))
    await filled.receive(make_receipt("new", key="laptop"), None)
    await filled.settle(make_settlement("e"))
    await filled.settle(make_settlement("new"))
    spent = filled.budgets()
    await filled.close()
    await filled.open()
    after = filled.budgets()
    assert after["month"].spent == pytest.approx(spent["month"].spent) == pytest.approx(0.0004)
    assert after["key:laptop"].spent == pytest.approx(before["key:laptop"].spent) == pytest.approx(0.0002)
    assert await filled.taint_lookup([TURN]) == {TURN: Label.SENSITIVE}


@only_sqlite
async def test_erasing_twice_counts_once(filled: Ledger) -> None:
    """What was carried over for budgets is not added again."""
    for _ in range(2):
        erased(filled, Subject(key="laptop"))
    assert rows(filled, "SELECT sum(micros) FROM removed_spending") == [(200,)]


async def test_a_ledger_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The sentence says how one begins."""
    with pytest.raises(Exception, match="It begins with 'aduana serve'"), beside(tmp_path):
        pass

"""PostgreSQL as a place for the ledger: what it refuses, and what becomes of records when the server goes away."""

import asyncio
import contextlib
import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Zone
from gateway.core.secret import Secret
from gateway.ledger import Ledger, LedgerSettings, examine
from gateway.ledger.database.places import shared_database
from gateway.ledger.schema import VERSION
from tests.ledger.conftest import CLOUD, make_receipt, make_settlement, rows
from tests.standins.postgresql import Postgresql, running_postgresql


@pytest.fixture
def own_server() -> Iterator[Postgresql]:
    """A server that the test may stop."""
    with running_postgresql() as server:
        yield server


@pytest.fixture
async def shared(postgresql: Postgresql, tmp_path: Path) -> AsyncIterator[Ledger]:
    """An open ledger in a new schema."""
    ledger = Ledger(LedgerSettings(directory=tmp_path, database=Secret(postgresql.fresh())))
    await ledger.open()
    yield ledger
    await ledger.close()


async def healthy(ledger: Ledger) -> None:
    """Wait until receipts can be written again."""
    async with asyncio.timeout(60):
        while not ledger.health().ok:  # noqa: ASYNC110 - readiness is polled, as a load balancer does
            await asyncio.sleep(0.05)


async def test_what_is_committed_is_on_the_disk(shared: Ledger) -> None:
    """A session that would acknowledge before is told not to."""
    connection = shared.database.connect()
    assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    connection.close()


async def test_a_server_that_was_started_anew_costs_nobody_a_request(own_server: Postgresql, tmp_path: Path) -> None:
    """Stopped: nothing is admitted, and settlements wait. Started: they are written, and the next receipt too."""
    ledger = Ledger(LedgerSettings(directory=tmp_path, database=Secret(own_server.fresh())))
    await ledger.open()
    await ledger.receive(make_receipt("a"), CLOUD)
    await ledger.receive(make_receipt("b"), None)
    own_server.stop(signal.SIGQUIT)
    own_server.start()
    await ledger.receive(make_receipt("c"), None)
    assert await ledger.taint_lookup([b"x" * 16]) == {}
    own_server.stop(signal.SIGQUIT)
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        await ledger.receive(make_receipt("refused"), CLOUD)
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        await ledger.settle(make_settlement("a"))
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        await ledger.taint_lookup([b"x" * 16])
    assert not ledger.health().ok
    own_server.start()
    await healthy(ledger)
    await ledger.receive(make_receipt("d"), None)
    found = "SELECT request_id, outcome FROM receipts LEFT JOIN settlements USING (seq) ORDER BY seq"
    assert rows(ledger, found) == [("a", "ok"), ("b", None), ("c", None), ("d", None)]
    await ledger.close()


async def test_a_server_that_crashes_under_load_loses_nothing_acknowledged(
    own_server: Postgresql, tmp_path: Path
) -> None:
    """Three times: what `receive` and `settle` have returned for is there, once, and what it cost is counted once."""
    ledger = Ledger(LedgerSettings(directory=tmp_path, database=Secret(own_server.fresh())))
    await ledger.open()
    received: set[str] = set()
    settled: set[str] = set()

    numbers = itertools.count()

    async def ask(end: asyncio.Event) -> None:
        while not end.is_set():
            name = f"r{next(numbers)}"
            try:
                await ledger.receive(make_receipt(name), CLOUD)
                received.add(name)
                await ledger.settle(make_settlement(name, target="big", zone=Zone.CLOUD, cost_micros=3))
                settled.add(name)
            except LedgerUnavailable:
                await asyncio.sleep(0.01)

    for _ in range(3):
        end, before = asyncio.Event(), len(settled)
        lanes = [asyncio.ensure_future(ask(end)) for _ in range(20)]
        async with asyncio.timeout(60):
            while len(settled) < before + 20:  # noqa: ASYNC110 - under load
                await asyncio.sleep(0.01)
            await asyncio.to_thread(own_server.stop, signal.SIGQUIT)
            await asyncio.to_thread(own_server.start)
            while len(settled) < before + 60:  # noqa: ASYNC110 - and again
                await asyncio.sleep(0.01)
        end.set()
        await asyncio.gather(*lanes)
    await healthy(ledger)
    await ledger.receive(make_receipt("last"), None)
    found = "SELECT request_id, outcome, cost_micros FROM receipts LEFT JOIN settlements USING (seq)"
    ends = {name: (outcome, cost) for name, outcome, cost in rows(ledger, found)}
    assert received <= ends.keys()
    assert all(ends[name] == ("ok", 3) for name in settled)
    cost = sum(cost or 0 for _, cost in ends.values())
    assert rows(ledger, "SELECT micros FROM spent WHERE budget = 'month'") == [(cost,)]
    await ledger.close()


@pytest.mark.parametrize("durable", [True, False])
async def test_a_commit_that_was_cut_off_counts_once(shared: Ledger, postgresql: Postgresql, durable: bool) -> None:
    """The server goes away as it commits: whether a kept record is there is looked up, so it is written once.

    Its caller is told that it failed, so a receipt sends nothing, and is settled should it be there after all.
    """
    database = shared.database
    await shared.receive(make_receipt("a"), CLOUD)
    commit = database.commit

    def cut(connection):
        if durable:
            connection.run("COMMIT")
        ((pid,),) = connection.execute("SELECT pg_backend_pid()").fetchall()
        postgresql.run(f"SELECT pg_terminate_backend({pid}, 5000)")
        database.commit = commit
        commit(connection)

    database.commit = cut
    answers = await asyncio.gather(
        shared.settle(make_settlement("a", cost_micros=5)),
        shared.receive(make_receipt("b"), CLOUD),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [LedgerUnavailable] * 2
    await healthy(shared)
    await shared.receive(make_receipt("c"), None)
    found = rows(shared, "SELECT request_id, outcome, cost_micros FROM receipts LEFT JOIN settlements USING (seq)")
    left = [("b", "unknown", 500)] if durable else []
    assert sorted(found) == [("a", "ok", 5), *left, ("c", None, None)]
    spent = dict(rows(shared, "SELECT budget, micros FROM spent WHERE budget = 'month'"))
    assert spent == {"month": 505 if durable else 5}


async def test_a_gateway_that_stops_in_the_middle_keeps_others_waiting_no_longer_than_that(
    shared: Ledger, postgresql: Postgresql
) -> None:
    """While another holds the lock, a receipt is refused after a moment, and said why."""
    other = shared.database.connect()
    shared.database.begin(other)
    with pytest.raises(LedgerUnavailable, match=r"lock timeout.*Other gateways write for so long"):
        await shared.receive(make_receipt("a"), None)
    other.execute("ROLLBACK")
    other.close()
    await healthy(shared)
    await shared.receive(make_receipt("b"), None)


async def test_a_newer_or_strange_database_is_left_as_it_is(postgresql: Postgresql, tmp_path: Path) -> None:
    """Another program's tables, or those of a newer version: a clear error, and nothing is written."""
    strange = postgresql.fresh()
    with psycopg.connect(strange, autocommit=True) as connection:
        connection.execute("CREATE TABLE photos (name TEXT)")
    with pytest.raises(LedgerUnavailable, match="another program"):
        await Ledger(LedgerSettings(directory=tmp_path, database=Secret(strange))).open()
    newer = Secret(postgresql.fresh())
    ledger = Ledger(LedgerSettings(directory=tmp_path, database=newer))
    await ledger.open()
    await ledger.close()
    with psycopg.connect(newer.reveal(), autocommit=True) as connection:
        connection.execute("UPDATE aduana SET version = 99")
    with pytest.raises(LedgerUnavailable, match="newer Aduana"):
        await Ledger(LedgerSettings(directory=tmp_path, database=newer)).open()


async def test_two_that_begin_at_once_make_one_ledger(postgresql: Postgresql, tmp_path: Path) -> None:
    """Neither fails, and the tables are made once."""
    address = Secret(postgresql.fresh())
    ledgers = [Ledger(LedgerSettings(directory=tmp_path / str(number), database=address)) for number in range(4)]
    await asyncio.gather(*(ledger.open() for ledger in ledgers))
    await asyncio.gather(*(ledger.receive(make_receipt(f"r{n}"), None) for n, ledger in enumerate(ledgers)))
    assert sorted(rows(ledgers[0], "SELECT seq FROM receipts")) == [(1,), (2,), (3,), (4,)]
    await asyncio.gather(*(ledger.close() for ledger in ledgers))


async def test_it_is_looked_at_from_outside(postgresql: Postgresql, tmp_path: Path) -> None:
    """An empty database has no ledger yet; then version, size and requests are told, and where it lies."""
    address = Secret(postgresql.fresh())
    database = shared_database(address)
    assert examine(database) is None
    ledger = Ledger(LedgerSettings(directory=tmp_path, database=address))
    await ledger.open()
    await ledger.receive(make_receipt("a"), None)
    found = examine(database)
    assert found is not None
    assert (found.problem, found.version, found.requests) == ("", VERSION, 1)
    assert found.bytes > 0
    assert found.place == database.place
    await ledger.close()
    with contextlib.closing(database.reader()) as connection, pytest.raises(psycopg.Error, match="read-only"):
        connection.execute("DELETE FROM receipts")

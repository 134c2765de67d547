"""An office that outgrows its file: everything goes to PostgreSQL and proves what it proved; nothing goes by halves."""

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from gateway.accounts.keys import KeySecret, StoredKey
from gateway.app.state.memory import StateMemory
from gateway.cli import main
from gateway.core.labels import Label, Zone
from gateway.core.record import Accrual, RequestEnergy, Reservation, Whose
from gateway.core.secret import Secret
from gateway.ledger import Ledger, LedgerSettings, moving
from gateway.ledger.database.beside import alone
from gateway.ledger.database.postgresql import PostgresqlDatabase
from gateway.ledger.keys import table as keys
from gateway.ledger.schema import VERSION
from gateway.ledger.sql import Connection, Undecided
from tests.ledger.chain.house import Office
from tests.ledger.conftest import NOON, make_receipt, make_settlement
from tests.standins.postgresql import Postgresql

CENT = Reservation(target="big", zone=Zone.CLOUD, micros=10_000)
OF_THE_MOMENT = {"gateways", "open_requests", "holds", "spent", "limit_minutes", "limit_days", "limit_holds"}


class Practice:
    """An office with a configuration, whose ledger has something of each kind, and a database that it can go to."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.office = Office(folder)
        self.file = self.office.database
        self.config = folder / "aduana.yaml"
        self.config.write_text(f"state_dir: state\nledger: {{checkpoints_to: {str(self.office.file)!r}}}\n")

    async def record(self, requests: int = 12) -> "Practice":
        """Open the office's ledger as the gateway does, write all that it can have, and stop."""
        memory = StateMemory(self.office.state)
        found = memory.look()
        office = await self.office.open()
        ledger = office.ledger
        await memory.open(found, ledger, accept_loss=False)
        await office.ask(requests)
        await office.keeper.sign()
        await ledger.receive(make_receipt("paid", received_at=office.now, user="ana"), CENT)
        paid = make_settlement("paid", settled_at=office.now, target="big", zone=Zone.CLOUD, cost_micros=7_000)
        await ledger.settle(paid)
        await ledger.taint_remember([b"h" * 16, b"i" * 16], Label.SENSITIVE, frozenset({"id"}))
        await ledger.mask_remember(b"name", b"\0sealed\\", [b"h" * 16], Whose(key="laptop"))
        accrual = Accrual(
            at=office.now, device="gpu0", state="idle", source="nvml", microjoules=9, electricity_micros=-3,
            hardware_micros=4,
        )  # fmt: skip
        await ledger.accrue([accrual], [RequestEnergy(request_id="paid", microjoules=5, electricity_nanos=6)])
        memory.close()
        await office.close()
        with closing(sqlite3.connect(self.file)) as connection, connection:
            secret = KeySecret(digest=b"d" * 32, created_at=NOON)
            keys.add(connection, StoredKey(name="n8n", tags=frozenset({"office"}), created_at=NOON, secrets=(secret,)))
        return self

    def command(self, *words: str) -> list[str]:
        return [*words, "--config", str(self.config)]

    def move(self, *options: str) -> int:
        return main([*self.command("ledger", "move", "--to", self.address), *options])

    def use_database(self) -> None:
        """Change the configuration as the command says."""
        self.config.write_text(
            f"state_dir: state\nledger: {{database: {self.address!r}, checkpoints_to: {str(self.office.file)!r}}}\n"
        )

    def rows_there(self, table: str, columns: str = "*") -> list[tuple[object, ...]]:
        with psycopg.connect(self.address) as connection:
            return connection.execute(f'SELECT {columns} FROM "{table}"'.encode()).fetchall()

    def empty_there(self) -> bool:
        """Whether the database has no table of the ledger's at all."""
        with psycopg.connect(self.address) as connection:
            found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone()
        return found == (0,)


@pytest.fixture
async def practice(tmp_path: Path, postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch) -> Practice:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("ADUANA_TIMEZONE", "UTC")
    return await Practice(tmp_path, postgresql.fresh()).record()


def contents(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of a file's tables, in an order of their own."""
    with closing(sqlite3.connect(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: sorted(connection.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)
            for table in tables
            if table not in OF_THE_MOMENT
        }


def columns(file: Path, table: str) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return ", ".join(f'"{row[1]}"' for row in connection.execute(f'PRAGMA table_info("{table}")'))


def assert_same(practice: Practice) -> None:
    """The database has each row of the file, value for value, and no other."""
    for table, rows in contents(practice.file).items():
        assert sorted(practice.rows_there(table, columns(practice.file, table)), key=repr) == rows, table


def verified(practice: Practice, capsys: pytest.CaptureFixture[str]) -> str:
    """What `aduana audit verify` says with the public key that was handed out, without where the ledger lies."""
    capsys.readouterr()
    options = ["--public-key", str(practice.office.public_key), "--lang", "en"]
    assert main([*practice.command("audit", "verify"), *options]) == 0
    return capsys.readouterr().out.partition("\n")[2]


async def test_everything_is_there_and_proves_what_it_proved(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row to the byte; the auditor reads the same sentences before and after; the file is as it was."""
    before, file = verified(practice, capsys), practice.file.read_bytes()
    used = contents(practice.file)
    for table in ("receipts", "settlements", "taint", "masks", "mask_links", "api_keys", "api_key_secrets", "energy",
                  "request_energy", "checkpoints", "chain_salts", "state", "attempts"):  # fmt: skip
        assert used[table] or table == "attempts", f"the office has nothing in {table}, so this test shows nothing"
    assert practice.move() == 0
    said = capsys.readouterr()
    assert "13 requests" in said.out
    assert "the chain ends with the same link" in said.out
    assert f'database: "{practice.address}"' in said.out
    assert said.err == "", "no progress where nobody looks"
    assert_same(practice)
    assert practice.file.read_bytes() == file
    practice.use_database()
    assert verified(practice, capsys) == before


async def test_the_next_start_knows_its_state(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """No loss is told, nothing has to be accepted; conversations, money and numbers go on where they were."""
    assert practice.move() == 0
    state = practice.office.state
    settings = LedgerSettings(directory=state, database=Secret(practice.address), timezone="UTC", month_limit_usd=0.016)
    ledger = Ledger(settings, wall=lambda: NOON + 3600)
    memory = StateMemory(state, shared=True)
    found = memory.look()
    await ledger.open()
    await memory.open(found, ledger, accept_loss=False)
    assert memory.problem is None
    assert ledger.orphans == 0
    assert await ledger.taint_lookup([b"h" * 16]) == {b"h" * 16: Label.SENSITIVE}
    mask = await ledger.mask_lookup([b"h" * 16])
    assert mask is not None
    assert mask.sealed == b"\0sealed\\"
    assert [key.name for key in await ledger.stored_keys()] == ["n8n"]
    assert ledger.budgets()["month"].spent == pytest.approx(0.007)
    assert await ledger.receive(make_receipt("next", received_at=NOON + 3600), CENT) == "month", "0.7 of 1.6 cents"
    await ledger.settle(make_settlement("next", settled_at=NOON + 3601))
    memory.close()
    await ledger.close()
    assert practice.rows_there("receipts", "max(seq)") == [(14,)]
    practice.use_database()
    assert main([*practice.command("audit", "verify"), "--lang", "en"]) in (0, 3)  # 3: a request since the checkpoint
    assert main(practice.command("ledger", "verify")) == 0
    capsys.readouterr()


async def test_numbers_that_the_database_gives_go_on(practice: Practice) -> None:
    """An erasure behind the move has the number behind the last one's."""
    practice.use_database()
    with closing(sqlite3.connect(practice.file)) as connection, connection:
        connection.execute("INSERT INTO erasures VALUES (41, 1.5, 'key', 3)")
    assert main(practice.command("ledger", "move")) == 0
    assert main([*practice.command("ledger", "erase", "--key", "laptop", "--yes")]) == 0
    assert sorted(practice.rows_there("erasures", "number")) == [(41,), (42,)]


async def test_what_a_crash_cut_off_is_settled_there(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """Once, at its upper estimate, as the next start on the file would have; the chain stays whole."""
    ledger = Ledger(LedgerSettings(directory=practice.office.state, timezone="UTC"), wall=lambda: NOON + 3600)
    await ledger.open()
    await ledger.receive(make_receipt("cut", received_at=NOON + 3600), CENT)
    await ledger.close()
    assert practice.move() == 0
    assert "1 requests that a crash had cut off" in capsys.readouterr().out
    with psycopg.connect(practice.address) as connection:
        query = "SELECT outcome, cost_micros FROM settlements JOIN receipts USING (seq) WHERE request_id = 'cut'"
        assert connection.execute(query).fetchall() == [("unknown", 10_000)]
    practice.use_database()
    assert main(practice.command("ledger", "verify")) == 0


@pytest.mark.parametrize("table", ["receipts", "chain_links", "energy"])
async def test_kill_9_in_the_middle_leaves_the_database_empty(practice: Practice, table: str) -> None:
    """And the same command then moves all of it."""
    command = [sys.executable, "-c", STOPPING, table, *practice.command("ledger", "move", "--to", practice.address)]
    mover = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert mover.stdout is not None
    async with asyncio.timeout(60):
        assert await mover.stdout.readline() == b"in the middle\n"
        mover.send_signal(signal.SIGKILL)
        await mover.wait()
        while not practice.empty_there():  # noqa: ASYNC110 - the server still ends the transaction
            await asyncio.sleep(0.02)
    assert practice.move() == 0
    assert_same(practice)


STOPPING = """
import sys, time
from gateway.cli import main
from gateway.ledger import moving

copied = moving._copied

def stopping(source, filling, table):
    yield from copied(source, filling, table)
    if table == sys.argv[1]:
        print("in the middle", flush=True)
        time.sleep(600)

moving._copied = stopping
main(sys.argv[2:])
"""


async def test_a_server_that_was_gone_at_the_end_is_asked_what_it_has(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed: it is done. Not committed: nothing is there, and the command says so."""
    commit = PostgresqlDatabase.commit

    def cut_off(self: PostgresqlDatabase, connection: Connection) -> None:
        transaction = connection.execute("SELECT pg_current_xact_id()::text").fetchone()[0]
        if committed:
            commit(self, connection)
        raise Undecided(transaction, psycopg.OperationalError("the server has gone away"))

    monkeypatch.setattr(PostgresqlDatabase, "commit", cut_off)
    committed = False
    assert practice.move() == 2
    assert practice.empty_there()
    committed = True
    assert practice.move() == 0
    assert_same(practice)


async def test_a_second_move_finds_everything_there(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """Also when gateways have gone on in the database; nothing is written twice."""
    assert practice.move() == 0
    ledger = Ledger(LedgerSettings(directory=practice.folder / "two", database=Secret(practice.address)))
    await ledger.open()
    await ledger.receive(make_receipt("later"), None)
    await ledger.close()
    capsys.readouterr()
    assert practice.move() == 0
    assert "has all records" in capsys.readouterr().out
    assert practice.rows_there("receipts", "count(*)") == [(14,)]


async def test_a_gateway_that_runs_is_not_moved(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """What it would write meanwhile would be missing."""
    with alone(practice.office.state) as held:
        assert held
        assert practice.move() == 2
    assert "Stop it first" in capsys.readouterr().err
    assert practice.empty_there()


async def test_a_command_that_writes_meanwhile_undoes_the_move(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that is made, or a user who is erased, while the rows are on their way would be forgotten there."""
    same = moving._same

    def revoked_meanwhile(*args: object) -> object:
        with closing(sqlite3.connect(practice.file)) as connection, connection:
            keys.revoke(connection, "n8n", NOON)
        return same(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(moving, "_same", revoked_meanwhile)
    assert practice.move() == 2
    assert "run this again" in capsys.readouterr().err
    assert practice.empty_there()
    monkeypatch.undo()


async def test_a_ledger_that_is_there_stays(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """Another gateway's records, and another program's tables."""
    ledger = Ledger(LedgerSettings(directory=practice.folder / "two", database=Secret(practice.address)))
    await ledger.open()
    await ledger.receive(make_receipt("theirs"), None)
    await ledger.close()
    assert practice.move() == 2
    assert "is not empty" in capsys.readouterr().err
    assert practice.rows_there("receipts", "request_id") == [("theirs",)]


async def test_tables_of_another_program_stay(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """They are told from an empty database."""
    with psycopg.connect(practice.address) as connection:
        connection.execute("CREATE TABLE customers (name text)")
    assert practice.move() == 2
    assert "another program" in capsys.readouterr().err
    assert practice.rows_there("pg_tables", "tablename") != []
    assert practice.rows_there("customers") == []


@pytest.mark.parametrize(("version", "advice"), [(VERSION - 1, "aduana serve"), (VERSION + 1, "install the newer")])
async def test_another_versions_file_is_not_moved(
    practice: Practice, version: int, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An older one is brought up to date by its gateway first."""
    with closing(sqlite3.connect(practice.file)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    assert practice.move() == 2
    assert advice in capsys.readouterr().err
    assert practice.empty_there()


async def test_a_loss_is_not_moved_away(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """In the database nobody would notice any more that the file is an older copy, or that the key is gone."""
    (practice.office.state / "taint.key").unlink()
    assert practice.move() == 2
    assert "taint.key" in capsys.readouterr().err
    assert practice.empty_there()


@pytest.mark.parametrize(
    ("options", "said"),
    [((), "--to"), (("--to", "postgresql://u:secret@h/d"), "password"), (("--to", "mysql://h"), "postgresql://")],
)
async def test_a_place_that_is_none(
    practice: Practice, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What to write instead is said, and a password is not repeated."""
    assert main([*practice.command("ledger", "move"), *options]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "secret" not in err

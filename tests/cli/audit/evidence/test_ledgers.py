"""Whatever an auditor has in hand is verified: a file, an older one, a backup, a database that gateways share."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.app.state.memory import StateMemory
from gateway.cli import main
from gateway.cli.audit.evidence import ledgers
from gateway.core.secret import Secret
from gateway.ledger import schema
from gateway.ledger.chain.signing import Signer, public_pem
from tests.ledger.chain.house import Office, recorded
from tests.standins.postgresql import Postgresql


async def test_two_gateways_write_one_chain(
    tmp_path: Path, postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With both public keys all of it is proved, there and from a copy in a file; what is changed there is found."""
    address = postgresql.fresh()
    monkeypatch.setenv("LEDGER_ADDRESS", address)
    monkeypatch.chdir(tmp_path)
    one = await Office(tmp_path, "one", address=Secret(address)).open()
    other = await Office(tmp_path, "other", address=Secret(address)).open()
    for office in (one, other, one):
        await office.ask(3)
        await office.keeper.sign()
    await other.close()
    await one.close()
    config = tmp_path / "aduana.yaml"
    config.write_text(
        "state_dir: one\nledger: {database: 'env:LEDGER_ADDRESS', checkpoints_to: elsewhere/aduana.checkpoints}\n"
    )
    keys = ["--public-key", str(one.public_key), "--public-key", str(other.public_key), "--lang", "en"]
    verify = ["audit", "verify", "--config", str(config), *keys]
    assert main([*verify, "--tag", "patient"]) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "All of it is proved." in said
    assert "(3 of them)" in said
    assert main(["audit", "report", "--config", str(config), *keys]) == 0
    assert main(["audit", "copy", "--config", str(config), "--output", "copy.sqlite3"]) == 0
    assert main(["audit", "verify", "copy.sqlite3", *keys, "--checkpoints", str(one.file)]) == 0
    schema = address.rpartition("%3D")[2]
    postgresql.run(f"UPDATE {schema}.settlements SET zone = 'local' WHERE zone = 'cloud'")
    capsys.readouterr()
    assert main(verify) == 1
    assert "Where a request went was changed" in capsys.readouterr().out


async def test_a_ledger_of_an_older_version_stays_provable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was copied last year is verified by this year's program, and is not changed by it."""
    office = await recorded(tmp_path, 6, every=3)
    before = office.database.read_bytes()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE of_next_year (one INTEGER);"))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(ledgers, "VERSION", schema.VERSION)
    options = ["--public-key", str(office.public_key), "--checkpoints", str(office.file), "--lang", "en"]
    assert main(["audit", "verify", str(office.database), *options]) == 0, capsys.readouterr().out
    assert office.database.read_bytes() == before


def test_a_ledger_from_before_the_chain_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no forgery: that version signed nothing."""
    file = tmp_path / "ledger.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        steps = "".join(schema.MIGRATIONS[:6])
        connection.executescript(f"PRAGMA application_id = {schema.APPLICATION_ID};{steps}PRAGMA user_version = 6;")
    key = tmp_path / "key.pub"
    key.write_text(public_pem(Signer(bytes(32)).public))
    assert main(["audit", "verify", str(file), "--public-key", str(key)]) == 2
    assert "which signed nothing" in capsys.readouterr().err


async def test_a_backup_is_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one that lies where there is nothing else."""
    office = await recorded(tmp_path, 6, every=3)
    memory = StateMemory(office.state)
    found = memory.look()
    await office.ledger.open()
    await memory.open(found, office.ledger, accept_loss=True)
    memory.close()
    await office.ledger.close()
    config = tmp_path / "aduana.yaml"
    config.write_text(f"state_dir: {office.state}\n")
    assert main(["backup", "--config", str(config), "--to", str(tmp_path / "backup.tar.gz")]) == 0
    options = ["--public-key", str(office.public_key), "--checkpoints", str(office.file), "--lang", "en"]
    capsys.readouterr()
    assert main(["audit", "verify", str(tmp_path / "backup.tar.gz"), *options]) == 0
    assert "All of it is proved." in capsys.readouterr().out

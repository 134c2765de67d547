"""What the clinic hands out: a copy of the ledger without what proves nothing, the public key, the checkpoints."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.core.labels import Label
from gateway.core.secret import Secret
from tests.ledger.chain.house import Office, recorded
from tests.standins.postgresql import Postgresql


def configured(office: Office) -> list[str]:
    """Return the options that name the office's configuration, which has its file of checkpoints."""
    config = office.state.parent / "aduana.yaml"
    config.write_text("state_dir: state\nledger: {checkpoints_to: elsewhere/aduana.checkpoints}\n")
    return ["--config", str(config)]


async def test_a_copy_verifies_on_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the key and the file that were handed out, also from a folder where nothing can be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C")
    office = await Office(tmp_path).open()
    await office.ask(6)
    await office.ledger.taint_remember([b"h" * 32], Label.SENSITIVE)
    await office.close()
    away = tmp_path / "away"
    away.mkdir()
    options = configured(office)
    assert main(["audit", "key", *options, "--output", str(away / "aduana.pub")]) == 0
    assert main(["audit", "copy", *options, "--output", str(away / "ledger.sqlite3")]) == 0
    assert main(["audit", "copy", *options, "--output", str(away / "ledger.sqlite3")]) == 2  # nothing is overwritten
    shutil.copy(office.file, away)
    office.state.rename(tmp_path / "gone")
    with closing(sqlite3.connect(away / "ledger.sqlite3")) as copied:
        assert copied.execute("SELECT count(*) FROM taint").fetchone() == (0,)
    away.chmod(0o500)
    capsys.readouterr()
    files = ["--public-key", str(away / "aduana.pub"), "--checkpoints", str(away / office.file.name)]
    assert main(["audit", "verify", str(away / "ledger.sqlite3"), *files]) == 0
    assert "All of it is proved." in capsys.readouterr().out
    away.chmod(0o700)


async def test_the_gateways_own_place_needs_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ledger, key and file come from the configuration; the checkpoints that the ledger has are those of the file."""
    monkeypatch.chdir(tmp_path)
    office = await recorded(tmp_path, 6, every=3)
    options = configured(office)
    assert main(["audit", "verify", *options, "--lang", "en"]) == 0
    assert "All of it is proved." in capsys.readouterr().out
    assert main(["audit", "checkpoints", *options]) == 0
    assert capsys.readouterr().out == office.file.read_text()
    office.file.write_text("")
    assert main(["audit", "verify", *options, "--lang", "en"]) == 3
    assert "No checkpoint covers this ledger" in capsys.readouterr().out


async def test_a_ledger_in_a_database_is_verified_and_copied_like_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgresql: Postgresql
) -> None:
    """The copy is a file with what proves something, which an auditor verifies without the database."""
    monkeypatch.chdir(tmp_path)
    address = postgresql.fresh()
    office = await Office(tmp_path, address=Secret(address)).open()
    await office.ask(6)
    await office.ledger.taint_remember([b"h" * 32], Label.SENSITIVE)
    await office.close()
    config = tmp_path / "aduana.yaml"
    config.write_text(f"state_dir: state\nledger: {{database: {address!r}, checkpoints_to: {str(office.file)!r}}}\n")
    options = ["--config", str(config)]
    assert main(["audit", "verify", *options, "--lang", "en"]) == 0
    assert "All of it is proved." in capsys.readouterr().out
    assert main(["audit", "checkpoints", *options]) == 0
    assert capsys.readouterr().out == office.file.read_text()
    copy = tmp_path / "away.sqlite3"
    assert main(["audit", "copy", *options, "--output", str(copy)]) == 0
    assert copy.stat().st_mode & 0o077 == 0
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT count(*) FROM receipts").fetchone() == (6,)
    assert connection.execute("SELECT count(*) FROM taint").fetchone() == (0,)
    connection.close()
    files = ["--public-key", str(office.public_key), "--checkpoints", str(office.file), "--lang", "en"]
    assert main(["audit", "verify", str(copy), *files]) == 0
    postgresql.run(f"DELETE FROM {address.rpartition('%3D')[2]}.receipts WHERE seq = 6")
    assert main(["audit", "verify", *options]) == 1


@pytest.mark.parametrize("wrong", [["--period", "2026-Q5"], ["--from", "yesterday"], ["--to", "2026-02-30"]])
async def test_a_period_that_is_none(wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused in a sentence that says how to write one."""
    office = await recorded(tmp_path, 1, every=1)
    assert main(["audit", "verify", str(office.state), *wrong]) == 2
    assert "2026-Q3" in capsys.readouterr().err

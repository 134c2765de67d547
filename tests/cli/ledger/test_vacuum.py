"""The file becomes small, whether a gateway runs or not."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.ledger import Ledger, LedgerSettings
from tests.cli.ledger.conftest import only_sqlite
from tests.ledger.conftest import make_receipt, make_settlement


def aduana(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody would."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        timeout=60,
    )


@only_sqlite
async def test_as_a_program(office: Path, tmp_path: Path) -> None:
    """With another process that has the ledger open: checked, copied out, erased, made smaller."""
    ledger = Ledger(LedgerSettings(directory=office))
    await ledger.open()
    try:
        for number in range(600):
            await ledger.refuse(
                make_receipt(f"x{number}", key="batch", facts=b"{" + b" " * 50 + b"}", model="m" * 1000),
                make_settlement(f"x{number}"),
            )
        erased = aduana("ledger", "erase", "--key", "batch", "--yes")
        assert (erased.returncode, "requests: 600" in erased.stdout) == (0, True), erased
        before = (office / "ledger.sqlite3").stat().st_size
        made_smaller = aduana("ledger", "vacuum")
        assert made_smaller.returncode == 0, made_smaller
        assert (office / "ledger.sqlite3").stat().st_size < before / 2
        await ledger.receive(make_receipt("after"), None)
        await ledger.settle(make_settlement("after"))
        assert aduana("ledger", "verify").returncode == 0
        assert len(aduana("ledger", "export").stdout.splitlines()) == 7
    finally:
        await ledger.close()
    with sqlite3.connect(office / "ledger.sqlite3") as database:
        database.execute("UPDATE receipts SET label = 2")
        database.execute("UPDATE settlements SET zone = 'cloud'")
    database.close()
    found = aduana("ledger", "verify", "--json")
    assert (found.returncode, json.loads(found.stdout)["ok"]) == (1, False)


@only_sqlite
async def test_a_file_of_an_older_version_shrinks_once_the_gateway_is_stopped(
    office: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a gateway the sentence says to stop it, and nothing changes; afterwards it may run."""
    with sqlite3.connect(office / "ledger.sqlite3") as database:
        database.execute("PRAGMA auto_vacuum = NONE")
        database.execute("VACUUM")
    database.close()
    ledger = Ledger(LedgerSettings(directory=office))
    await ledger.open()
    assert main(["ledger", "vacuum"]) == 2
    assert "Stop the gateway" in capsys.readouterr().err
    await ledger.close()
    assert main(["ledger", "vacuum"]) == 0
    await ledger.open()
    assert main(["ledger", "vacuum"]) == 0
    await ledger.close()


@pytest.mark.parametrize("action", ["verify", "export", "erase", "vacuum"])
async def test_where_there_is_none(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence says how a ledger begins, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADUANA_STATE_DIR", str(tmp_path / "none"))
    assert main(["ledger", action, *(["--key", "ana", "--yes"] if action == "erase" else [])]) == 2
    assert "It begins with 'aduana serve'" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()

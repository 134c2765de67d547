"""`aduana audit verify` as an auditor runs it: on another machine, offline, with the public key alone."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.ledger.chain import forget
from tests.ledger.chain.house import TAMPERINGS, Office, delete, recorded, tamper

ROOT = Path(__file__).resolve().parents[4]


def verify(office: Office, *more: str, place: Path | None = None, lang: str = "en") -> tuple[int, str]:
    """Run the command with a copy of the ledger, and return its status and what it printed."""
    copy = office.state.parent / "auditor"
    if place is None:
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        shutil.copy(office.database, copy)
        place = copy / office.database.name
    options = ["--public-key", str(office.public_key), "--checkpoints", str(office.file), "--timezone", "UTC"]
    return run(office, str(place), *options, "--lang", lang, *more)


def run(office: Office, *arguments: str) -> tuple[int, str]:
    """Run the command, and return its status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "audit", "verify", *arguments],
        capture_output=True,
        text=True,
        cwd=office.state.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "HOME": str(office.state.parent)},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


async def test_a_whole_record_is_proved(tmp_path: Path) -> None:
    """Status 0, and in either language the sentences that a clinic needs."""
    office = await recorded(tmp_path)
    code, said = verify(office, "--tag", "patient", "--label", "sensitive", "--period", "2026-11-23")
    assert (code, "nothing is proved after it" in said) == (3, True)  # the day is not over at the last checkpoint
    code, said = verify(office, "--tag", "patient", "--label", "sensitive")
    assert code == 0, said
    assert "No request labelled sensitive had a cloud among its permitted targets" in said
    assert "No request tagged patient had a cloud among its permitted targets" in said
    assert "Nothing was removed or changed up to the checkpoint of 2026-11-23 12:30" in said
    code, said = verify(office, lang="es")
    assert (code, "Todo queda demostrado." in said) == (0, True)
    code, said = verify(office, "--json")
    assert (code, json.loads(said)["standing"], json.loads(said)["requests"]) == (0, "proved", 30)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("one field changed", "The receipt r7 of 2026-11-23 12:07 was changed"),
        ("a row removed from the middle", "A receipt of 2026-11-23 12:12 was removed"),
        ("the newest 10 deleted and the chain recomputed", "covers more links than the ledger has, by 20"),
        ("a settlement rewritten", "Where a request went was changed: its settlement of 2026-11-23 12:06"),
    ],
)
async def test_tampering_is_said(tmp_path: Path, name: str, sentence: str) -> None:
    """Status 1, and a sentence that says what was done and when."""
    office = await recorded(tmp_path)
    TAMPERINGS[name][0](office)
    code, said = verify(office)
    assert (code, sentence in said) == (1, True), said


async def test_a_truncated_file_of_checkpoints_is_said(tmp_path: Path) -> None:
    """What its last line covers is proved, and plainly nothing after it."""
    office = await recorded(tmp_path)
    office.file.write_text(office.file.read_text().splitlines(keepends=True)[0] + '{"aduana": "check')
    code, said = verify(office, "--from", "2026-11-23", "--to", "2026-11-23")
    assert code == 3
    assert "The last checkpoint is from 2026-11-23 12:10: nothing is proved after it. Later requests: 20." in said
    assert "The ledger itself has a newer checkpoint than the file" in said
    delete(office, "seq > 10", recompute=True)  # and this is what it can't find out, as it said
    tamper(office.database, "DELETE FROM checkpoints WHERE place > 1")
    assert verify(office)[0] == 0


async def test_another_keys_checkpoints_prove_nothing(tmp_path: Path) -> None:
    """An auditor who holds another public key is told so."""
    office = await recorded(tmp_path)
    (tmp_path / "elsewhere2").mkdir()
    other = await recorded(tmp_path / "elsewhere2", 3)
    office.public_key.write_bytes(other.public_key.read_bytes())
    code, said = verify(office)
    assert (code, "None of the checkpoints (3) is signed by this key" in said) == (1, True)


async def test_without_a_file_from_elsewhere_it_is_the_ledgers_own_word(tmp_path: Path) -> None:
    """In its own place the command finds key and checkpoints itself, and says how little they prove."""
    office = await recorded(tmp_path)
    code, said = run(office, str(office.state), "--lang", "en")
    assert (code, "The checkpoints come from the ledger itself" in said) == (3, True)


async def test_what_was_erased_may_have_had_any_tag(tmp_path: Path) -> None:
    """It is not said that there was no such request; that none of the erased ones could leave is."""
    office = await recorded(tmp_path)
    connection = sqlite3.connect(office.database)
    patients = [seq for (seq,) in connection.execute("SELECT seq FROM receipts WHERE tags LIKE '%patient%'")]
    connection.execute("PRAGMA foreign_keys = ON")
    forget(connection, patients, at=office.now)
    connection.execute("DELETE FROM receipts WHERE tags LIKE '%patient%'")
    connection.commit()
    connection.close()
    _, said = verify(office, "--tag", "patient")
    said = " ".join(said.split())
    assert "There was no request tagged patient" not in said
    assert "No request tagged patient is on record" in said
    assert f"Of the requests that are erased by now, {len(patients)} had no cloud among their permitted targets" in said

"""`verify` finds what a ledger must never have, and says nothing of a ledger in use."""

import sqlite3
from pathlib import Path

import pytest

from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.database.beside import beside
from gateway.ledger.reading.verification import verify
from tests.ledger.packing.test_facts import fill


def failed(folder: Path) -> dict[str, str]:
    """Return what is not as it should be."""
    with beside(folder, write=False) as connection:
        return {check.name: check.detail for check in verify(connection) if not check.ok}


async def test_a_ledger_in_use_is_well(tmp_path: Path) -> None:
    """While a gateway has it open, too."""
    await fill(tmp_path, 5)
    assert failed(tmp_path) == {}
    ledger = Ledger(LedgerSettings(directory=tmp_path))
    await ledger.open()
    assert failed(tmp_path) == {}
    await ledger.close()


@pytest.mark.parametrize(
    ("harm", "name", "told"),
    [
        ("DELETE FROM receipts WHERE seq = 2", "links", "settlements row 2"),
        ("DELETE FROM receipts WHERE seq = 2", "settlements", "1 settlements have no receipt"),
        ("UPDATE receipts SET label = 2 WHERE seq = 3; UPDATE settlements SET zone = 'cloud'", "sensitive requests",
         f"1 were answered by a cloud: req_{2:024x}"),
        ("UPDATE receipts SET facts = substr(facts, 1, 30) WHERE seq = 4", "facts", "can't be read: rows 4"),
        ("DELETE FROM fact_patterns", "facts", "can't be read"),
        ("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'settlements_settled_at'", "file", ""),
    ],
)  # fmt: skip
async def test_what_must_not_be_is_told(tmp_path: Path, harm: str, name: str, told: str) -> None:
    """By the name of the promise, with the rows."""
    await fill(tmp_path, 5)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite3")
    connection.executescript(f"PRAGMA foreign_keys = OFF; {harm}")
    connection.commit()
    connection.close()
    assert told in failed(tmp_path)[name]

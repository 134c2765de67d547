"""A look at a ledger from outside, as `aduana check` and `aduana doctor` take it."""

import sqlite3
from pathlib import Path

from gateway.ledger import FILE_NAME, examine
from gateway.ledger.schema import VERSION
from tests.cli.house import fill


async def test_a_ledger_that_is_whole(tmp_path: Path) -> None:
    """Its size, requests and schema are told; with few requests nothing is said about growth, which would mislead."""
    assert examine(tmp_path) is None
    await fill(tmp_path)
    found = examine(tmp_path)
    assert found is not None
    assert (found.problem, found.version, found.checked) == ("", VERSION, True)
    assert found.bytes == (tmp_path / FILE_NAME).stat().st_size
    assert 0 < found.requests < 100
    assert found.newest_bytes is None
    assert found.full_in_days(10**9) is None
    quick = examine(tmp_path, check_bytes=1)
    assert quick is not None
    assert not quick.checked


async def test_a_ledger_of_a_newer_version(tmp_path: Path) -> None:
    """It is named, as a start would, and nothing is written."""
    await fill(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    found = examine(tmp_path)
    assert found is not None
    assert "was written by a newer Aduana" in found.problem


async def test_a_damaged_page_is_found(tmp_path: Path) -> None:
    """Where whole pages are overwritten, the whole file is looked at, and the sentence says how to save most of it."""
    await fill(tmp_path)
    file = tmp_path / FILE_NAME
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(file.read_bytes())
    content[4096 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4096)
    file.write_bytes(content)
    found = examine(tmp_path)
    assert found is not None
    assert ".recover" in found.problem

"""Reports never change a ledger, also not to bring it up to date."""

import sqlite3

import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.ledger import Reader
from gateway.ledger.ledger import FILE_NAME
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS


def test_an_older_ledger_is_named_and_left_as_it_is(tmp_path):
    """The message says what to do; the file keeps its schema."""
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript(f"PRAGMA application_id = {APPLICATION_ID};{MIGRATIONS[0]}PRAGMA user_version = 1;")
    connection.close()
    with pytest.raises(LedgerUnavailable, match="Start the gateway once"), Reader(tmp_path) as reader:
        reader.total(0, 1)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()

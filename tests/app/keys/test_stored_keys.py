"""Keys that commands made, as a start and a policy see them before the ledger is open."""

from pathlib import Path

import msgspec
import pytest

from gateway.accounts.keys import KeySecret, StoredKey
from gateway.app.keys.stored_keys import database_for, secret_digest, stored_keys, with_keys
from gateway.app.preflight.network import exposure
from gateway.core.errors import ConfigurationError
from gateway.ledger.keys import table
from gateway.ledger.keys.beside import changing
from gateway.settings import Settings

N8N = StoredKey(name="n8n", tags=frozenset({"office"}), secrets=(KeySecret(digest=b"1" * 32, created_at=1.0),))


def settings_in(folder: Path, **sections: object) -> Settings:
    """Return a configuration with its state in this folder."""
    return Settings(state_dir=folder / "state", **sections)


def test_a_key_by_command_is_enough_to_be_reached_by_others(tmp_path: Path) -> None:
    """A gateway that other machines can reach wants a key; one that a command made will do."""
    settings = settings_in(tmp_path, server={"host": "0.0.0.0"})
    assert ["no 'keys' are configured" in problem for problem in exposure(settings)] == [True]
    secret_digest(settings)
    with changing(database_for(settings)) as connection:
        table.add(connection, N8N)
    assert list(exposure(settings)) == []


def test_policies_may_name_keys_of_both_kinds(tmp_path: Path) -> None:
    """A name of the configuration keeps its own tags; any other is that of a key which a command made."""
    settings = settings_in(tmp_path, keys={"desk": {"secret": "env:DESK", "tags": ["private"]}})
    taken = msgspec.structs.replace(N8N, name="desk")
    catalog = with_keys(settings.catalog(), [N8N, taken], settings)
    assert catalog.keys == {"desk", "n8n"}
    assert catalog.tags_of_keys == {"desk": frozenset({"private"}), "n8n": frozenset({"office"})}


def test_keys_of_a_state_directory_have_one_digest(tmp_path: Path) -> None:
    """The digest is made with the directory's own secret: the same every time, and another one elsewhere."""
    settings = settings_in(tmp_path)
    first = secret_digest(settings).of("adu")
    assert secret_digest(settings).of("adu") == first
    assert secret_digest(settings_in(tmp_path / "other")).of("adu") != first
    assert stored_keys(settings) == ()
    for file in (settings.state_dir, settings.state_dir / "taint.key", settings.state_dir / "ledger.sqlite3"):
        assert file.stat().st_mode & 0o077 == 0


def test_a_directory_that_has_lost_something_gets_no_key(tmp_path: Path) -> None:
    """Where the ledger is gone and its secret is there, a command makes no empty ledger in its place."""
    settings = settings_in(tmp_path)
    secret_digest(settings)
    (settings.state_dir / "ledger.sqlite3").unlink()
    with pytest.raises(ConfigurationError, match="The ledger is missing"):
        secret_digest(settings)
    assert not (settings.state_dir / "ledger.sqlite3").exists()

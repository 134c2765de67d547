"""API keys in the ledger's database: kept by digests, and changed beside a running gateway."""

import sqlite3
from contextlib import closing

import msgspec
import pytest

from gateway.accounts.keys import KeySecret, StoredKey
from gateway.core.errors import BadRequest, LedgerUnavailable
from gateway.core.limits import Limits
from gateway.ledger import Ledger
from gateway.ledger.database.sqlite import SqliteDatabase
from gateway.ledger.keys import table
from gateway.ledger.keys.beside import changing, ready
from gateway.ledger.lock import OwnerLock
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS
from tests.ledger.conftest import make_receipt, only_sqlite

N8N = StoredKey(
    name="n8n",
    user="Ana",
    tags=frozenset({"office", "acme"}),
    models=frozenset({"auto"}),
    metrics=True,
    front_end=True,
    limits=Limits(usd_month=5.0, requests_per_minute=60, parallel=2),
    created_at=100.0,
    expires_at=900.5,
    secrets=(KeySecret(digest=b"1" * 32, created_at=100.0),),
)


async def test_a_key_comes_back_as_it_was_made(ledger):
    """Everything about a key is kept, and a running gateway sees that there was a change."""
    before = await ledger.key_changes()
    with changing(ledger.database) as connection:
        table.add(connection, N8N)
    assert await ledger.stored_keys() == (N8N,)
    assert await ledger.key_changes() != before


async def test_a_name_is_given_once(ledger):
    """A second key of a name is refused, also after the first was revoked: what it left must not pass to another."""
    with changing(ledger.database) as connection:
        table.add(connection, N8N)
        table.revoke(connection, "n8n", 200.0)
    again = msgspec.structs.replace(N8N, secrets=(KeySecret(digest=b"2" * 32, created_at=300.0),))
    with pytest.raises(BadRequest, match="another name"), changing(ledger.database) as connection:
        table.add(connection, again)
    (kept,) = await ledger.stored_keys()
    assert (kept.revoked_at, kept.secrets) == (200.0, N8N.secrets)


async def test_a_rotation_ends_the_old_secret_at_its_time_or_sooner(ledger):
    """Each further secret shortens the time of those before it, and never lengthens it."""
    with changing(ledger.database) as connection:
        table.add(connection, N8N)
        table.rotate(connection, "n8n", KeySecret(digest=b"2" * 32, created_at=110.0), 150.0)
        table.rotate(connection, "n8n", KeySecret(digest=b"3" * 32, created_at=120.0), 400.0)
    (kept,) = await ledger.stored_keys()
    assert [one.ends_at for one in kept.secrets] == [150.0, 400.0, None]


async def test_what_a_key_may_do_is_changed_and_its_secrets_stay(ledger):
    """A change of rights, limits or end touches neither the key's secrets nor its name and age."""
    changed = StoredKey(name="n8n", admin=True, limits=Limits(parallel=1), created_at=100.0, secrets=N8N.secrets)
    with changing(ledger.database) as connection:
        table.add(connection, N8N)
        table.change(connection, changed)
    assert await ledger.stored_keys() == (changed,)


async def test_what_fails_half_way_leaves_nothing(ledger):
    """A change is whole or not at all, and a gateway writes its receipts before, between and after."""
    await ledger.receive(make_receipt("r1"), None)
    with pytest.raises(RuntimeError), changing(ledger.database) as connection:
        table.add(connection, N8N)
        raise RuntimeError
    assert await ledger.stored_keys() == ()
    await ledger.receive(make_receipt("r2"), None)
    with changing(ledger.database) as connection:
        table.add(connection, N8N)
    await ledger.receive(make_receipt("r3"), None)


@only_sqlite
async def test_a_ledger_is_made_for_the_first_key(settings):
    """Before the first start a command makes the database, for its owner alone; the gateway then opens it."""
    ready(SqliteDatabase(settings.directory), settings.directory)
    with changing(SqliteDatabase(settings.directory)) as connection:
        table.add(connection, N8N)
    assert (settings.directory / "ledger.sqlite3").stat().st_mode & 0o077 == 0
    ledger = Ledger(settings)
    await ledger.open()
    assert [key.name for key in await ledger.stored_keys()] == ["n8n"]
    await ledger.close()


@only_sqlite
async def test_an_older_database_is_left_alone_while_its_gateway_runs(settings):
    """A command of a newer version does not change the tables under a gateway of an older one."""
    settings.directory.mkdir()
    with closing(sqlite3.connect(settings.directory / "ledger.sqlite3")) as old:
        old.executescript(f"PRAGMA application_id = {APPLICATION_ID};{MIGRATIONS[0]}PRAGMA user_version = 1;")
    running = OwnerLock(settings.directory)
    running.take()
    with pytest.raises(LedgerUnavailable, match="Another gateway"):
        ready(SqliteDatabase(settings.directory), settings.directory)
    running.release()
    ready(SqliteDatabase(settings.directory), settings.directory)
    with changing(SqliteDatabase(settings.directory)) as connection:
        assert table.everything(connection) == ()

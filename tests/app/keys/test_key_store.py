"""API keys whose secrets change while the gateway runs."""

import asyncio
import contextlib
from functools import partial
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.accounts.keys import KeySecret, StoredKey
from gateway.accounts.secrets import SecretDigest
from gateway.app.keys.key_store import KeyStore
from gateway.app.room_settings import key_secrets
from gateway.core.errors import ConfigurationError, LedgerUnavailable, Unauthorized
from gateway.core.request import Caller
from gateway.settings import Settings

DIGEST = SecretDigest(b"k" * 32)


def settings_with(folder: Path, **secrets: str) -> Settings:
    """Return a configuration with keys of these names, each with its secret in a file."""
    for name, secret in secrets.items():
        (folder / name).write_text(secret)
    return Settings(keys={name: {"secret": f"file:{folder / name}"} for name in secrets}, state_dir=folder)


def store_of(settings: Settings, **options: float) -> KeyStore:
    """Return the keys' owner."""
    return KeyStore(lambda: key_secrets(settings), anonymous=lambda stored: None, wall=lambda: 1000.0, **options)


def who(store: KeyStore, secret: str) -> str | None:
    """Return the name of the key with this secret; None: there is none."""
    with contextlib.suppress(Unauthorized):
        return store.ring.caller(CIMultiDictProxy(CIMultiDict({"x-api-key": secret}))).key
    return None


async def test_a_new_secret_counts_and_the_old_one_ends(tmp_path, capsys):
    """A file written anew gives its key the new secret at the next reading, and takes the old one; the log says so."""
    store = store_of(settings_with(tmp_path, desk="old-1", tablet="other-1"))
    (tmp_path / "desk").write_text("new-1\n")
    assert who(store, "old-1") == "desk"
    assert await store.reload()
    assert (who(store, "new-1"), who(store, "old-1"), who(store, "other-1")) == ("desk", None, "tablet")
    assert store.renewed_at == 1000.0
    log = capsys.readouterr().out
    assert "keys.renewed" in log
    assert "key=desk" in log
    assert "tablet" not in log
    assert "new-1" not in log


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.unlink(), "can't be read"),
        (lambda file: file.write_text(""), "is empty"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "can't be read"),
        (lambda file: file.write_text("two words"), "blanks"),
        (lambda file: file.write_text("other-1"), "keys.desk and keys.tablet have the same secret"),
    ],
)
async def test_what_cannot_be_used_keeps_the_old_keys(tmp_path, capsys, spoil, said):
    """A secret that can't be read, or that another key has, keeps all old keys in force and is said once in the log."""
    store = store_of(settings_with(tmp_path, desk="old-1", tablet="other-1"))
    spoil(tmp_path / "desk")
    assert not await store.reload()
    assert not await store.reload()
    assert (who(store, "old-1"), who(store, "other-1")) == ("desk", "tablet")
    assert said in (store.problem or "")
    assert capsys.readouterr().out.count("keys.reload_refused") == 1
    (tmp_path / "desk").write_text("new-1")
    assert await store.reload()
    assert store.problem is None
    assert who(store, "new-1") == "desk"


async def test_changes_are_seen_by_themselves_and_when_asked(tmp_path):
    """A written file is seen without a signal, and with one (SIGHUP) without waiting for the next look."""
    for look in (0.02, 3600.0):
        store = store_of(settings_with(tmp_path, desk="old-1"), look_seconds=look)
        watching = asyncio.create_task(store.watch())
        (tmp_path / "desk").write_text("new-1")
        if look > 1:
            store.ask_to_reload()
        async with asyncio.timeout(60):
            while who(store, "new-1") is None:  # noqa: ASYNC110 - the ring has no event
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.wait({watching})


def test_two_keys_with_one_secret_do_not_start(tmp_path):
    """Two keys with the same secret keep the gateway from starting; both are named, the secret is not."""
    with pytest.raises(ConfigurationError, match=r"keys\.desk and keys\.tablet") as caught:
        store_of(settings_with(tmp_path, desk="same-1", tablet="same-1"))
    assert "same-1" not in str(caught.value)


def stored(name: str, secret: str, **changes: object) -> StoredKey:
    """Return a key that a command made."""
    one = KeySecret(digest=DIGEST.of(secret), created_at=1.0)
    return StoredKey(name=name, secrets=(one,), **changes)  # type: ignore[arg-type]


class Database:
    """The ledger, as far as it holds keys."""

    def __init__(self) -> None:
        self.keys: tuple[StoredKey, ...] = ()
        self.broken = False
        self.asked_in_vain = asyncio.Event()

    async def key_changes(self) -> int:
        """Return a number that is another one after each change."""
        if self.broken:
            self.asked_in_vain.set()
            raise LedgerUnavailable("The disk is gone.")
        return hash(self.keys)

    async def stored_keys(self) -> tuple[StoredKey, ...]:
        """Return all keys."""
        return self.keys


async def test_keys_of_both_kinds_count_side_by_side(tmp_path, capsys):
    """A key that a command makes counts beside the configured ones, ends when it is revoked, and is told of once."""
    told: list[int] = []
    store = KeyStore(
        partial(key_secrets, settings_with(tmp_path, desk="old-1")),
        anonymous=lambda any_stored: None if any_stored else Caller(),
        digest=DIGEST,
        wall=lambda: 1000.0,
    )
    store.on_change(lambda keys: told.append(len(keys)))
    assert store.take([stored("n8n", "adu-1")])
    assert (who(store, "old-1"), who(store, "adu-1")) == ("desk", "n8n")
    (tmp_path / "desk").write_text("new-1")
    assert await store.reload()
    assert (who(store, "new-1"), who(store, "old-1"), who(store, "adu-1")) == ("desk", None, "n8n")
    assert store.take([stored("n8n", "adu-1", revoked_at=999.0)])
    assert (who(store, "new-1"), who(store, "adu-1")) == ("desk", None)
    assert told == [1, 1]
    assert "keys.revoked" in capsys.readouterr().out


async def test_a_revoked_last_key_does_not_open_the_door_again(tmp_path):
    """Whoever has wanted keys once is not left without any."""
    store = KeyStore(dict, anonymous=lambda any_stored: None if any_stored else Caller(), digest=DIGEST)
    nobody = CIMultiDictProxy(CIMultiDict())
    assert store.ring.caller(nobody).key == "anonymous"
    store.take([stored("n8n", "adu-1", revoked_at=999.0)])
    with pytest.raises(Unauthorized):
        store.ring.caller(nobody)


async def test_changes_by_commands_are_seen_by_themselves(tmp_path):
    """A key is known soon after it was made; while the database can't be read, those that were known stay."""
    store = KeyStore(dict, anonymous=lambda any_stored: None, digest=DIGEST, change_seconds=0.01)
    database = Database()
    watching = asyncio.create_task(store.watch_stored(database))
    for number in range(3):
        database.keys = (*database.keys, stored(f"key-{number}", f"adu-{number}"))
        async with asyncio.timeout(60):
            while who(store, f"adu-{number}") is None:  # noqa: ASYNC110 - the ring has no event
                await asyncio.sleep(0.01)
    database.broken = True
    async with asyncio.timeout(60):
        await database.asked_in_vain.wait()
    assert who(store, "adu-1") == "key-1"
    database.broken = False
    database.keys = (*database.keys, stored("key-3", "adu-3"))
    async with asyncio.timeout(60):
        while who(store, "adu-3") is None:  # noqa: ASYNC110 - the ring has no event
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.wait({watching})


def test_of_two_keys_with_one_name_the_configured_one_counts(tmp_path, capsys):
    """A name in aduana.yaml is not taken over by a key of the database, and the log says that one does not count."""
    store = KeyStore(
        partial(key_secrets, settings_with(tmp_path, desk="old-1")),
        anonymous=lambda any_stored: None,
        stored=[stored("desk", "adu-1", admin=True)],
        digest=DIGEST,
    )
    assert (who(store, "old-1"), who(store, "adu-1")) == ("desk", None)
    assert "keys.namesake" in capsys.readouterr().out

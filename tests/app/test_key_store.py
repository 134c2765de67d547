"""API keys whose secrets change while the gateway runs."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.app.key_store import KeyStore
from gateway.app.room_settings import key_secrets
from gateway.core.errors import ConfigurationError, Unauthorized
from gateway.settings import Settings


def settings_with(folder: Path, **secrets: str) -> Settings:
    """Return a configuration with keys of these names, each with its secret in a file."""
    for name, secret in secrets.items():
        (folder / name).write_text(secret)
    return Settings(keys={name: {"secret": f"file:{folder / name}"} for name in secrets}, state_dir=folder)


def store_of(settings: Settings, **options: float) -> KeyStore:
    """Return the keys' owner."""
    return KeyStore(lambda: key_secrets(settings), anonymous=None, wall=lambda: 1000.0, **options)


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

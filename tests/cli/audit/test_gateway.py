"""The configuration of the gateway under audit."""

from pathlib import Path

from gateway.accounts.keys import KeySecret, StoredKey
from gateway.app.keys.stored_keys import database_for
from gateway.app.room_settings import key_secrets
from gateway.cli.audit.gateway import Setup
from gateway.cli.policies import load_with
from gateway.ledger.keys import table
from gateway.ledger.keys.beside import changing, ready
from gateway.settings import load_settings


def test_the_users_policy_may_name_every_key(tmp_path: Path, monkeypatch) -> None:
    """The gateway under audit knows all of the user's keys, those that commands made too, with secrets of its own."""
    monkeypatch.setenv("ADUANA_AUDIT_KEY", "asked-with-this")
    (tmp_path / "policy.yaml").write_text(
        "version: 1\nlabels: {tags: {office: internal}}\notherwise: {prefer: [home]}\n"
        "keys: {first: {default: public}, second: {default: sensitive}, made: {default: internal}}\n"
    )
    (tmp_path / "aduana.yaml").write_text(
        "state_dir: state\npolicy: policy.yaml\n"
        "targets: {home: {kind: openai, zone: local, base_url: 'http://127.0.0.1:9/v1', model: m}}\n"
        "keys: {first: {secret: 'env:FIRST'}, second: {secret: 'env:SECOND'}}\n"
    )
    settings = load_settings(tmp_path / "aduana.yaml")
    ready(database_for(settings), settings.state_dir)
    secret = KeySecret(digest=b"1" * 32, created_at=1.0)
    with changing(database_for(settings)) as connection:
        table.add(connection, StoredKey(name="made", tags=frozenset({"office"}), secrets=(secret,)))
    (tmp_path / "audit").mkdir()
    setup = Setup(folder=tmp_path / "audit", cloud="http://127.0.0.1:9", home="http://127.0.0.1:9", settings=settings)
    audited = load_settings(setup.write(own_policy=True))
    assert load_with(audited, audited.catalog(), ()).document.labels.by_key.keys() == {"first", "second", "made"}
    secrets = {name: secret for name, (secret, _) in key_secrets(audited).items()}
    assert secrets["first"] == "asked-with-this"
    assert len(set(secrets.values())) == 3

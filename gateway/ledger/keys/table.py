"""The table of API keys that commands make. Plain SQL on a connection; whoever calls has begun the transaction.

A number counts the changes, so that a running gateway sees by one row whether there was one.
"""

from collections.abc import Iterable

import msgspec

from gateway.accounts.keys import KeySecret, StoredKey
from gateway.core.errors import BadRequest, LedgerUnavailable
from gateway.core.limits import Limits
from gateway.ledger.sql import Connection

_json = msgspec.json.Encoder(order="sorted").encode
_KEYS = (
    "SELECT name, person, tags, models, admin, metrics, front_end, limits, created_at, expires_at, revoked_at "
    "FROM api_keys ORDER BY created_at, name"
)
_SECRETS = "SELECT name, digest, created_at, ends_at FROM api_key_secrets ORDER BY created_at"
_CHANGED = (
    "INSERT INTO api_key_changes VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET number = api_key_changes.number + 1"
)


def changes(connection: Connection) -> int:
    """Return how often a key was made or changed."""
    row = connection.execute("SELECT number FROM api_key_changes").fetchone()
    return 0 if row is None else int(row[0])


def everything(connection: Connection) -> tuple[StoredKey, ...]:
    """Return all keys, the revoked ones too, in the order in which they were made.

    Raises:
        LedgerUnavailable: A row can't be read.
    """
    secrets: dict[str, list[KeySecret]] = {}
    for name, digest, created_at, ends_at in connection.execute(_SECRETS).fetchall():
        one = KeySecret(digest=bytes(digest), created_at=created_at, ends_at=ends_at)
        secrets.setdefault(name, []).append(one)
    return tuple([_key(row, tuple(secrets.get(row[0], ()))) for row in connection.execute(_KEYS).fetchall()])


def add(connection: Connection, key: StoredKey) -> None:
    """Add a new key with its secrets.

    Raises:
        BadRequest: There is a key of this name, or there was one.
    """
    if connection.execute("SELECT revoked_at FROM api_keys WHERE name = ?", (key.name,)).fetchone() is not None:
        raise BadRequest(
            f"There is a key {key.name!r} already, or there was one: what the ledger and stored answers have of it "
            "must not pass to another. Choose another name, or give it a new secret with 'aduana keys rotate'."
        )
    connection.execute(
        "INSERT INTO api_keys VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (key.name, *_rights(key), key.created_at, key.expires_at, key.revoked_at),
    )
    for secret in key.secrets:
        _insert(connection, key.name, secret)
    connection.execute(_CHANGED)


def rotate(connection: Connection, name: str, secret: KeySecret, old_until: float) -> None:
    """Give a key a new secret. Those that it has count until `old_until`, or end sooner if they were to."""
    connection.execute(
        "UPDATE api_key_secrets SET ends_at = ? WHERE name = ? AND (ends_at IS NULL OR ends_at > ?)",
        (old_until, name, old_until),
    )
    _insert(connection, name, secret)
    connection.execute(_CHANGED)


def change(connection: Connection, key: StoredKey) -> None:
    """Change what a key may do, and how long; its secrets stay."""
    connection.execute(
        "UPDATE api_keys SET person = ?, tags = ?, models = ?, admin = ?, metrics = ?, front_end = ?, limits = ?, "
        "expires_at = ? WHERE name = ?",
        (*_rights(key), key.expires_at, key.name),
    )
    connection.execute(_CHANGED)


def revoke(connection: Connection, name: str, at: float) -> None:
    """End a key for good. Its digests stay, so that whoever still sends its secret is told what happened."""
    connection.execute("UPDATE api_keys SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL", (at, name))
    connection.execute(_CHANGED)


def _rights(key: StoredKey) -> tuple[object, ...]:
    return (
        key.user,
        _texts(key.tags),
        None if key.models is None else _texts(key.models),
        int(key.admin),
        int(key.metrics),
        int(key.front_end),
        _json(key.limits).decode(),
    )


def _insert(connection: Connection, name: str, secret: KeySecret) -> None:
    connection.execute(
        "INSERT INTO api_key_secrets VALUES (?,?,?,?)", (secret.digest, name, secret.created_at, secret.ends_at)
    )


def _texts(values: Iterable[str]) -> str:
    return _json(sorted(values)).decode()


def _key(row: tuple[object, ...], secrets: tuple[KeySecret, ...]) -> StoredKey:
    name, person, tags, models, admin, metrics, front_end, limits, created_at, expires_at, revoked_at = row
    try:
        return msgspec.convert(
            {
                "name": name,
                "user": person,
                "tags": msgspec.json.decode(str(tags)),
                "models": None if models is None else msgspec.json.decode(str(models)),
                "admin": bool(admin),
                "metrics": bool(metrics),
                "front_end": bool(front_end),
                "limits": msgspec.json.decode(str(limits), type=Limits),
                "created_at": created_at,
                "expires_at": expires_at,
                "revoked_at": revoked_at,
                "secrets": secrets,
            },
            StoredKey,
        )
    except msgspec.MsgspecError as error:
        raise LedgerUnavailable(f"The ledger's row of the key {name!r} can't be read.") from error

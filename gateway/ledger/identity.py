"""Whose state a ledger belongs to: the directory names the same, so that a lost ledger is not taken for a new one."""

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.sql import Connection


class LedgerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Identity of a ledger; empty and 0 for one that was never claimed."""

    id: str = ""
    key: str = ""  # fingerprint of the conversation key that its hashes were made with
    starts: int = 0
    used: bool = False  # it holds requests or remembered turns


def read(connection: Connection) -> LedgerIdentity:
    """Return the identity of a ledger."""
    used = connection.execute("SELECT EXISTS (SELECT 1 FROM receipts) OR EXISTS (SELECT 1 FROM taint)").fetchone()[0]
    row = connection.execute("SELECT id, key, starts FROM state").fetchone()
    if row is None:
        return LedgerIdentity(used=bool(used))
    return LedgerIdentity(id=row[0], key=row[1], starts=row[2], used=bool(used))


def write(connection: Connection, identity: str, key: str, starts: int, *, shared: bool = False) -> str:
    """Give a ledger its identity, and return the one it has: of gateways that begin a shared one together, the first's.

    Raises:
        LedgerUnavailable: It is shared, and another gateway has begun it with another key.
    """
    before = read(connection)
    (gateways,) = connection.execute("SELECT count(*) FROM gateways").fetchone()
    if shared and before.id and before.key == key:
        identity = before.id
    elif shared and before.id and gateways > 1:
        raise LedgerUnavailable(
            "Another gateway has begun this ledger with another key (taint.key). Copy that file from its state "
            "directory into this one's, so that both recognise the same conversations."
        )
    connection.execute(
        "INSERT INTO state VALUES (1, ?, ?, ?) "
        "ON CONFLICT (one) DO UPDATE SET id = excluded.id, key = excluded.key, starts = excluded.starts",
        (identity, key, starts),
    )
    return identity

"""Whose state a ledger belongs to: the directory names the same, so that a lost ledger is not taken for a new one."""

import sqlite3

import msgspec


class LedgerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Identity of a ledger; empty and 0 for one that was never claimed."""

    id: str = ""
    key: str = ""  # fingerprint of the conversation key that its hashes were made with
    starts: int = 0
    used: bool = False  # it holds requests or remembered turns


def read(connection: sqlite3.Connection) -> LedgerIdentity:
    """Return the identity of a ledger."""
    used = connection.execute("SELECT EXISTS (SELECT 1 FROM receipts) OR EXISTS (SELECT 1 FROM taint)").fetchone()[0]
    row = connection.execute("SELECT id, key, starts FROM state").fetchone()
    if row is None:
        return LedgerIdentity(used=bool(used))
    return LedgerIdentity(id=row[0], key=row[1], starts=row[2], used=bool(used))


def write(connection: sqlite3.Connection, identity: str, key: str, starts: int) -> None:
    """Give a ledger its identity."""
    connection.execute("INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?)", (identity, key, starts))

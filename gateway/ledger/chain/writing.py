"""Adds links, in the transaction of what they commit to. The writer's thread alone does so."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.core.labels import Zone
from gateway.ledger.chain.commitments import (
    LATER_IN_RECEIPT,
    LATER_IN_SETTLEMENT,
    RECEIPT,
    SETTLEMENT,
    new_salt,
    receipt_commitment,
    settlement_commitment,
)
from gateway.ledger.chain.links import NOTHING, Link, LinkKind, letters, runs
from gateway.ledger.sql import Connection

_COMMITTED = (*RECEIPT, *LATER_IN_RECEIPT)
_HEAD = "SELECT number, head FROM chain_head WHERE one = 1"
_ADVANCE = "UPDATE chain_head SET number = ?, head = ? WHERE one = 1"
_ADD = "INSERT INTO chain_links (number, kind, seq, through, at, label, zones, commitment) VALUES (?,?,?,?,?,?,?,?)"
_ADD_SALT = "INSERT INTO chain_salts (seq, salt) VALUES (?, ?)"
_SALT = "SELECT salt FROM chain_salts WHERE seq = ?"
_SETTLED = f"SELECT {', '.join((*SETTLEMENT, *LATER_IN_SETTLEMENT))} FROM settlements WHERE seq = ?"  # noqa: S608
_ATTEMPTS = "SELECT target, error FROM attempts WHERE seq = ? ORDER BY number"


def begin(connection: Connection, now: float) -> None:
    """Begin the chain, where there is none: it covers what is written from now on."""
    if connection.execute(_HEAD).fetchone() is not None:
        return
    (last,) = connection.execute("SELECT max(seq) FROM receipts").fetchone()
    connection.execute("INSERT INTO chain_head (one, number, head) VALUES (1, 0, ?)", (NOTHING,))
    _add(connection, LinkKind.BEGUN, last or 0, int(now), secrets.token_bytes(32))


def add_receipt(connection: Connection, seq: int, said: Mapping[str, Any], zones: Sequence[Zone] | None) -> None:
    """Add the link of a receipt that was just written.

    Args:
        connection: The writing one.
        seq: Its number.
        said: Its row by the columns' names; the facts as they came.
        zones: Of the permitted targets, in their order.
    """
    salt = new_salt()
    connection.execute(_ADD_SALT, (seq, salt))
    commitment = receipt_commitment(salt, [said[name] for name in _COMMITTED])
    where = None if zones is None else letters(zones)
    at, label = int(said["received_at"]), said["label"]
    _add(connection, LinkKind.RECEIPT, seq, at, commitment, label=label, zones=where)


def add_settlement(
    connection: Connection,
    seq: int,
    values: Sequence[Any],
    attempts: Sequence[Sequence[str]],
    server: str | None = None,
) -> None:
    """Add the link of a settlement that was just written. Of a receipt that came before the chain there is none.

    Args:
        connection: The writing one.
        seq: The number of its receipt.
        values: Its row as `commitments.SETTLEMENT` and `LATER_IN_SETTLEMENT` name it.
        attempts: Target and error code of each failed try.
        server: Which of the target's servers answered, where it has several.
    """
    row = connection.execute(_SALT, (seq,)).fetchone()
    if row is None:
        return
    zone = values[3]
    said = letters((Zone(zone),)) if isinstance(zone, str) else ""
    commitment = settlement_commitment(row[0], values, attempts, server)
    _add(connection, LinkKind.SETTLEMENT, seq, int(values[0]), commitment, zones=said)


def add_settlements(connection: Connection, seqs: Iterable[int]) -> None:
    """Add the links of settlements that were written otherwise, as of requests that a crash cut off."""
    for seq in seqs:
        values = connection.execute(_SETTLED, (seq,)).fetchone()
        if values is not None:
            add_settlement(connection, seq, values, connection.execute(_ATTEMPTS, (seq,)).fetchall())


def forget(connection: Connection, seqs: Sequence[int], *, at: float, reason: LinkKind = LinkKind.ERASED) -> None:
    """Note that these receipts are removed, and remove their salts; whoever calls deletes their rows.

    The chain stays whole, and what their links say stays known: time, label and zones. What they said beyond that can't
    be guessed any more.
    """
    for first, last in runs(sorted(seqs)):
        _add(connection, reason, first, int(at), b"", through=last)
    connection.executemany("DELETE FROM chain_salts WHERE seq = ?", [(seq,) for seq in seqs])


def _add(
    connection: Connection,
    kind: LinkKind,
    seq: int,
    at: int,
    commitment: bytes,
    *,
    through: int | None = None,
    label: int | None = None,
    zones: str | None = None,
) -> None:
    number, head = connection.execute(_HEAD).fetchone()
    link = Link(number + 1, int(kind), seq, through, at, label, zones, commitment)
    connection.execute(_ADD, link)
    connection.execute(_ADVANCE, (link.number, link.head(head)))

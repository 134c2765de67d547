"""Adds links, in the transaction of what they commit to. The writer's thread alone does so."""

import secrets
from collections.abc import Iterable, Sequence

from gateway.core.labels import Zone
from gateway.ledger.chain.commitments import LATER_IN_SETTLEMENT, SETTLEMENT, settlement_commitment
from gateway.ledger.chain.links import NOTHING, Link, LinkKind, letters, runs
from gateway.ledger.sql import Connection, insert

_HEAD = "SELECT number, head FROM chain_head WHERE one = 1"
_ADVANCE = "UPDATE chain_head SET number = ?, head = ? WHERE one = 1"
_ADD = "INSERT INTO chain_links (number, kind, seq, through, at, label, zones, commitment)"
_ADD_SALT = "INSERT INTO chain_salts (seq, salt)"
_SALT = "SELECT salt FROM chain_salts WHERE seq = ?"
_SETTLED = f"SELECT {', '.join((*SETTLEMENT, *LATER_IN_SETTLEMENT))} FROM settlements WHERE seq = ?"  # noqa: S608
_ATTEMPTS = "SELECT target, error FROM attempts WHERE seq = ? ORDER BY number"


class Tail:
    """The chain's end, while links are added to it: read once and written once, however many come."""

    def __init__(self, number: int, head: bytes) -> None:
        self._number = number
        self._head = head
        self._links: list[Link] = []

    @classmethod
    def of(cls, connection: Connection) -> "Tail":
        """Return the end of the chain as it stands."""
        return cls(*connection.execute(_HEAD).fetchone())

    def add(
        self,
        kind: LinkKind,
        seq: int,
        at: int,
        commitment: bytes,
        *,
        through: int | None = None,
        label: int | None = None,
        zones: str | None = None,
    ) -> None:
        """Add a link behind those that were added before."""
        link = Link(self._number + 1, int(kind), seq, through, at, label, zones, commitment)
        self._number, self._head = link.number, link.head(self._head)
        self._links.append(link)

    def write(self, connection: Connection) -> None:
        """Write the links that were added."""
        if self._links:
            insert(connection, _ADD, self._links)
            connection.execute(_ADVANCE, (self._number, self._head))
            self._links = []


def begin(connection: Connection, now: float) -> None:
    """Begin the chain, where there is none: it covers what is written from now on."""
    if connection.execute(_HEAD).fetchone() is not None:
        return
    (last,) = connection.execute("SELECT max(seq) FROM receipts").fetchone()
    connection.execute("INSERT INTO chain_head (one, number, head) VALUES (1, 0, ?)", (NOTHING,))
    tail = Tail(0, NOTHING)
    tail.add(LinkKind.BEGUN, last or 0, int(now), secrets.token_bytes(32))
    tail.write(connection)


def keep_salts(connection: Connection, salts: Sequence[tuple[int, bytes]]) -> None:
    """Keep the salts of receipts, given with the receipts' numbers."""
    insert(connection, _ADD_SALT, salts)


def salt_of(connection: Connection, seq: int) -> bytes | None:
    """Return the salt of a receipt; None: it came before the chain, or was removed."""
    row = connection.execute(_SALT, (seq,)).fetchone()
    return None if row is None else row[0]


def add_settlements(connection: Connection, seqs: Iterable[int]) -> None:
    """Add the links of settlements that were written otherwise, as of requests that a crash cut off.

    Of a receipt that came before the chain there is none.
    """
    tail = Tail.of(connection)
    for seq in seqs:
        values = connection.execute(_SETTLED, (seq,)).fetchone()
        salt = salt_of(connection, seq)
        if values is None or salt is None:
            continue
        attempts = connection.execute(_ATTEMPTS, (seq,)).fetchall()
        commitment = settlement_commitment(salt, values, attempts, None)
        tail.add(LinkKind.SETTLEMENT, seq, int(values[0]), commitment, zones=zone_letter(values[3]))
    tail.write(connection)


def zone_letter(zone: object) -> str:
    """Return the zone in a settlement's row as a link writes it: empty where nobody answered."""
    return letters((Zone(zone),)) if isinstance(zone, str) else ""


def forget(connection: Connection, seqs: Sequence[int], *, at: float, reason: LinkKind = LinkKind.ERASED) -> None:
    """Note that these receipts are removed, and remove their salts; whoever calls deletes their rows.

    The chain stays whole, and what their links say stays known: time, label and zones. What they said beyond that can't
    be guessed any more.
    """
    if not seqs:
        return
    tail = Tail.of(connection)
    for first, last in runs(sorted(seqs)):
        tail.add(reason, first, int(at), b"", through=last)
    tail.write(connection)
    connection.executemany("DELETE FROM chain_salts WHERE seq = ?", [(seq,) for seq in seqs])

"""Checkpoints: what the chain's head was at a moment, signed. Kept elsewhere, they convict a ledger that was changed.

A checkpoint is one line of JSON. What is signed (Ed25519) is `aduana checkpoint 1`, a line end, and this JSON without
blanks: `[chain, index, number, head, at]`, the chain's name and head in hexadecimal.
"""

from datetime import UTC, datetime
from typing import Literal, Protocol

import msgspec

from gateway.ledger.chain.links import LinkKind
from gateway.ledger.sql import Connection

_SIGNED = b"aduana checkpoint 1\n"
_encode = msgspec.json.Encoder().encode


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint, as its line says it."""

    aduana: Literal["checkpoint 1"] = "checkpoint 1"
    chain: str  # the name of the chain, hexadecimal
    index: int  # 1 for the chain's first checkpoint
    number: int  # of the last link that it covers
    head: str  # hexadecimal
    at: int  # Unix seconds
    time: str  # the same for people; not signed
    key: str  # fingerprint of the public key
    signature: str = ""  # base64

    def signed(self) -> bytes:
        """Return the bytes that the signature is over."""
        return _SIGNED + _encode([self.chain, self.index, self.number, self.head, self.at])


class ReadCheckpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of checkpoints, sorted out. Only `good` prove anything."""

    good: tuple[Checkpoint, ...] = ()
    forged: int = 0  # lines that name the key, and whose signature is wrong
    foreign: tuple[str, ...] = ()  # fingerprints of other keys that lines name
    foreign_lines: int = 0
    unreadable: int = 0  # lines that are none, or cut off


class SigningKey(Protocol):
    """Key that checkpoints are signed with."""

    fingerprint: str

    def sign(self, content: bytes) -> str:
        """Return the signature in base64."""


_decode = msgspec.json.Decoder(Checkpoint).decode


def parsed(line: bytes | str) -> Checkpoint | None:
    """Return the checkpoint in a line; None: it is none, or cut off."""
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def line_of(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as the line that is kept and handed out."""
    return _encode(checkpoint).decode()


def add_checkpoint(connection: Connection, key: SigningKey, now: float, *, idle_seconds: float) -> bool:
    """Sign the chain's head and keep the checkpoint.

    Returns whether there was a reason to: new links, or a last checkpoint that is older than `idle_seconds`.
    """
    ends = connection.execute("SELECT number, head FROM chain_head WHERE one = 1").fetchone()
    begun = connection.execute(
        "SELECT commitment FROM chain_links WHERE number = 1 AND kind = ?", (int(LinkKind.BEGUN),)
    ).fetchone()
    if ends is None or begun is None:
        return False
    number, head = ends
    last = connection.execute("SELECT place, line FROM checkpoints ORDER BY place DESC LIMIT 1").fetchone()
    before = parsed(last[1]) if last is not None else None
    if before is not None and before.number == number and abs(now - before.at) < idle_seconds:
        return False
    place, at = 1 if last is None else last[0] + 1, int(now)
    unsigned = Checkpoint(
        chain=bytes(begun[0]).hex(),
        index=place,
        number=number,
        head=bytes(head).hex(),
        at=at,
        time=f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        key=key.fingerprint,
    )
    signed = msgspec.structs.replace(unsigned, signature=key.sign(unsigned.signed()))
    connection.execute("INSERT INTO checkpoints (place, line) VALUES (?, ?)", (place, line_of(signed)))
    return True


def lines_behind(connection: Connection, place: int = 0) -> list[str]:
    """Return the lines of all checkpoints behind that place, in their order."""
    rows = connection.execute("SELECT line FROM checkpoints WHERE place > ? ORDER BY place", (place,))
    return [line for (line,) in rows]

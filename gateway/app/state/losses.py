"""What the state directory knows that it had: whether its ledger and its conversation key are still those. Pure.

A small file, the marker, names the state: an id and a fingerprint of the key, which the ledger carries too, and how
often it was started. What does not fit together has been lost, and with it the memory of what is sensitive or of what
was spent.
"""

import hashlib

import msgspec

from gateway.ledger import LedgerIdentity

KEY_BYTES = 32


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """The state that the directory had."""

    id: str
    key: str  # fingerprint
    starts: int
    open: bool = False  # a gateway has it open, or was ended without a stop: then the ledger has its `-wal` file
    lost: bool = False  # records were lost, and nobody has accepted that yet


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The directory before the gateway opened anything in it."""

    marker: Marker | None  # None: there is none that can be read
    key: bytes | None
    ledger: bool
    journal: bool  # the ledger's `-wal` file, with something in it


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """What is gone, as sentences without paths; nothing: all is there."""

    key: str | None = None
    ledger: str | None = None
    rows: bool = False  # the ledger is the one that was there, and lacks records

    def __bool__(self) -> bool:
        return self.key is not None or self.ledger is not None

    def sentence(self) -> str:
        """Return everything in one sentence, with what to do."""
        what = " ".join(part for part in (self.key, self.ledger) if part is not None)
        return (
            f"{what} So nothing goes to a cloud, and what stays local works. Stop the gateway, put the files back from "
            "a copy and start it again; or accept the loss: 'aduana serve --accept-loss'."
        )


def fingerprint(key: bytes) -> str:
    """Return a name of a key that tells nothing of it."""
    return hashlib.blake2b(key, digest_size=16, person=b"aduana state").hexdigest()


def losses(found: Found, ledger: LedgerIdentity) -> Losses:
    """Return what is gone of a state that was there before."""
    marker = found.marker
    if marker is None and ledger.id:  # only the marker is gone: the ledger tells the same
        marker = Marker(id=ledger.id, key=ledger.key, starts=ledger.starts)
    if marker is None:
        return Losses(key=_unmarked_key(found, ledger), ledger=_unmarked_ledger(found))
    key: str | None = None
    if found.key is None:
        key = "The key of the memory of sensitive conversations (taint.key) is missing."
    elif fingerprint(found.key) != marker.key:
        key = "The key of the memory of sensitive conversations (taint.key) is not the one that was there."
    if ledger.id != marker.id:
        return Losses(key=key, ledger="The ledger is missing, was emptied, or is another one.")
    if ledger.starts < marker.starts:
        return Losses(key=key, ledger="The ledger is an older copy: later records are missing.", rows=True)
    if marker.open and not found.journal:
        return Losses(key=key, ledger="The ledger's -wal file is missing, and with it the last records.", rows=True)
    if marker.lost:
        return Losses(key=key, ledger="The ledger has lost records.", rows=True)
    return Losses(key=key)


def _unmarked_key(found: Found, ledger: LedgerIdentity) -> str | None:
    """Look at the key of a directory that an earlier version made, or that is new."""
    if found.key is None and ledger.used:
        return "The key of the memory of sensitive conversations (taint.key) is missing."
    if found.key is not None and len(found.key) != KEY_BYTES:
        return "The key of the memory of sensitive conversations (taint.key) is damaged."
    return None


def _unmarked_ledger(found: Found) -> str | None:
    return None if found.key is None or found.ledger else "The ledger is missing."

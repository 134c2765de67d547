"""Writes receipts and settlements, many at once, each together with its link of the chain.

They become rows where they come from: what is wrong with one is said there, and the writer's thread has little to do
but number and chain them.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from gateway.core.limits import Full
from gateway.core.record import Receipt, Reservation, Settlement
from gateway.ledger import chain, rows
from gateway.ledger.chain.commitments import (
    LATER_IN_RECEIPT,
    RECEIPT,
    new_salt,
    receipt_commitment,
    settlement_commitment,
)
from gateway.ledger.chain.links import LinkKind, letters
from gateway.ledger.packing.facts import Pattern
from gateway.ledger.packing.phrases import Phrases
from gateway.ledger.sql import Connection, insert

_committed = itemgetter(*[rows.RECEIPT_COLUMNS.index(name) for name in (*RECEIPT, *LATER_IN_RECEIPT)])
_UNFIT = (TypeError, ValueError, OverflowError)  # what makes no row: half a character, a number that is none


class Place(msgspec.Struct, eq=False):
    """Where a receipt stands: its number (0: none yet), and the salt of its links (None: it came before the chain)."""

    salt: bytes | None
    seq: int = 0


class NewReceipt(msgspec.Struct, eq=False, kw_only=True):
    """A receipt to be written, as its row and its link have it."""

    place: Place
    row: tuple[object, ...]
    salt: bytes
    commitment: bytes
    at: int
    label: int
    zones: str | None
    reservation: tuple[str, str, int] | None
    answer: str | Full | None = None  # the budget or limit that does not allow for the reservation, which is then none
    then: Callable[[Connection, int], str | Full | None] | None = None  # what is done behind it, and says that


class NewSettlement(msgspec.Struct, eq=False, kw_only=True):
    """A settlement to be written, as its row and its link have it."""

    place: Place
    row: tuple[object, ...]
    commitment: bytes | None  # None: its receipt came before the chain
    at: int
    zones: str
    attempts: tuple[tuple[str, str], ...]  # target and error code of each failed try
    server: str
    then: Callable[[Connection, int], None] | None = None  # what is done behind it, if it is the first of its receipt


Record: TypeAlias = NewReceipt | NewSettlement


def receipt_record(
    receipt: Receipt, reservation: Reservation | None, pattern: Pattern | None, phrases: Phrases
) -> NewReceipt:
    """Return a receipt as it is to be written, its facts packed by the pattern and its words put as a phrase.

    Raises:
        InvalidRecord: Something in it can't be true, or can't be kept.
    """
    salt = new_salt()
    try:
        row = rows.receipt_row(receipt)
        return NewReceipt(
            place=Place(salt),
            row=rows.kept_row(row, receipt.facts, pattern, phrases),
            salt=salt,
            commitment=receipt_commitment(salt, _committed(row)),
            at=int(receipt.received_at),
            label=int(receipt.label),
            zones=None if receipt.zones is None else letters(receipt.zones),
            reservation=None if reservation is None else rows.reservation_row(reservation),
        )
    except _UNFIT as error:
        raise rows.InvalidRecord(f"The ledger refused a record: {type(error).__name__}.") from error


def settlement_record(place: Place, settlement: Settlement, *, unpriced: bool) -> NewSettlement:
    """Return the settlement of the receipt at that place, as it is to be written.

    Raises:
        InvalidRecord: Something in it can't be true, or can't be kept.
    """
    try:
        row = rows.settlement_row(settlement, unpriced=unpriced)
        salt, attempts = place.salt, settlement.attempts
        return NewSettlement(
            place=place,
            row=row,
            commitment=None if salt is None else settlement_commitment(salt, row, attempts, settlement.server),
            at=int(settlement.settled_at),
            zones="" if settlement.zone is None else letters((settlement.zone,)),
            attempts=attempts,
            server=settlement.server,
        )
    except _UNFIT as error:
        raise rows.InvalidRecord(f"The ledger refused a record: {type(error).__name__}.") from error


def write(connection: Connection, records: Sequence[Record], *, perhaps_settled: bool) -> list[Any]:
    """Write receipts and settlements with their links, and return what is to be told of each, in their order.

    `perhaps_settled`: somebody else may have settled one of the receipts. The first settlement stands, and a second one
    changes nothing.
    """
    receipts = [record for record in records if isinstance(record, NewReceipt)]
    settlements = [record for record in records if isinstance(record, NewSettlement)]
    tail = chain.Tail.of(connection)
    if receipts:
        for seq, receipt in enumerate(receipts, rows.next_seq(connection)):
            receipt.place.seq = seq
    standing: frozenset[int] = frozenset()
    if perhaps_settled and settlements:
        standing = rows.settled_among(connection, [record.place.seq for record in settlements])
        settlements = [record for record in settlements if record.place.seq not in standing]
    for record in records:
        seq, commitment = record.place.seq, record.commitment
        if isinstance(record, NewReceipt):
            tail.add(LinkKind.RECEIPT, seq, record.at, record.commitment, label=record.label, zones=record.zones)
        elif commitment is not None and seq not in standing:
            tail.add(LinkKind.SETTLEMENT, seq, record.at, commitment, zones=record.zones)
    _write_receipts(connection, receipts)
    _write_settlements(connection, settlements)
    tail.write(connection)
    return [_done(connection, record, second=record.place.seq in standing) for record in records]


def _write_receipts(connection: Connection, receipts: Sequence[NewReceipt]) -> None:
    insert(connection, rows.RECEIPTS, [(record.place.seq, *record.row) for record in receipts])
    chain.keep_salts(connection, [(record.place.seq, record.salt) for record in receipts])
    reserved = [(record.place.seq, 0, *record.reservation) for record in receipts if record.reservation is not None]
    insert(connection, rows.RESERVATIONS, reserved)


def _write_settlements(connection: Connection, settlements: Sequence[NewSettlement]) -> None:
    insert(connection, rows.SETTLEMENTS, [(record.place.seq, *record.row) for record in settlements])
    rows.release(connection, [record.place.seq for record in settlements])  # what it cost stands in its settlement
    attempts = [
        (record.place.seq, number, target, error)
        for record in settlements
        for number, (target, error) in enumerate(record.attempts)
    ]
    insert(connection, rows.ATTEMPTS, attempts)
    insert(connection, rows.SERVERS, [(record.place.seq, record.server) for record in settlements if record.server])


def _done(connection: Connection, record: Record, *, second: bool) -> str | Full | None:
    """Do what is to be done behind a record, and return what is told of it."""
    if isinstance(record, NewReceipt):
        return record.answer if record.then is None else record.then(connection, record.place.seq)
    if record.then is not None and not second:
        record.then(connection, record.place.seq)
    return None

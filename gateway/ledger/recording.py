"""Writes receipts and settlements, each together with its link of the chain."""

from gateway.core.record import Receipt, Settlement
from gateway.ledger import chain, rows
from gateway.ledger.facts import Pattern
from gateway.ledger.sql import Connection


def write_receipt(connection: Connection, receipt: Receipt, pattern: Pattern | None) -> int:
    """Write a receipt, its facts packed by the pattern, and its link, and return its number.

    Raises:
        InvalidRecord: A number in it can't be true.
    """
    row = rows.receipt_row(receipt)
    seq = rows.write_receipt(connection, row, receipt.facts, pattern)
    chain.add_receipt(connection, seq, dict(zip(rows.RECEIPT_COLUMNS, row, strict=True)), receipt.zones)
    return seq


def write_settlement(connection: Connection, seq: int, settlement: Settlement, *, unpriced: bool) -> bool:
    """Write a settlement with its failed tries and its link, and return whether it is the first one of its receipt.

    A second one changes nothing.

    Raises:
        InvalidRecord: A number in it can't be true.
    """
    row = rows.settlement_row(seq, settlement, unpriced=unpriced)
    if not connection.execute(rows.SETTLEMENT_SQL, row).rowcount:
        return False
    connection.execute(rows.RELEASE_SQL, (seq,))
    connection.executemany(rows.ATTEMPT_SQL, rows.attempt_rows(seq, settlement))
    if settlement.server:
        connection.execute(rows.SERVER_SQL, (seq, settlement.server))
    chain.add_settlement(connection, seq, row[1:], settlement.attempts, settlement.server)
    return True

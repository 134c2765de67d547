"""Receipts, reservations, settlements, budgets and the memory of sensitive conversations, in one SQLite database.

One writer thread, `synchronous=FULL`, group commit. Whatever can't be written raises LedgerUnavailable, so that
nothing is sent. This room knows no prices and sees no content.
"""

from gateway.ledger.ledger import Health, Ledger
from gateway.ledger.reports import Reader
from gateway.ledger.settings import LedgerSettings

__all__ = ["Health", "Ledger", "LedgerSettings", "Reader"]

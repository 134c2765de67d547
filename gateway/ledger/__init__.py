"""Receipts, reservations, settlements, budgets and the memory of sensitive conversations, in one SQLite database.

Owns the database: one writer thread, `synchronous=FULL`, many jobs in one commit. Whatever can't be written raises
LedgerUnavailable, so that nothing is sent. Must not know prices or see content.
"""

from gateway.ledger.identity import LedgerIdentity
from gateway.ledger.ledger import FILE_NAME, Health, Ledger
from gateway.ledger.reports import Reader
from gateway.ledger.settings import LedgerSettings
from gateway.ledger.taint_reader import TaintReader

__all__ = ["FILE_NAME", "Health", "Ledger", "LedgerIdentity", "LedgerSettings", "Reader", "TaintReader"]

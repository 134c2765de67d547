"""Receipts, reservations, settlements, budgets and the memory of sensitive conversations, in one database.

Owns the database: SQLite (sqlite.py), or PostgreSQL (postgresql/) where several gateways share it (sharing.py). One
writer thread, many jobs in one commit, which survives a power cut. Whatever can't be written raises
LedgerUnavailable, so that nothing is sent. Must not know prices or see content.
"""

from gateway.ledger.database.kept import StoreDatabase
from gateway.ledger.database.places import shared_database, shared_store
from gateway.ledger.database.sqlite import FILE_NAME
from gateway.ledger.identity import LedgerIdentity
from gateway.ledger.ledger import Health, Ledger
from gateway.ledger.lock import lock_holder
from gateway.ledger.reading.examination import Examination, examine
from gateway.ledger.reading.history import History
from gateway.ledger.reading.reports import Reader
from gateway.ledger.settings import LedgerSettings
from gateway.ledger.sql import Database, SharedDatabase
from gateway.ledger.taint.reader import TaintReader

__all__ = [
    "FILE_NAME", "Database", "Examination", "Health", "History", "Ledger", "LedgerIdentity", "LedgerSettings", "Reader",
    "SharedDatabase", "StoreDatabase", "TaintReader", "examine", "lock_holder", "shared_database", "shared_store",
]  # fmt: skip

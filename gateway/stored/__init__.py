"""Responses, conversations, files and batches that clients ask the gateway to keep: sealed, for the key that made them.

Owns the databases `responses.sqlite3` and `batches.sqlite3`, or their tables where gateways share a database. It is
the one room that keeps prompts and answers, and only where the owner turned it on. Must not know what is in an item,
decide anything, or hand out content without what its continuation inherits.
"""

from gateway.stored.compaction import PREFIX, SealedSummaries, Summary
from gateway.stored.erasure import StoredRecords
from gateway.stored.homes import FileHome, Home, SharedHome
from gateway.stored.place import Place
from gateway.stored.records import Conversation, StoredResponse
from gateway.stored.shared import erase_shared
from gateway.stored.store import FILE_NAME, RESPONSES, ResponseStore, StoreSettings, erase_store
from gateway.stored.table import LeaseLost, SealedTable, TableSettings

__all__ = [
    "FILE_NAME", "PREFIX", "RESPONSES", "Conversation", "FileHome", "Home", "LeaseLost", "Place", "ResponseStore",
    "SealedSummaries", "SealedTable", "SharedHome", "StoreSettings", "StoredRecords", "StoredResponse", "Summary",
    "TableSettings", "erase_shared", "erase_store",
]  # fmt: skip

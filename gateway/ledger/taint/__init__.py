"""The memory of sensitive conversations: its table, the part that is kept at hand, and its reader for commands.

Owns the table `taint`. Must not see a text: it knows keyed hashes alone.
"""

from gateway.ledger.taint.cache import TaintCache
from gateway.ledger.taint.reader import TaintReader
from gateway.ledger.taint.table import expire

__all__ = ["TaintCache", "TaintReader", "expire"]

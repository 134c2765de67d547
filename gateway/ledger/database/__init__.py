"""The databases that a ledger can lie in, as `gateway.ledger.sql` wants them, and which one the settings name.

Owns how a database is opened, made and asked. Must not know what is written.
"""

from gateway.ledger.database.places import database_at, database_of
from gateway.ledger.database.sqlite import FILE_NAME

__all__ = ["FILE_NAME", "database_at", "database_of"]

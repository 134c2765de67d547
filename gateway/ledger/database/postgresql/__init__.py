"""The ledger in PostgreSQL, which several gateways share.

Owns how PostgreSQL is spoken to: its address, its dialect, its transactions and its errors. Must not know what is
written. The only user of psycopg.
"""

from gateway.ledger.database.postgresql.address import Address
from gateway.ledger.database.postgresql.database import PostgresqlDatabase
from gateway.ledger.database.postgresql.store import PostgresqlStore

__all__ = ["Address", "PostgresqlDatabase", "PostgresqlStore"]

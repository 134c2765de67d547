"""New tables that are filled with the records of a file, within one transaction of the database."""

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.ledger.database.postgresql.connection import PostgresqlConnection

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'aduana'"
_NUMBERED = (
    "SELECT table_name, column_name FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND is_identity = 'YES'"
)


class TablesToFill:
    """The ledger's tables, of the present version."""

    def __init__(self, connection: PostgresqlConnection) -> None:
        self.connection = connection

    def used(self) -> bool:
        """Return whether any of them has a row."""
        names = [name for (name,) in self.connection.execute(_TABLES).fetchall()]
        found = " OR ".join(f'EXISTS (SELECT 1 FROM "{name}")' for name in names)  # noqa: S608 - the schema's names
        return bool(self.connection.execute(f"SELECT {found}").fetchone()[0])

    def add(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add many rows to a table.

        Raises:
            psycopg.Error: A value is none that the table can keep.
        """
        names = ", ".join(f'"{name}"' for name in columns)
        self.connection.take_in(f'COPY "{table}" ({names}) FROM STDIN', rows)

    def number_on(self) -> None:
        """Let the numbers that the database gives itself go on behind the rows that came with theirs."""
        for table, column in self.connection.execute(_NUMBERED).fetchall():
            self.connection.execute(
                f'SELECT setval(pg_get_serial_sequence(?, ?), max("{column}")) FROM "{table}" '  # noqa: S608 - likewise
                "HAVING count(*) > 0",
                (f'"{table}"', column),
            )

"""Where a ledger lies: in a file of the state directory, unless the settings name a database."""

from pathlib import Path

from gateway.core.errors import ConfigurationError
from gateway.core.secret import Secret
from gateway.ledger.database.kept import StoreDatabase
from gateway.ledger.database.sqlite import SqliteDatabase
from gateway.ledger.settings import LedgerSettings
from gateway.ledger.sql import Database, SharedDatabase

_NO_EXTRA = "ledger.database: a PostgreSQL database needs an extra. Run: aduana extras install postgres"


def database_of(settings: LedgerSettings) -> Database:
    """Return the database that these settings name; nothing is opened yet.

    Raises:
        ConfigurationError: It is a PostgreSQL database, and its address or the extra for it is missing.
    """
    if settings.database is not None:
        return shared_database(settings.database, settings.database_password, busy_seconds=settings.busy_seconds)
    return SqliteDatabase(
        settings.directory,
        busy_seconds=settings.busy_seconds,
        max_bytes=settings.max_bytes,
        check_bytes=settings.check_bytes,
    )


def shared_database(address: Secret, password: Secret | None = None, *, busy_seconds: float = 2.0) -> SharedDatabase:
    """Return the PostgreSQL database at an address; nothing is opened yet.

    Raises:
        ConfigurationError: It is no address, or the extra for it is missing.
    """
    try:
        from gateway.ledger.database.postgresql import Address, PostgresqlDatabase
    except ImportError as error:
        raise ConfigurationError((_NO_EXTRA,)) from error
    told = Address(address.reveal(), None if password is None else password.reveal())
    return PostgresqlDatabase(told, busy_seconds=busy_seconds)


def shared_store(address: Secret, password: Secret | None, store: str, *, using: bool = True) -> StoreDatabase:
    """Return the PostgreSQL database at an address as the place of one kind of what clients ask to be kept.

    Args:
        address: Where it is.
        password: Of its user, where the address has none.
        store: Whose lock its transactions take: other stores and the ledger do not wait for them.
        using: Whoever connects uses the store, as others can see.

    Raises:
        ConfigurationError: It is no address, or the extra for it is missing.
    """
    try:
        from gateway.ledger.database.postgresql import Address, PostgresqlStore
    except ImportError as error:
        raise ConfigurationError((_NO_EXTRA,)) from error
    told = Address(address.reveal(), None if password is None else password.reveal())
    return PostgresqlStore(told, store, using=using)


def database_at(place: Path | Database) -> Database:
    """Return the database in a state directory, or the one that was given."""
    return SqliteDatabase(place) if isinstance(place, Path) else place

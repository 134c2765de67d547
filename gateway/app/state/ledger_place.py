"""Where the configuration says that the ledger lies."""

from pathlib import Path

from gateway.core.errors import ConfigurationError
from gateway.core.secret import Secret
from gateway.ledger import SharedDatabase, shared_database
from gateway.settings import Settings, read_secret


def ledger_place(settings: Settings) -> Path | SharedDatabase:
    """Return the state directory, or the database that the configuration names.

    Raises:
        ConfigurationError: Its address or password can't be read, or the extra for it is missing.
    """
    address, password = ledger_address(settings)
    return settings.state_dir if address is None else shared_database(address, password)


def ledger_address(settings: Settings) -> tuple[Secret | None, Secret | None]:
    """Return the address of the ledger's database, and the password of its user; None: there is none.

    Raises:
        ConfigurationError: One of them can't be read.
    """
    ledger = settings.ledger
    if ledger.database is None:
        return None, None
    named = ledger.database.startswith(("env:", "file:"))
    address = _read("database", ledger.database) if named else ledger.database
    return Secret(address), None if ledger.password is None else Secret(_read("password", ledger.password))


def _read(name: str, reference: str) -> str:
    try:
        return read_secret(reference)
    except ConfigurationError as error:
        raise ConfigurationError(tuple(f"ledger.{name}: {problem}" for problem in error.problems)) from error

"""A look at a store from outside: whether the gateway could open it. Reads only."""

import contextlib
import sqlite3
from pathlib import Path

from gateway.stored.database import Foreign, check_owner


def store_problem(file: Path, setting: str) -> str:
    """Explain why a store can't be opened. Empty: it can be, or is not there yet.

    Args:
        file: The store.
        setting: The section of the configuration that it belongs to.
    """
    if not file.exists() or not file.stat().st_size:
        return ""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        ) as database:
            check_owner(database)
    except (OSError, sqlite3.Error, Foreign) as error:
        return unopenable(file, setting, error)
    return ""


def unopenable(file: Path, setting: str, error: Exception) -> str:
    """Say that a store can't be opened, and what to do."""
    return (
        f"{file}: what is stored for '{setting}' can't be opened ({error}). Make the file usable "
        f"or move it away; or write '{setting}: {{store: off}}', which erases what is stored."
    )

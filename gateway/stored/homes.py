"""Where a store's records lie: in a file of the state directory, or in the database that gateways share."""

import sqlite3
from pathlib import Path
from typing import Protocol

from gateway.core.errors import LedgerUnavailable
from gateway.stored.contract import RecordDatabase
from gateway.stored.database import Database
from gateway.stored.examination import unopenable
from gateway.stored.place import Place
from gateway.stored.shared import SharedDatabase


class Home(Protocol):
    """Where records lie."""

    @property
    def trouble(self) -> str:
        """What clients are told when it can't be used."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The errors that say that it can't be used."""

    def open(self) -> RecordDatabase:
        """Return the database, opened; raises what `failures` has."""

    def told(self, setting: str, error: Exception) -> str:
        """Say that it can't be opened, and what to do."""

    def describe(self, error: Exception) -> str:
        """Say what went wrong with it."""


class FileHome:
    """A file of one gateway."""

    trouble = "the gateway's disk fails, or takes too long"
    failures: tuple[type[Exception], ...] = (OSError, sqlite3.Error)

    def __init__(
        self, file: Path, *, most_bytes: int, owner_bytes: int | None = None, busy_seconds: float = 2.0
    ) -> None:
        """Open nothing yet.

        Args:
            file: Where it lies.
            most_bytes: Of all records.
            owner_bytes: Of those of one owner; None: as many as of all.
            busy_seconds: For another process that holds it.
        """
        self._file = file
        self._busy_seconds = busy_seconds
        self._most_bytes = most_bytes
        self._owner_bytes = owner_bytes

    def open(self) -> Database:
        """Return the database, opened."""
        return Database(
            self._file, most_bytes=self._most_bytes, owner_bytes=self._owner_bytes, busy_seconds=self._busy_seconds
        )

    def told(self, setting: str, error: Exception) -> str:
        """Say that it can't be opened, and what to do."""
        return unopenable(self._file, setting, error)

    def describe(self, error: Exception) -> str:
        """Say what went wrong with it."""
        return f"{self._file} can't be used: {error}."


class SharedHome:
    """Tables of the database that gateways share. It is reached when it is first asked."""

    trouble = "the gateways' database can't be reached, or takes too long"

    def __init__(self, place: Place, store: str, *, most_bytes: int, owner_bytes: int | None = None) -> None:
        self._place = place
        self._store = store
        self._most_bytes = most_bytes
        self._owner_bytes = owner_bytes

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The errors that say that it can't be used."""
        return (*self._place.failures, LedgerUnavailable)

    def open(self) -> SharedDatabase:
        """Return the database."""
        return SharedDatabase(self._place, self._store, most_bytes=self._most_bytes, owner_bytes=self._owner_bytes)

    def told(self, setting: str, error: Exception) -> str:
        """Say that it can't be opened, and what to do."""
        return f"what is stored for '{setting}' can't be opened. {self.describe(error)}"

    def describe(self, error: Exception) -> str:
        """Say what went wrong with it."""
        return error.message if isinstance(error, LedgerUnavailable) else self._place.describe(error)


def home_of(
    file: Path, place: Place | None, store: str, *, most_bytes: int, owner_bytes: int | None = None
) -> FileHome | SharedHome:
    """Return where a store's records lie: in this file, unless there is a place that gateways share."""
    if place is None:
        return FileHome(file, most_bytes=most_bytes, owner_bytes=owner_bytes)
    return SharedHome(place, store, most_bytes=most_bytes, owner_bytes=owner_bytes)

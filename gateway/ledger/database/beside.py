"""A connection to the ledger for commands that change or check it, whether a gateway runs or not."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.database.sqlite import FILE_NAME, connect, describe
from gateway.ledger.lock import OwnerLock
from gateway.ledger.schema import check_current

_BUSY_SECONDS = 30.0  # a gateway that starts, or a vacuum, may hold it for so long


@contextmanager
def beside(directory: Path, *, write: bool = True) -> Iterator[sqlite3.Connection]:
    """Open the ledger of a state directory beside its gateway, and close it at the end.

    Raises:
        LedgerUnavailable: There is none, it is not of this version, or it can't be read or written.
    """
    file = directory / FILE_NAME
    if not file.is_file():
        raise LedgerUnavailable(f"There is no ledger at {file} yet. It begins with 'aduana serve'.")
    try:
        connection = _opened(file, write=write)
        try:
            check_current(connection, str(file))
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise LedgerUnavailable(describe(error, file)) from error


def _opened(file: Path, *, write: bool) -> sqlite3.Connection:
    try:
        if write:
            return connect(file, busy_seconds=_BUSY_SECONDS)
        address = f"{file.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    except OSError as error:
        raise LedgerUnavailable(describe(error, file)) from error


@contextmanager
def alone(directory: Path) -> Iterator[bool]:
    """Yield whether no gateway runs; then none can start before the end.

    Raises:
        LedgerUnavailable: The directory can't be used.
    """
    lock = OwnerLock(directory)
    try:
        lock.take()
    except LedgerUnavailable:
        yield False
        return
    except OSError as error:
        raise LedgerUnavailable(describe(error, directory)) from error
    try:
        yield True
    finally:
        lock.release()

"""Changes to the ledger by a command, beside a gateway that may be running with it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.lock import OwnerLock
from gateway.ledger.sql import Connection, Database, Undecided


def ready(database: Database, directory: Path) -> None:
    """Bring the ledger of a state directory to the current schema; make it where there is none.

    Where it is current nothing is done, and a gateway may run. Else nobody else may use the directory.

    Raises:
        LedgerUnavailable: A gateway of another version runs with it, or it can't be opened or written.
    """
    if _is_current(database):
        return
    lock = OwnerLock(directory)
    try:
        if not database.shared:
            lock.take()
        database.prepare()
    except database.failures as error:
        raise LedgerUnavailable(database.describe(error)) from error
    finally:
        lock.release()


@contextmanager
def changing(database: Database) -> Iterator[Connection]:
    """Open the ledger for one transaction, which is durable when the context is left, and undone where an error does.

    Databases let one writer in at a time, in whichever process: the gateway waits for us as we wait for it.

    Raises:
        LedgerUnavailable: It can't be opened or written.
    """
    try:
        with closing(database.connect()) as connection:  # closing undoes what was not committed
            database.begin(connection)
            yield connection
            database.commit(connection)
    except Undecided as error:
        raise LedgerUnavailable(f"{database.name} did not say whether the change was made: look.") from error
    except database.failures as error:
        raise LedgerUnavailable(database.describe(error)) from error


def _is_current(database: Database) -> bool:
    try:
        database.reader().close()
    except LedgerUnavailable:
        return False
    except database.failures:
        return False
    return True

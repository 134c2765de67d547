"""Gives room back that removed requests have left in the database's file."""

import shutil
import sqlite3
import time
from pathlib import Path

from gateway.core.errors import LedgerUnavailable

_PIECE = 100  # pages given back in one go: some milliseconds, for which a running gateway waits
_PAUSE = 0.05  # seconds between two of them
_INCREMENTAL = 2  # of `PRAGMA auto_vacuum`
_TRIES = 40


def vacuum(connection: sqlite3.Connection, file: Path, *, alone: bool) -> bool:
    """Make the file as small as it can be, and return whether its journal is empty as well.

    Beside a running gateway this goes in pieces, which a file that an older version made only learns while no gateway
    runs.

    Raises:
        LedgerUnavailable: There is no room on the disk for it, or it needs the gateway stopped.
        sqlite3.Error: It can't be written.
    """
    (way,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    if alone:
        needed, room = 2 * file.stat().st_size, shutil.disk_usage(file.parent).free
        if room < needed:
            raise LedgerUnavailable(
                f"The disk of {file} has {room / 1e6:.0f} MB left, and this needs {needed / 1e6:.0f} MB for a while. "
                "Nothing was changed; make room first."
            )
        connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
        connection.execute("VACUUM")
    elif way == _INCREMENTAL:
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        for _ in range(0, free, _PIECE):
            connection.executescript(f"PRAGMA incremental_vacuum({_PIECE})")  # `execute` would free one page
            time.sleep(_PAUSE)
    else:
        raise LedgerUnavailable(
            f"{file} was made by an older Aduana, whose files only shrink while no gateway runs. Stop the gateway and "
            "run this once; from then on it may run meanwhile."
        )
    return empty_journal(connection)


def empty_journal(connection: sqlite3.Connection) -> bool:
    """Bring everything from the write-ahead log into the file and empty it, so that nothing old stays in it.

    Returns whether that was done: somebody may be reading.
    """
    for _ in range(_TRIES):
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return True
        time.sleep(_PAUSE)
    return False

"""A database is copied while a gateway serves with it, and checked."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gateway.core.errors import Unavailable

_WAIT_SECONDS = 5.0
_GENTLE_SECONDS = 20.0
_GENTLE_PAGES = 4096  # 16 MB between two moments in which others can write


class _TooLong(Exception):
    """Signal that others write too often for a copy in pieces."""


def copy_database(source: Path, target: Path, *, in_pieces: bool = False) -> None:
    """Copy a database as it is at one moment, by SQLite's own way, into one file for its owner alone. Blocks.

    Args:
        source: The database. Another process may read and write it.
        target: A file that does not exist.
        in_pieces: Let others write in between: for a database without a write-ahead log, where readers stop writers.

    Raises:
        Unavailable: It can't be read, is damaged, or the copy can't be written.
    """
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        uri = f"{source.absolute().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS)) as read,
            closing(sqlite3.connect(target, isolation_level=None)) as written,
        ):
            _copy(read, written, in_pieces=in_pieces)
            written.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            (verdict,) = written.execute("PRAGMA quick_check(1)").fetchone()
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{source} can't be copied: {error}. Nothing was changed.") from error
    if verdict != "ok":
        raise Unavailable(f"{source} is damaged ({verdict}), so no backup of it was made. Nothing was changed.")


def _copy(read: sqlite3.Connection, written: sqlite3.Connection, *, in_pieces: bool) -> None:
    until = time.monotonic() + _GENTLE_SECONDS

    def look(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > until:
            raise _TooLong

    if in_pieces:
        try:
            read.backup(written, pages=_GENTLE_PAGES, progress=look, sleep=0.01)
        except _TooLong:
            pass
        else:
            return
    read.backup(written)

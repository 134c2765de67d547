"""A look at the ledger from outside: whether it is whole, and how fast it grows. Reads only."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from gateway.core.errors import LedgerUnavailable
from gateway.ledger.database.sqlite import FILE_NAME, describe, used_bytes
from gateway.ledger.identity import LedgerIdentity
from gateway.ledger.identity import read as read_identity
from gateway.ledger.packing.phrases import COLUMNS as SHARED
from gateway.ledger.schema import VERSION, identify
from gateway.ledger.sql import Database


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a ledger. `problem`: why the gateway would not start with it; empty: it would."""

    file: Path | None  # None: it lies in a database
    place: str = ""  # which database
    problem: str = ""
    bytes: int = 0
    used: int = 0  # bytes of the file that are in use
    requests: int = 0
    lately: float = 0.0  # requests a day, of the last 30 days
    newest_bytes: float | None = None  # that each of the newest requests takes; None: there are too few to tell
    newest: float | None = None  # Unix seconds of the last request
    version: int = 0
    checked: bool = False  # the whole file was looked at
    identity: LedgerIdentity | None = None

    def full_in_days(self, limit: int) -> float | None:
        """Return when the file will have reached a size, if requests go on coming as lately. None: it can't be told."""
        if self.newest_bytes is None or not self.lately:
            return None
        return max(0.0, limit - self.used) / (self.newest_bytes * self.lately)


_SECONDS = 30.0  # for a look at a database
_ENOUGH = 100  # requests; with fewer of them it is mostly the empty tables that are measured
_NEWEST = 1_000
_MONTH = 30 * 86_400.0
_SHRUNK = " + ".join(f"length({name})" for name in ("facts", *SHARED))  # what newer versions write shorter


def examine(place: Path | Database, *, check_bytes: int | None = None) -> Examination | None:
    """Look at a ledger. None: there is none yet.

    Args:
        place: The state directory, or the database.
        check_bytes: Up to this size the whole file is checked for damage (about 1 s per GB); None: always.
    """
    if not isinstance(place, Path):
        return _examined_database(place)
    file = place / FILE_NAME
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        return Examination(file=file, problem=describe(error, file))
    if not size:
        return None
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    except sqlite3.Error as error:
        return Examination(file=file, problem=describe(error, file), bytes=size)
    try:
        return _examined(connection, file, size, check=check_bytes is None or size <= check_bytes)
    except (sqlite3.Error, OSError) as error:
        return Examination(file=file, problem=describe(error, file), bytes=size)
    except LedgerUnavailable as error:
        return Examination(file=file, problem=error.message, bytes=size)
    finally:
        connection.close()


def _examined_database(database: Database) -> Examination | None:
    try:
        version = database.version()
        if not version:
            return None
        if version < VERSION:
            return Examination(file=None, place=database.place, version=version)
        with closing(database.reader(_SECONDS)) as connection:
            requests, newest = connection.execute("SELECT count(*), max(received_at) FROM receipts").fetchone()
            return Examination(
                file=None,
                place=database.place,
                bytes=database.size(connection),
                requests=int(requests),
                newest=newest,
                version=version,
                checked=True,
                identity=read_identity(connection),
            )
    except database.failures as error:
        return Examination(file=None, place=database.place, problem=database.describe(error))
    except LedgerUnavailable as error:
        return Examination(file=None, place=database.place, problem=error.message)


def _examined(connection: sqlite3.Connection, file: Path, size: int, *, check: bool) -> Examination:
    version = identify(connection, str(file))
    if check:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"malformed: {verdict}")
    if not version:
        return Examination(file=file, bytes=size, checked=check)
    requests, newest = connection.execute("SELECT count(*), max(received_at) FROM receipts").fetchone()
    used = used_bytes(connection)
    lately = 0.0
    if newest is not None:
        since = newest - _MONTH
        count, first = connection.execute(
            "SELECT count(*), min(received_at) FROM receipts WHERE received_at >= ?", (since,)
        ).fetchone()
        lately = count / max(1.0, (newest - first) / 86_400)
    return Examination(
        file=file,
        bytes=size,
        used=used,
        requests=int(requests),
        lately=lately,
        newest_bytes=_newest_bytes(connection, used, int(requests)),
        newest=newest,
        version=version,
        checked=check,
        identity=read_identity(connection) if version == VERSION else None,
    )


def _newest_bytes(connection: sqlite3.Connection, used: int, requests: int) -> float | None:
    """Return what each of the newest requests takes: they may be packed better than those of an older version."""
    if requests < _ENOUGH:
        return None
    (every,) = connection.execute(f"SELECT avg({_SHRUNK}) FROM receipts").fetchone()  # noqa: S608 - our own names
    (newest,) = connection.execute(
        f"SELECT avg(size) FROM (SELECT {_SHRUNK} AS size FROM receipts ORDER BY seq DESC LIMIT ?) AS newest",  # noqa: S608
        (_NEWEST,),
    ).fetchone()
    return float(max(used / requests - every + newest, newest))

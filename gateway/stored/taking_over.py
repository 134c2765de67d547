"""What a file has, taken over by the database that gateways share: a gateway that stood alone joins others.

Records keep their seal. INVARIANT: a record is deleted in the file only when the database has it, and none takes the
place of one that is there. What does not open under the gateways' key stays in the file.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import structlog

from gateway.core.errors import AduanaError, ConfigurationError
from gateway.stored.contract import RecordDatabase, Row
from gateway.stored.database import Database
from gateway.stored.examination import unopenable
from gateway.stored.sealing import Sealing, sealed_name

LOG = structlog.get_logger("aduana.stored")
_TOGETHER = 16  # records in one transaction; pieces of files have 1 MiB each
_UNBOUNDED = 2**62


def take_over(file: Path, database: RecordDatabase, sealing: Sealing, setting: str, *, since: float) -> None:
    """Take over what a file has and what has not expired, and delete the file when nothing is left in it. Blocks.

    Args:
        file: Where this gateway's records were.
        database: Where they go.
        sealing: What they are sealed with.
        setting: The section of the configuration, for errors and the log.
        since: What was neither made nor continued since then has expired.

    Raises:
        ConfigurationError: The file can't be used.
    """
    if not file.is_file() or not file.stat().st_size:
        return
    try:
        with closing(Database(file, most_bytes=_UNBOUNDED)) as before:
            before.expire(since)
            taken, left = _taken(before, database, lambda row: _opens(row, sealing))
        if not left:
            erase_store_file(file)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError((unopenable(file, setting, error),)) from error
    if taken:
        LOG.warning(f"{setting}.taken_over", records=taken, reason="they are in the gateways' database now")
    if left:
        LOG.error(
            f"{setting}.left_behind",
            records=left,
            file=str(file),
            reason="they were sealed under another taint.key than the gateways' one, so nobody can read them",
        )


def erase_store_file(file: Path) -> bool:
    """Delete a store's file with its journal, and return whether there was anything.

    Raises:
        OSError: It can't be deleted.
    """
    found = False
    for one in (file, file.with_name(f"{file.name}-journal")):
        if one.exists():
            one.unlink()
            found = True
    return found


def _taken(before: Database, database: RecordDatabase, opens: Callable[[Row], bool]) -> tuple[int, int]:
    """Return how many records were taken over, and how many stayed."""
    taken = left = 0
    keys = [(owner, name) for owner in before.owners() for name in before.all_ids(owner)]
    for start in range(0, len(keys), _TOGETHER):
        rows = [row for owner, name in keys[start : start + _TOGETHER] if (row := before.row(name, owner)) is not None]
        readable = [row for row in rows if opens(row)]

        def keep(some: list[Row] = readable) -> None:
            database.write(tuple(row for row in some if database.owner_of(row.id) is None))

        database.change(keep)
        for row in readable:
            before.delete(row.id, row.owner)
        taken, left = taken + len(readable), left + len(rows) - len(readable)
    return taken, left


def _opens(row: Row, sealing: Sealing) -> bool:
    try:
        sealing.open(row.sealed, sealed_name(row.owner, row.id))
    except AduanaError:
        return False
    return True

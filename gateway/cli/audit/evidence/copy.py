"""`aduana audit copy`: the ledger for the auditor, without the memory of conversations, which proves nothing."""

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.app.backup.databases import copy_database
from gateway.app.state.ledger_place import ledger_place
from gateway.cli.audit.evidence.ledgers import NEEDED
from gateway.cli.lines import print_line
from gateway.core.errors import LedgerUnavailable, Unavailable
from gateway.ledger import FILE_NAME
from gateway.ledger.reading.copying import copy_as_file
from gateway.settings import load_settings


def run(args: argparse.Namespace) -> int:
    """Write the copy, and return 0. The gateway may run meanwhile.

    Raises:
        LedgerUnavailable: There is no ledger.
        Unavailable: It can't be copied, or the file is there already.
    """
    place = ledger_place(load_settings(args.config))
    if isinstance(place, Path) and not (place / FILE_NAME).is_file():
        raise LedgerUnavailable(f"There is no ledger at {place / FILE_NAME} yet. It begins with 'aduana serve'.")
    if args.output.exists():
        raise Unavailable(f"{args.output} is there already, and was left as it is. Name another file with --output.")
    if isinstance(place, Path):
        _copy_file(place / FILE_NAME, args.output)
    else:
        copy_as_file(place, args.output, NEEDED)
    print_line(str(args.output))
    return 0


def _copy_file(ledger: Path, output: Path) -> None:
    copy_database(ledger, output)
    try:
        with closing(sqlite3.connect(output, isolation_level=None)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                if table not in NEEDED:
                    connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 - names from the schema
            connection.execute("VACUUM")
    except sqlite3.Error as error:
        output.unlink(missing_ok=True)
        raise Unavailable(f"{output} can't be written: {error}.") from error

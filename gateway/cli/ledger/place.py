"""Where the ledger lies that a subcommand is about."""

import argparse
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.app.state.ledger_place import ledger_place
from gateway.core.errors import LedgerUnavailable, Unavailable
from gateway.ledger import FILE_NAME, Database
from gateway.ledger.database.beside import beside
from gateway.ledger.database.sqlite import SqliteDatabase
from gateway.ledger.reading.copying import copy_as_file
from gateway.ledger.sql import Connection
from gateway.settings import Settings, load_settings

# Everything about requests; the memory of conversations and the digests of keys stay in the database.
_READ = frozenset(
    {
        "receipts", "settlements", "attempts", "reservations", "request_energy", "answering_servers", "fact_patterns",
        "phrases", "chain_head", "chain_links", "chain_salts", "checkpoints", "removed_last",
    }
)  # fmt: skip


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the configuration, whose ledger is a file of the state directory.

    Raises:
        Unavailable: It is a PostgreSQL database.
    """
    settings = load_settings(args.config)
    if settings.ledger.database is not None:
        raise Unavailable("The ledger lies in PostgreSQL (ledger.database), which gives room back by itself (VACUUM).")
    return settings


@contextmanager
def reading(settings: Settings) -> Iterator[sqlite3.Connection]:
    """Open the ledger beside its gateways, to read it; of a database, a copy of what is about requests.

    Raises:
        LedgerUnavailable: There is none, or it can't be read.
    """
    place = ledger_place(settings)
    if isinstance(place, Path):
        with beside(place, write=False) as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="aduana-ledger-") as folder:
        file = Path(folder) / FILE_NAME
        copy_as_file(place, file, _READ)
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            yield connection


@contextmanager
def changing(settings: Settings) -> Iterator[tuple[Database, Connection]]:
    """Open the ledger beside its gateways, to change it in transactions of its database.

    Raises:
        LedgerUnavailable: There is none, or it can't be read or written.
    """
    place = ledger_place(settings)
    if isinstance(place, Path):
        with beside(place) as file:
            yield SqliteDatabase(place), file
        return
    try:
        place.reader().close()  # there is one, of this version
        with closing(place.connect()) as connection:
            yield place, connection
    except place.failures as error:
        raise LedgerUnavailable(place.describe(error)) from error

"""`aduana ledger move`: a stopped gateway's file goes whole into an empty PostgreSQL database."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from gateway.app.state.ledger_place import ledger_place
from gateway.app.state.losses import losses
from gateway.app.state.memory import StateMemory
from gateway.cli.lines import print_line
from gateway.core.errors import BadRequest, LedgerUnavailable, Unavailable
from gateway.ledger import FILE_NAME, SharedDatabase
from gateway.ledger.database.beside import alone, beside
from gateway.ledger.identity import read as identity_of
from gateway.ledger.moving import Moved, move, moved_before
from gateway.settings import Settings, load_settings
from gateway.settings.kept.ledger import LedgerConfig

DESCRIPTION = (
    "Copies the ledger's file of a stopped gateway whole into an empty PostgreSQL database: requests, money, energy, "
    "the memory of conversations, API keys, and the chain with its checkpoints, which verifies as before. The file is "
    "only read. It is one transaction: where it is broken off, the database stays empty; run it again."
)
STATUS = "Exit status: 0 it is there, 2 nothing was moved."
_TOLD = (
    ("receipts", "requests"),
    ("chain_links", "links"),
    ("checkpoints", "checkpoints"),
    ("taint", "remembered hashes"),
    ("masks", "mappings"),
    ("api_keys", "API keys"),
    ("energy", "hours of energy"),
)
_SHOWN_SECONDS = 0.2  # between two looks at how far it is


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--to",
        metavar="ADDRESS",
        help="the database, as postgresql://user@host/database, env:NAME or file:PATH (default: ledger.database)",
    )
    parser.add_argument(
        "--password", metavar="env:NAME|file:PATH", help="of its user, where no other way of libpq's has it"
    )


def run(args: argparse.Namespace) -> int:
    """Move the ledger, tell what is there now and what to do next, and return 0.

    Raises:
        BadRequest: The address is none.
        LedgerUnavailable: It can't be moved; nothing was.
        Unavailable: No database is named, or a gateway runs.
    """
    configured = load_settings(args.config)
    settings = _aimed(configured, args.to, args.password)
    folder = settings.state_dir
    place = ledger_place(settings)
    if isinstance(place, Path):
        raise Unavailable("Say where it goes: --to postgresql://user@host/database. docs/postgresql.md says more.")
    file = folder / FILE_NAME
    if not file.is_file():
        raise LedgerUnavailable(f"There is no ledger at {file}, so there is nothing to move.")
    with alone(folder) as stopped:
        if not stopped:
            raise Unavailable(f"A gateway runs on {folder}. Stop it first: what it writes meanwhile would be missing.")
        found = StateMemory(folder).look()
        with beside(folder, write=False) as source:
            lost = losses(found, identity_of(source))
            if lost:
                raise Unavailable(f"{lost.sentence()} Nothing was moved.")
            if moved_before(source, place):
                print_line(f"{place.place} has all records of {file} already. Nothing was moved.")
                _tell_next(configured, settings)
                return 0
            progress = _progress()
            moved = move(file, source, place, now=time.time(), progress=progress)
    _tell(moved, place)
    _tell_next(configured, settings)
    return 0


def _aimed(settings: Settings, to: str | None, password: str | None) -> Settings:
    """Return the settings with the ledger in the database that the options name.

    Raises:
        BadRequest: That is no address of one.
    """
    if to is None and password is None:
        return settings
    try:
        ledger = LedgerConfig.model_validate({"database": to or settings.ledger.database, "password": password})
    except ValidationError as error:
        told = "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())
        raise BadRequest(f"--to, --password: {told}.") from error
    return settings.model_copy(update={"ledger": ledger})


def _tell(moved: Moved, place: SharedDatabase) -> None:
    parts = ", ".join(f"{moved.rows[table]:,} {name}" for table, name in _TOLD)
    print_line(f"Moved to {place.place}: {moved.whole:,} rows. {parts}.")
    print_line(
        f"Compared: every table has as many rows as in the file, and the chain ends with the same link "
        f"({moved.links:,}, {moved.head[:16]}…)."
    )
    if moved.settled:
        print_line(f"{moved.settled:,} requests that a crash had cut off were settled there, as the next start does.")


def _tell_next(configured: Settings, settings: Settings) -> None:
    ledger = settings.ledger
    if configured.ledger.database == ledger.database and configured.ledger.password == ledger.password:
        print_line("aduana.yaml names this database already. Go on with: aduana serve")
    else:
        print_line("Now write this into aduana.yaml; what else it has below 'ledger' stays:\n")
        print("ledger:")
        print(f"  database: {_quoted(ledger.database)}")
        if ledger.password is not None:
            print(f"  password: {_quoted(ledger.password)}")
        print_line("\nThen go on with: aduana serve. Not before: what a gateway still writes to the file stays there.")
    print_line("The state directory stays where it is: its taint.key and state.json belong to the ledger in any place.")


def _quoted(text: str | None) -> str:
    return json.dumps(text, ensure_ascii=False)  # which is YAML, too


def _progress() -> Callable[[int, int], None]:
    """Return a function that shows on one line of a terminal how far it is; elsewhere nothing."""
    if not sys.stderr.isatty():
        return lambda done, whole: None
    shown = float("-inf")

    def progress(done: int, whole: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if done < whole and now - shown < _SHOWN_SECONDS:
            return
        shown = now
        percent = 100 * done // whole if whole else 100
        end = "\n" if done == whole else ""
        print(f"\r{done:,} of {whole:,} rows, {percent} %", end=end, file=sys.stderr, flush=True)

    return progress

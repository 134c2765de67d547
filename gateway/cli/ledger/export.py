"""`aduana ledger export`: what the ledger has of single requests, for other programs and for whoever asks for it."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TextIO

import msgspec

from gateway.app.erasure import names_of
from gateway.cli.ledger.place import reading
from gateway.cli.lines import print_line
from gateway.core.errors import BadRequest, Unavailable
from gateway.ledger.ledger import zone_of
from gateway.ledger.reading.export import FIELDS, Period, exported
from gateway.settings import load_settings

DESCRIPTION = (
    "Writes one line for each request: when, by whom, its label and why, where it might go and where it went, tokens, "
    "money (in millionths of a dollar) and energy. There is no content in it, for the ledger has none. With --user it "
    "is what the ledger knows about that person."
)
STATUS = "Exit status: 0 done, 2 it could not be done."
_STDOUT = Path("-")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for one


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--format", choices=("jsonl", "csv"), default="jsonl", help="shape of the lines")
    parser.add_argument("--from", dest="first", metavar="DAY", help="the first day, as 2026-11-01 (default: all)")
    parser.add_argument("--to", dest="last", metavar="DAY", help="the last day, which is included (default: today)")
    parser.add_argument("--key", default="", metavar="NAME", help="only requests of this API key")
    parser.add_argument("--user", default="", metavar="NAME", help="only requests of this user")
    parser.add_argument("--facts", action="store_true", help="with all that the policy looked at")
    parser.add_argument(
        "--out", type=Path, default=_STDOUT, metavar="FILE", help="a new file (default: -, standard output)"
    )


def run(args: argparse.Namespace) -> int:
    """Copy requests out, and return 0.

    Raises:
        BadRequest: A day can't be read.
        LedgerUnavailable: The ledger can't be read.
        Unavailable: The file is there already.
    """
    settings = load_settings(args.config)
    period = period_of(args.first, args.last, zone_of(settings.timezone))
    users = names_of(args.user, settings.state_dir)
    period = msgspec.structs.replace(period, key=args.key, users=users)
    with (
        reading(settings) as connection,
        closing(exported(connection, period, facts=args.facts)) as found,
        _opened(args.out) as out,
    ):
        count = _csv(found, out, facts=args.facts) if args.format == "csv" else _jsonl(found, out)
    print_line(f"{count:,} requests", to_errors=True)
    return 0


def period_of(first: str | None, last: str | None, zone: tzinfo | None) -> Period:
    """Return the period from the first day to the last, both whole, in a time zone.

    Raises:
        BadRequest: A day can't be read, or the first is behind the last.
    """
    since = 0.0 if first is None else _day("--from", first).replace(tzinfo=zone).timestamp()
    until = float("inf")
    if last is not None:
        until = (_day("--to", last) + timedelta(days=1)).replace(tzinfo=zone).timestamp()
    if since >= until:
        raise BadRequest(f"--from {first} is behind --to {last}.")
    return Period(since=since, until=until)


def _day(option: str, text: str) -> datetime:
    try:
        day = datetime.strptime(text, "%Y-%m-%d")
        day.timestamp()
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{option} {text!r} is not a day. Write one like 2026-11-01.") from error
    return day


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open standard output, or a new file for its owner alone, which goes again where it can't be written whole.

    Raises:
        Unavailable: The file is there already.
    """
    if path == _STDOUT:
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise Unavailable(f"{path} is there already, and was left as it is. Name another file with --out.") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _jsonl(found: Iterable[dict[str, Any]], out: TextIO) -> int:
    count = 0
    for request in found:
        count += 1
        out.write(json.dumps(request, ensure_ascii=False, separators=(",", ":")) + "\n")
    return count


def _csv(found: Iterable[dict[str, Any]], out: TextIO, *, facts: bool) -> int:
    names = [*FIELDS, "attempts", *(["facts"] if facts else [])]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for request in found:
        count += 1
        writer.writerow([_cell(request[name]) for name in names])
    return count


def _cell(value: object) -> object:
    match value:
        case list() | dict():
            return json.dumps(value, ensure_ascii=False) if value else ""
        case bool():
            return int(value)
        case str() if len(value) > 1 and value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value

"""`aduana ledger verify`: the database's own check, then what the ledger promises."""

import argparse

import msgspec

from gateway.cli.ledger.place import reading
from gateway.cli.lines import print_line
from gateway.ledger.reading.verification import verify
from gateway.settings import load_settings

DESCRIPTION = (
    "Reads the whole ledger: whether the file is damaged, every row belongs to its receipt, no receipt has two "
    "settlements, no request that was labelled sensitive was answered by a cloud, and all facts can be read. Changes "
    "nothing. Takes about 20 s for 100,000 requests, most of it for the chain."
)
STATUS = "Exit status: 0 all is well, 1 something is not, 2 the ledger can't be read."


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Check, tell what was found, and return 0 where all is well.

    Raises:
        LedgerUnavailable: The ledger can't be read.
    """
    settings = load_settings(args.config)
    with reading(settings) as connection:
        checks = list(verify(connection))
    good = all(check.ok for check in checks)
    if args.json:
        print(msgspec.json.encode({"ok": good, "checks": checks}).decode())
        return 0 if good else 1
    for check in checks:
        print_line(f"{'ok' if check.ok else 'PROBLEM':9}{check.name}: {check.detail}")
    if not good:
        print_line("Keep the file as it is, with its '-wal' file, and put a backup back: aduana restore --help")
    return 0 if good else 1

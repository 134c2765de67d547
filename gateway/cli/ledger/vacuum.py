"""`aduana ledger vacuum`: the file becomes as small as what is in it."""

import argparse

from gateway.cli.ledger.place import settings_of
from gateway.cli.lines import print_line
from gateway.ledger import FILE_NAME
from gateway.ledger.database.beside import alone, beside
from gateway.ledger.database.vacuum import vacuum

DESCRIPTION = (
    "What is removed leaves room in the ledger's file, which later requests fill. This gives it back to the disk, as "
    "after many requests were erased. While a gateway runs it goes in small pieces."
)
STATUS = "Exit status: 0 done, 1 done but for the journal (a gateway or another program is reading), 2 not done."


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options: there are none of its own."""


def run(args: argparse.Namespace) -> int:
    """Make the file small, and return 0.

    Raises:
        LedgerUnavailable: It can't be done.
    """
    folder = settings_of(args).state_dir
    file = folder / FILE_NAME
    with beside(folder) as connection, alone(folder) as stopped:
        before = file.stat().st_size
        clean = vacuum(connection, file, alone=stopped)
        after = file.stat().st_size
    print_line(f"{file}: {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now")
    if not clean:
        print_line("Its journal could not be emptied, because something is reading. Run this again in a moment.")
    return 0 if clean else 1

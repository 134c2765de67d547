"""`aduana audit checkpoints`: the signed checkpoints that the ledger has, one a line."""

import argparse

from gateway.app.state.ledger_place import ledger_place
from gateway.cli.audit.evidence.key import hand_out
from gateway.cli.audit.evidence.ledgers import opened
from gateway.ledger import chain
from gateway.settings import load_settings


def run(args: argparse.Namespace) -> int:
    """Print them, and return 0.

    Raises:
        LedgerUnavailable: The ledger can't be read.
    """
    with opened(ledger_place(load_settings(args.config))) as connection:
        lines = chain.lines_behind(connection)
    hand_out("".join(f"{line}\n" for line in lines), args.output)
    return 0

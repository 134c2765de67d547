"""`aduana audit key`: the public key for whoever is to verify. Who has it early can't be told another one later."""

import argparse
from pathlib import Path

from gateway.app.checkpoints.key import load_signer
from gateway.cli.lines import print_line
from gateway.core.errors import LedgerUnavailable
from gateway.ledger.chain.signing import public_pem
from gateway.settings import load_settings


def run(args: argparse.Namespace) -> int:
    """Print the key, and return 0.

    Raises:
        LedgerUnavailable: There is none yet.
    """
    state = load_settings(args.config).state_dir
    signer = load_signer(state, make=False)
    if signer is None:
        raise LedgerUnavailable(f"There is no key in {state} yet. It is made by 'aduana serve'.")
    hand_out(public_pem(signer.public), args.output)
    print_line(f"key {signer.fingerprint}", to_errors=True)
    return 0


def hand_out(text: str, output: Path | None) -> None:
    """Write a text into a file, or to standard output."""
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")

"""`python -m tests.faults.crash --kills 1000`: kills gateways at random moments, for each kind of ledger."""

import argparse
import contextlib
import random
import tempfile
import time
from pathlib import Path

from gateway.core.secret import Secret
from gateway.ledger import LedgerSettings
from tests.faults.crash.campaign import Told, campaign
from tests.standins.postgresql import running_postgresql


def main() -> None:
    """Run the campaigns and print what they saw; an error where anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.crash", description=main.__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--ledger", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--address", help="of an empty PostgreSQL schema; default: a server of its own")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aduana-crash-") as folder:
        if args.ledger != "postgresql":
            _tell("SQLite", args, LedgerSettings(directory=Path(folder) / "sqlite"))
        if args.ledger != "sqlite":
            with contextlib.ExitStack() as stack:
                address = args.address or stack.enter_context(running_postgresql()).fresh()
                settings = LedgerSettings(directory=Path(folder) / "shared", database=Secret(address))
                _tell("PostgreSQL", args, settings)


def _tell(name: str, args: argparse.Namespace, settings: LedgerSettings) -> None:
    begun = time.monotonic()
    told: Told = campaign(settings, args.kills, dice=random.Random(args.seed))
    print(
        f"{name}: {args.kills} gateways were killed in {time.monotonic() - begun:.0f} s. They had acknowledged "
        f"{len(told.receipts)} receipts, {len(told.settlements)} settlements and {len(told.turns)} remembered turns: "
        "none is lost, none is there twice."
    )


if __name__ == "__main__":
    main()

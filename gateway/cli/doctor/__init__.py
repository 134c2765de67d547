"""`aduana doctor`: what a support person would ask about an installation, each answer with what to do.

One file a subject, each a function from the patient to findings; `show.py` prints them. Changes nothing but a file of
remembered digests in the user's cache.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

REPAIR = (
    "Install Aduana again into this environment, from the wheel or folder that it came from: "
    "pip install --force-reinstall FILE"
)


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "doctor",
        help="what works here, what does not, and what to do about it",
        description="Looks at everything that the gateway rests on: engine, cards, configuration and policy, models, "
        "keys, ports, state directory, ledger, clock, disk, walls. Works whether the gateway runs or not, and when "
        "half of it is broken. Sends nothing beyond your own machines without --online.",
        epilog="Exit status: 0 no problem was found, 1 there is one.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument(
        "--online", action="store_true", help="also connect to the configured clouds (sends no key and no request)"
    )
    parser.add_argument("--quick", action="store_true", help="without reading whole model files, engine and policy")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Examine, print, and return 0 where there is no problem."""
    try:
        rounds = importlib.import_module("gateway.cli.doctor.rounds")
    except ImportError as error:  # so much is missing that nothing can be examined
        print(f"aduana: a package that everything needs is missing or broken: {error}. {REPAIR}", file=sys.stderr)
        return 1
    return int(rounds.run(args))

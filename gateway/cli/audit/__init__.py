"""`aduana audit privacy`: plants canaries in requests to a real gateway, and reads what a stand-in cloud received.

The gateway is a process of its own with a configuration of its own; its "cloud" and its "home" are recorders on
loopback. Every canary has a marker: a marker in the cloud's record is a leak. Clean requests must arrive there.
With a configuration, the user's own words, lists and patterns are tried too, and then the user's own policy.

The other subcommands, in `evidence/`, are about what the ledger of the user's own gateway proves.

Owns the gateways that it starts and the recorders. Must not ask a real target, nor touch the user's own ledger.
"""

import argparse
import importlib
from pathlib import Path

from gateway.cli.audit import evidence

PARTS = ("planted", "memory", "released", "faults")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "audit",
        help="prove that nothing sensitive leaves, or has left",
        description="'privacy' starts a gateway of its own and tries with planted secrets whether one gets out. The "
        "others tell an auditor what the ledger of your own gateway proves. No real target is asked.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    privacy = actions.add_parser(
        "privacy",
        help="planted canaries against a stand-in cloud on this machine",
        description="Starts gateways and recorders on this machine, and asks thousands of questions with planted "
        "values in every place, encoding and dialect, with what was told in private before, and while things go wrong. "
        "No real target is asked. Exit status 1: something private reached the stand-in cloud; 3: nothing did, but of "
        "some kind of harmless requests more than a tenth was kept at home.",
    )
    privacy.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration whose words, patterns and policy are tried too (default: here or ~/.config/aduana)",
    )
    privacy.add_argument(
        "--part", action="append", choices=PARTS, help="only this part; may come more than once (default: all)"
    )
    privacy.add_argument("--quick", action="store_true", help="the same as --part planted")
    privacy.add_argument("--full", action="store_true", help="all products of places and encodings: takes minutes")
    privacy.add_argument("--json", action="store_true", help="print the result as JSON")
    privacy.add_argument("--verbose", action="store_true", help="print every case")
    evidence.add_parsers(actions)


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand, and return its exit status. Only what it needs is imported."""
    if args.action in evidence.ACTIONS:
        return evidence.run(args)
    return int(importlib.import_module("gateway.cli.audit.privacy").run(args))

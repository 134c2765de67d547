"""`aduana audit privacy`: plants canaries in requests to a real gateway, and reads what a stand-in cloud received.

The gateway is a process of its own with a configuration of its own; its "cloud" and its "home" are recorders on
loopback. Every canary has a marker: a marker in the cloud's record is a leak. Clean requests must arrive there.
With a configuration, the user's own words, lists and patterns are tried too, and then the user's own policy.

Owns the gateways that it starts and the recorders. Must not ask a real target, nor touch the user's own ledger.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gateway.cli.audit.client import Result
from gateway.cli.audit.gateway import COMMAND, DidNotStart
from gateway.cli.audit.parts import PARTS, Audit
from gateway.cli.audit.report import as_json, exit_code, show
from gateway.settings import DEFAULT_FILE, load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("audit", help="prove with planted secrets that nothing sensitive leaves")
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
        help="configuration whose words, patterns and policy are tried too (default: aduana.yaml if there is one)",
    )
    privacy.add_argument(
        "--part", action="append", choices=PARTS, help="only this part; may come more than once (default: all)"
    )
    privacy.add_argument("--quick", action="store_true", help="the same as --part planted")
    privacy.add_argument("--full", action="store_true", help="all products of places and encodings: takes minutes")
    privacy.add_argument("--json", action="store_true", help="print the result as JSON")
    privacy.add_argument("--verbose", action="store_true", help="print every case")


def run(args: argparse.Namespace) -> int:
    """Audit, and return 0 for no leak, 1 for a leak, 3 for too much kept, 2 where the gateway did not start."""
    return audit(args, COMMAND)


def audit(args: argparse.Namespace, command: Sequence[str]) -> int:
    """Audit the gateway that `command` starts, print the result and return the exit status."""
    settings = load_settings(args.config) if args.config is not None or DEFAULT_FILE.is_file() else None
    chosen = ("planted",) if args.quick else tuple(args.part or PARTS)
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            results: list[Result] = Audit(Path(folder), command, settings, notes, full=args.full).run(chosen)
        except DidNotStart as error:
            print(f"{error}aduana: the gateway did not start; its log is above.", file=sys.stderr)
            return 2
    if args.json:
        print(as_json(results, notes))
    else:
        show(results, notes=notes, verbose=args.verbose)
    return exit_code(results)

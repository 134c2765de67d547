"""`aduana audit privacy`: the audit of a gateway that a command starts, and its result."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gateway.cli.audit import PARTS
from gateway.cli.audit.client import Result
from gateway.cli.audit.gateway import COMMAND, DidNotStart
from gateway.cli.audit.parts import Audit
from gateway.cli.audit.report import as_json, exit_code, show
from gateway.settings import default_file, load_settings


def run(args: argparse.Namespace) -> int:
    """Audit, and return 0 for no leak, 1 for a leak, 3 for too much kept, 2 where the gateway did not start."""
    return audit(args, COMMAND)


def audit(args: argparse.Namespace, command: Sequence[str]) -> int:
    """Audit the gateway that `command` starts, print the result and return the exit status."""
    settings = load_settings(args.config) if args.config is not None or default_file() is not None else None
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

"""`aduana audit privacy`: plants canaries in requests to a real gateway, and reads what a stand-in cloud received.

The gateway is a process of its own with a configuration of its own; its "cloud" and its "home" are recorders on
loopback. Every canary has a marker: a marker in the cloud's record is a leak. Clean requests must arrive there.
With a configuration, the user's own words, lists and patterns are tried too, and then the user's own policy.

Owns the gateway that it starts and the recorders. Must not ask a real target, nor touch the user's own ledger.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from gateway.cli.audit.cases import Numbers, cases
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.faults import FAULTS, run_fault
from gateway.cli.audit.gateway import COMMAND, DidNotStart, Setup, started
from gateway.cli.audit.own_policy import own_policy, own_texts
from gateway.cli.audit.recorder import Recorder, recorder
from gateway.cli.audit.report import as_json, exit_code, show
from gateway.cli.audit.taint import memory
from gateway.settings import DEFAULT_FILE, load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("audit", help="prove with planted secrets that nothing sensitive leaves")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    privacy = actions.add_parser(
        "privacy",
        help="planted canaries against a stand-in cloud on this machine",
        description="Starts a gateway and two recorders on this machine, and asks hundreds of questions with planted "
        "values in every place, encoding and dialect, and while things go wrong. No real target is asked. "
        "Exit status 1: a planted value reached the stand-in cloud.",
    )
    privacy.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration whose words, patterns and policy are tried too (default: aduana.yaml if there is one)",
    )
    privacy.add_argument("--quick", action="store_true", help="leave out faults and the memory of conversations")
    privacy.add_argument("--json", action="store_true", help="print the result as JSON")
    privacy.add_argument("--verbose", action="store_true", help="print every case")


def run(args: argparse.Namespace) -> int:
    """Audit, and return 0 for no leak, 1 where a canary reached the cloud, 2 where the gateway did not start."""
    return audit(args, COMMAND)


def audit(args: argparse.Namespace, command: Sequence[str]) -> int:
    """Audit the gateway that `command` starts, print the result and return the exit status."""
    settings = load_settings(args.config) if args.config is not None or DEFAULT_FILE.is_file() else None
    notes: list[str] = []
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder, recorder() as cloud, recorder() as home:
        setup = Setup(folder=Path(folder), cloud=cloud.base_url, home=home.base_url, command=command, settings=settings)
        try:
            for some in _parts(setup, cloud, home, notes, quick=args.quick):
                results += some
        except DidNotStart as error:
            print(f"{error}aduana: the gateway did not start; its log is above.", file=sys.stderr)
            return 2
    if args.json:
        print(as_json(results, notes))
    else:
        show(results, notes=notes, verbose=args.verbose)
    return exit_code(results)


def _parts(setup: Setup, cloud: Recorder, home: Recorder, notes: list[str], *, quick: bool) -> Iterator[list[Result]]:
    numbers = Numbers()
    with ExitStack() as stack:

        def start() -> AuditClient:
            return AuditClient(stack.enter_context(started(setup, setup.write())), cloud, home)

        asking = start()
        own = own_texts(setup.settings, notes) if setup.settings is not None else {}
        yield asking.ask(cases(own, numbers))
        if not quick:

            def restart() -> AuditClient:
                asking.gateway.kill()
                return start()

            yield memory(asking, numbers, restart=restart)
    if not quick:
        for fault in FAULTS:
            yield run_fault(fault, setup, cloud, home, numbers)
    if setup.settings is not None:
        yield own_policy(setup, cloud, home, numbers, notes)

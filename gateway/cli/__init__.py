"""The `aduana` command. One short file a subcommand; only the one that runs is imported.

Owns what a person types and reads in a terminal. Must not be imported by anything else, and decides nothing itself.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from gateway import __version__
from gateway.core.errors import AduanaError, ConfigurationError

# Name → what it does. The module `gateway.cli.<name>` has `add_parser(subparsers)` and `run(args) -> exit code`.
COMMANDS = {
    "serve": "run the gateway",
    "check": "check configuration and policies, prove their claims",
    "explain": "show how a request would be decided, sending nothing",
    "schema": "print the JSON Schema of policies or of aduana.yaml, for editors",
    "diff": "where a candidate policy decides otherwise",
    "replay": "decide the ledger's recorded requests again under another policy",
    "savings": "what local answers saved, from the ledger",
    "reconcile": "compare the ledger with a provider's invoice",
    "calibrate": "measure power and token weights of this machine",
    "prices": "what models cost; take over a newer price list",
    "models": "list, load and unload models, unpack the starter model",
    "audit": "prove with planted secrets that nothing sensitive leaves",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status.

    0: done. 1: the answer is no (a check failed). 2: it could not be done.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="aduana",
        description="The one address between your apps, your own GPU and the cloud.",
        epilog="Run 'aduana COMMAND --help' for its options.",
    )
    parser.add_argument("--version", action="version", version=f"aduana {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if name == chosen:
            importlib.import_module(f"gateway.cli.{name}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    args = parser.parse_args(arguments)
    try:
        return int(importlib.import_module(f"gateway.cli.{args.command}").run(args))
    except ConfigurationError as error:
        for problem in error.problems:
            print(f"aduana: {problem}", file=sys.stderr)
        return 2
    except AduanaError as error:
        print(f"aduana: {error.message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130

"""The `aduana` command. One short file a subcommand; only the one that runs is imported.

Owns what a person types and reads in a terminal. Must not be imported by anything else, and decides nothing itself.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway import __version__
from gateway.cli.lines import let_go_of_output, print_line, writable_streams
from gateway.core.errors import AduanaError, ConfigurationError

# Name → what it does. The module `gateway.cli.<name>` has `add_parser(subparsers)` and `run(args) -> exit code`.
COMMANDS = {
    "init": "set up: find models and servers, choose a policy, write aduana.yaml",
    "serve": "run the gateway",
    "egress": "run the way out to clouds as a process of its own",
    "check": "check configuration and policies, prove their claims",
    "doctor": "what works here, what does not, and what to do about it",
    "keys": "make, change, list, rotate and revoke API keys; what each used",
    "explain": "show how a request would be decided, sending nothing",
    "schema": "print the JSON Schema of policies or of aduana.yaml, for editors",
    "diff": "where a candidate policy decides otherwise",
    "replay": "decide the ledger's recorded requests again under another policy",
    "savings": "what local answers saved, from the ledger",
    "reconcile": "compare the ledger with a provider's invoice",
    "calibrate": "measure power and token weights of this machine",
    "prices": "what models cost; take over a newer price list",
    "models": "pull, import, list, verify and remove models; load and unload them",
    "plan": "what a card can run, how fast, at what cost, and when it is paid back",
    "files": "list and copy ready policies, dashboards and service files",
    "connect": "what to set in an app: print, write, try or undo it; start the app with it",
    "extras": "list the parts that can be added, and install them",
    "engine": "install the engine for this machine, show what it can do",
    "backup": "copy the ledger, its key and the configuration while the gateway runs",
    "restore": "check a backup, and put it back",
    "ledger": "the record of all requests: verify, export, erase, move, vacuum",
    "audit": "prove that nothing sensitive leaves; from the ledger, that nothing did",
}

# Commands that start another program: what stands behind `--` is its own command line, and comes as `args.behind`.
STARTERS = frozenset({"connect"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status.

    0: done. 1: the answer is no (a check failed). 2: it could not be done.
    """
    writable_streams()
    try:
        return _main(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        return 130
    finally:
        let_go_of_output()


def _main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="aduana",
        description="The one address between your apps, your own GPU and the cloud.",
        epilog="Run 'aduana COMMAND --help' for its options.",
    )
    parser.add_argument("--version", action="version", version=f"aduana {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if name == chosen:
            importlib.import_module(f"gateway.cli.{name}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    if chosen is not None and chosen not in COMMANDS and arguments[0] == chosen:
        print_line(f"aduana: {_no_command(chosen)}", to_errors=True)
        return 2
    behind = None
    if chosen in STARTERS and "--" in arguments:
        at = arguments.index("--")
        arguments, behind = arguments[:at], tuple(arguments[at + 1 :])
    args = parser.parse_args(arguments, argparse.Namespace(behind=behind))
    if args.command is None:
        parser.print_help()
        return 0
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    """Carry out the command, and return its exit status; what it could not do is told in a sentence.

    Raises:
        RuntimeError: The program itself is at fault.
    """
    try:
        status = int(importlib.import_module(f"gateway.cli.{args.command}").run(args))
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except ConfigurationError as error:
        for problem in error.problems:
            print_line(f"aduana: {problem}", to_errors=True)
        return 2
    except AduanaError as error:
        print_line(f"aduana: {error.message}", to_errors=True)
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:  # a full disk, a name that is too long, a file that went meanwhile
        print_line(f"aduana: {_could_not(error)}", to_errors=True)
        return 2
    except RuntimeError:
        if _has_home():
            raise
        print_line("aduana: This user has no home folder. Set the variable HOME to a folder.", to_errors=True)
        return 2


def _could_not(error: OSError) -> str:
    where = "" if error.filename is None else f"{error.filename}: "
    return f"{where}{error.strerror or error}."


def _has_home() -> bool:
    try:
        Path.home()
    except RuntimeError:
        return False
    return True


def _no_command(word: str) -> str:
    import difflib  # not for every command: 'aduana --help' is to be quick

    near = difflib.get_close_matches(word, COMMANDS, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"there is no command {word!r}. {hint}'aduana --help' lists them all."

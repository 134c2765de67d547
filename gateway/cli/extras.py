"""`aduana extras`: list the parts that can be added to this installation, and install them."""

import argparse
import importlib.metadata
import os
import sys
from typing import Any

from packaging.requirements import Requirement

from gateway import __version__
from gateway.cli.engine.packages import Step, argument, carry_out, installer, requirements, typed
from gateway.cli.lines import print_line
from gateway.core.errors import ConfigurationError

# Extra → what it is for. Those that only developers want are not here.
EXTRAS = {
    "documents": "the reading of PDFs, scans and pictures",
    "local": "models that the gateway runs itself ('aduana engine install')",
    "ner": "the search for people's names and addresses",
    "postgres": "the ledger in a PostgreSQL database, for several gateways",
    "speech": "recordings that become text, and sound in other formats than WAV",
    "tokenizer": "counting tokens as a reference model does",
    "traces": "traces by OpenTelemetry",
}
_AGAIN = "Install Aduana again, from the wheel or folder that it came from."
_UNKNOWN = "unknown"


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "extras",
        help="list the parts that can be added, and install them",
        description="Lists the extras of this installation: which are there, which are not, what each is for.",
    )
    install = parser.add_subparsers(dest="action", metavar="ACTION").add_parser(
        "install",
        help="install the packages of extras into the environment that this command runs in",
        epilog="Exit status: 0 they are installed, 2 they could not be.",
    )
    install.add_argument("names", nargs="+", choices=list(EXTRAS), metavar="NAME", help=", ".join(EXTRAS))
    install.add_argument("--dry-run", action="store_true", help="say what would be installed, and install nothing")


def run(args: argparse.Namespace) -> int:
    """List the extras, or install some. Return 0; 2 where the installer fails.

    Raises:
        ConfigurationError: This installation does not say what the extras need.
    """
    if args.action == "install":
        return _install(tuple(dict.fromkeys(args.names)), dry_run=args.dry_run)
    print_line(f"Extras of Aduana {__version__} in {sys.prefix}:")
    states = {name: _state(name) for name in EXTRAS}
    width = max(map(len, states.values()))
    for name, state in states.items():
        print_line(f"  {name:<9}  {state:<{width}}  {EXTRAS[name]}")
    if _UNKNOWN in states.values():
        print_line(f"This installation does not say what the unknown ones need. {_AGAIN}")
    print_line("'aduana extras install NAME' adds one.")
    return 0


def _install(names: tuple[str, ...], *, dry_run: bool) -> int:
    if "local" in names:
        problem = (
            "The extra 'local' is the engine, of which there is a build for each machine. Run: aduana engine install"
        )
        raise ConfigurationError((problem,))
    packages = tuple(dict.fromkeys(argument(one) for name in names for one in _needed(name)))
    step = Step(what=f"Installing {' and '.join(names)}: {', '.join(packages)}", arguments=packages)
    if dry_run:
        print_line("This would be run:")
        print(typed([*installer(bring=False), *step.arguments]))
        return 0
    print_line(step.what)
    if not carry_out(step, os.environ, print_line):
        print_line(
            f"It could not be installed; the installer's last lines above say why. {sys.prefix} has to be writable for "
            "whoever types this."
        )
        return 2
    print_line("Installed. A gateway that runs takes it with its next start.")
    return 0


def _needed(name: str) -> tuple[Requirement, ...]:
    try:
        needed = requirements(name)
    except importlib.metadata.PackageNotFoundError:
        problem = f"Aduana runs from a folder here and is not installed, so what {name!r} needs is not known. {_AGAIN}"
        raise ConfigurationError((problem,)) from None
    if not needed:
        raise ConfigurationError((f"This installation is older than the extra {name!r}. {_AGAIN}",))
    return needed


def _state(name: str) -> str:
    try:
        lacking = [one.name for one in _needed(name) if not _there(one)]
    except ConfigurationError:
        return _UNKNOWN
    if not lacking:
        return "installed"
    return "missing" if len(lacking) == len(_needed(name)) else f"missing in part ({', '.join(lacking)})"


def _there(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False

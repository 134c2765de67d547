"""`aduana init`: look at this machine, ask a few questions, write a configuration that works, and prove its policy.

Every question has an option, so that a script needs no terminal. Nothing is overwritten, downloaded or copied.
"""

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import Any

from gateway.cli.init.profiles import PROFILES
from gateway.core.errors import AduanaError
from gateway.core.translation import LANGUAGES


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "init",
        help="set up: find models and servers, choose a policy, write aduana.yaml",
        description="Looks at this machine, asks a few questions, writes a commented aduana.yaml with a ready policy, "
        "and proves it. Overwrites and downloads nothing. Speaks English and Spanish.",
        epilog="Exit status: 0 set up, 1 set up and the check or the service fails, 2 it could not be done.",
    )
    parser.add_argument("--yes", action="store_true", help="ask nothing: take the options given, else the defaults")
    parser.add_argument("--profile", choices=[profile.name for profile in PROFILES], help="who uses it (default: home)")
    parser.add_argument(
        "--directory", type=Path, metavar="FOLDER", help="where the files go (default: ~/.config/aduana)"
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="FILE",
        help="a GGUF file, a name in the model directory, a server's model, or 'smollm2'; may be given again",
    )
    parser.add_argument(
        "--cloud", action="append", metavar="NAME", help="add a cloud whose key is in the environment, such as openai"
    )
    parser.add_argument(
        "--network", action="store_true", help="let other devices on your network use it too, each with a key"
    )
    parser.add_argument("--port", type=int, help="port to listen on (default: 8484, or the next free one)")
    parser.add_argument(
        "--service",
        nargs="?",
        const="user",
        choices=["user", "system"],
        help="install and start a service of systemd: of your session, or of the whole machine (as root)",
    )
    parser.add_argument("--no-service", action="store_true", help="no service; do not ask either")
    parser.add_argument("--lang", choices=LANGUAGES, help="language (default: that of your locale)")


def run(args: argparse.Namespace) -> int:
    """Set everything up, and return 0; 1 where the check or the service fails.

    Raises:
        AduanaError: It could not be done.
    """
    if args.service and args.no_service:
        raise AduanaError("--service and --no-service exclude each other.")
    if args.port is not None and not 0 < args.port < 65536:
        raise AduanaError("--port wants a number from 1 to 65535.")
    if not args.yes and not (sys.stdin is not None and sys.stdin.isatty()):
        raise AduanaError("'aduana init' asks questions, and there is no terminal here. Use --yes with its options.")
    result: int = importlib.import_module("gateway.cli.init.wizard").run(args, os.environ)
    return result

"""`aduana keys`: make, change, list, rotate and revoke API keys while the gateway runs or not. One file an action."""

import argparse
import importlib
from pathlib import Path

from gateway.cli.options import add_since_option

_MODULES = {
    "create": "creating",
    "list": "listing",
    "change": "altering",
    "rotate": "rotating",
    "revoke": "revoking",
    "usage": "usage",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "keys",
        help="make, change, list, rotate and revoke API keys; what each used",
        description="API keys that the gateway keeps by their digests, beside those of aduana.yaml. A running gateway "
        "takes a change over within a second.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _create(actions.add_parser("create", help="make a key; its secret is printed this once"))
    show = actions.add_parser("list", help="all keys, what each may do, and when it was last used")
    change = actions.add_parser(
        "change",
        help="change what a key may do; its secret stays",
        description="Changes what the options say, and leaves the rest; 'none' takes away what there is: --rpm none.",
    )
    change.add_argument("name", metavar="NAME")
    _rights(change)
    rotate = actions.add_parser("rotate", help="give a key a new secret; the old one counts for a while longer")
    rotate.add_argument("name", metavar="NAME")
    rotate.add_argument(
        "--overlap", default="24h", metavar="TIME", help="how long the old secret counts: 24h (default), 7d, or 0"
    )
    _add_expires(rotate)
    revoke = actions.add_parser("revoke", help="end a key for good; its answers under way end with an error")
    revoke.add_argument("name", metavar="NAME")
    usage = actions.add_parser("usage", help="requests, tokens and money of each key, from the ledger")
    usage.add_argument("name", nargs="?", metavar="NAME", help="default: all keys")
    add_since_option(usage)
    usage.add_argument("--by", choices=("day", "month"), help="one line for each, with all of its days or months")
    for action in actions.choices.values():
        action.add_argument(
            "--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)"
        )
        if action not in (change, revoke):
            action.add_argument("--json", action="store_true", help="for programs; money in US dollars")
    show.add_argument("--all", action="store_true", help="also revoked and expired ones")


def run(args: argparse.Namespace) -> int:
    """Carry out the action, and return its exit status."""
    return int(importlib.import_module(f"gateway.cli.keys.{_MODULES[args.action]}").run(args))


def _create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--app", required=True, metavar="NAME", help="name of the key, as the ledger and policies know it: n8n"
    )
    _rights(parser)


def _rights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", metavar="NAME", help="person or group for the ledger")
    parser.add_argument("--tags", metavar="TAG,…", help="tags that every request with this key carries")
    parser.add_argument("--models", metavar="MODEL,…", help="model names that it may ask for (default: all)")
    parser.add_argument(
        "--budget", action="append", default=[], metavar="5/month", help="US dollars for a day or a calendar month"
    )
    parser.add_argument("--rpm", metavar="N", help="requests in a minute")
    parser.add_argument("--tpm", metavar="N", help="tokens in a minute")
    parser.add_argument("--tpd", metavar="N", help="tokens in a day")
    parser.add_argument("--parallel", metavar="N", help="requests at the same time")
    _add_expires(parser)
    for name, allows in (
        ("--admin", "may use /admin and see explanations"),
        ("--metrics", "may read /metrics"),
        ("--front-end", "of a program that several people use: whom it names is believed"),
    ):
        parser.add_argument(name, action=argparse.BooleanOptionalAction, help=allows)


def _add_expires(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--expires", metavar="WHEN", help="90d, 12h, 4w, or a day like 2027-01-31, at whose beginning it ends"
    )

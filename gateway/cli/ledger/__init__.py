"""`aduana ledger`: what the record of all requests needs: checking, copying out, erasing, moving, giving room back.

One file a subcommand. All but `move` work while the gateway runs, too.
"""

import argparse
import importlib
from pathlib import Path
from typing import Any

# Name → what it does. The module of that name has `declare(parser)` and `run(args) -> exit code`.
ACTIONS = {
    "verify": "check the file and what it promises",
    "export": "copy requests out, as JSON lines or CSV",
    "erase": "erase what is kept of a key, a user or a conversation",
    "move": "move it from the file to a PostgreSQL database",
    "vacuum": "give room back that removed requests have left",
}


def add_parser(subparsers: Any) -> None:
    """Declare the command and its subcommands."""
    parser = subparsers.add_parser(
        "ledger",
        help="the record of all requests: verify, export, erase, move, vacuum",
        description="The ledger has a receipt and a settlement of each request, never what was said in it. How long "
        "they stay is set by 'retention' in aduana.yaml. Each of these but 'move' works while the gateway runs, too.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in ACTIONS.items():
        module = importlib.import_module(f"gateway.cli.ledger.{name}")
        action = actions.add_parser(name, help=summary, description=module.DESCRIPTION, epilog=module.STATUS)
        action.add_argument(
            "--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)"
        )
        module.declare(action)


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand, and return its exit status."""
    return int(importlib.import_module(f"gateway.cli.ledger.{args.action}").run(args))

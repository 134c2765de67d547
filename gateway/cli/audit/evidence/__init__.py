"""`aduana audit verify`, `report`, `copy`, `key` and `checkpoints`: what the ledger proves to who trusts nobody.

Verifying needs the ledger (or a backup), the public key and the file of checkpoints: no gateway, no configuration and
no network. Nothing here writes to the ledger.
"""

import argparse
import importlib
from pathlib import Path
from typing import Any

from gateway.core.labels import Label
from gateway.core.translation import LANGUAGES

ACTIONS = ("verify", "report", "copy", "key", "checkpoints")


def add_parsers(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the commands and their options."""
    verify = actions.add_parser(
        "verify",
        help="prove from the ledger that nothing sensitive left, and that nobody changed the ledger",
        description="Reads the ledger and says for a period: whether a request with a label or a tag had a cloud among "
        "its permitted targets or was answered by one; whether anything was removed or changed before the last signed "
        "checkpoint. Works offline, from a copy of the ledger or a backup, with the public key alone.",
        epilog="Exit status: 0 all of it is proved; 1 it is refuted, or the ledger was changed; 2 it could not be "
        "read; 3 nothing speaks against it, but something is not covered, and is named.",
    )
    _add_question(verify)
    verify.add_argument("--json", action="store_true", help="print the result as JSON")
    report = actions.add_parser(
        "report",
        help="write the page for the auditor (HTML that prints well)",
        description="Verifies like 'verify', and writes one page for an auditor, with nothing loaded from elsewhere: "
        "what came and where it went, the policies in force and what is proved of them, and what is not proved.",
        epilog="Exit status: as 'verify'; the page is written in any case.",
    )
    _add_question(report)
    report.add_argument("--output", type=Path, default=Path("report.html"), metavar="FILE", help="default: report.html")
    copy = actions.add_parser(
        "copy",
        help="copy the ledger for the auditor, without the memory of conversations",
        description="Copies the ledger while the gateway runs, for somebody who verifies it elsewhere. The memory of "
        "sensitive conversations, which proves nothing, is left out.",
    )
    _add_config(copy)
    copy.add_argument(
        "--output", type=Path, default=Path("ledger.sqlite3"), metavar="FILE", help="default: ledger.sqlite3"
    )
    for name, text in (
        ("key", "print the public key that checkpoints are verified with"),
        ("checkpoints", "print the signed checkpoints that the ledger has"),
    ):
        parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        _add_config(parser)
        parser.add_argument("--output", type=Path, metavar="FILE", help="write it there instead")


def _add_question(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "ledger",
        nargs="?",
        type=Path,
        metavar="LEDGER",
        help="a ledger, a state directory or a backup (default: the configuration's own)",
    )
    parser.add_argument("--from", dest="since", metavar="DAY", help="first day, such as 2026-07-01")
    parser.add_argument("--to", dest="until", metavar="DAY", help="last day, which belongs to it")
    parser.add_argument("--period", metavar="WHEN", help="instead of both: 2026-Q3, 2026-09, 2026 or one day")
    parser.add_argument("--timezone", metavar="ZONE", help="in which days begin (default: the configuration's)")
    parser.add_argument("--tag", action="append", default=[], help="requests with this tag; may be given again")
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        choices=[label.word for label in Label],
        help="requests with this label; may be given again (default: sensitive, where no tag is named)",
    )
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="FILE",
        help="the file elsewhere (default: what ledger.checkpoints_to names)",
    )
    parser.add_argument(
        "--public-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what 'aduana audit key' printed; may be given again (default: that of the state directory)",
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="language (default: that of your locale)")
    _add_config(parser)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")


def run(args: argparse.Namespace) -> int:
    """Carry out the command, and return its exit status."""
    module: Any = importlib.import_module(f"gateway.cli.audit.evidence.{args.action}")
    return int(module.run(args))

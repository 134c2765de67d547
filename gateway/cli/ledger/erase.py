"""`aduana ledger erase`: what is kept of a key, a user or a conversation goes; what must stay is said."""

import argparse
import sys
from datetime import datetime
from typing import Any

import msgspec

from gateway.app.erasure import Kept, erase, kept_of
from gateway.cli.ledger.place import changing
from gateway.cli.lines import print_line
from gateway.core.errors import Unavailable
from gateway.ledger import sharing
from gateway.ledger.database.beside import alone
from gateway.settings import load_settings

DESCRIPTION = (
    "Erases requests with all that belongs to them (settlement, tries, money set aside, energy), what pseudonyms stood "
    "for, and stored responses, conversations, files and batches, and overwrites them in the files. Budgets go on "
    "counting what was spent this month; that something was said in confidence is still known, by hashes that name "
    "nobody. docs/ledger.md has the whole table. Backups and logs are yours to erase."
)
STATUS = "Exit status: 0 done, 1 there is nothing, or some of it is still in use and was left, 2 it could not be done."


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--key", default="", metavar="NAME", help="all of an API key; with --user: of both together")
    parser.add_argument("--user", default="", metavar="NAME", help="all of a user")
    parser.add_argument(
        "--conversation",
        default="",
        metavar="ID",
        help="of one of its requests or answers (req_…), or its own (conv_…)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be erased")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print the result as JSON; needs --yes or --dry-run")


def run(args: argparse.Namespace) -> int:
    """Tell what there is, ask, erase, and return the exit status.

    Raises:
        BadRequest: There is no such id.
        Unavailable: Nobody is named, nobody can be asked, or it can't be done.
    """
    if not (args.key or args.user or args.conversation):
        raise Unavailable("Say whose records go: --key NAME, --user NAME or --conversation ID.")
    if args.conversation and (args.key or args.user):
        raise Unavailable("--conversation stands alone: it is of one key and user already.")
    asked = args.yes or args.dry_run
    if not asked and (args.json or sys.stdin is None or not sys.stdin.isatty()):
        raise Unavailable("This erases for good, and there is nobody to ask. Say --yes, or --dry-run to look first.")
    settings = load_settings(args.config)
    with changing(settings) as (database, connection), alone(settings.state_dir) as stopped:
        stopped = stopped and not sharing.alive(database, connection)
        kept = kept_of(
            connection, settings, key=args.key, user=args.user, conversation=args.conversation, stopped=stopped
        )
        if not args.json:
            for line in _told(kept):
                print_line(line)
        if kept.empty or args.dry_run:
            return _end(args, kept, erased=False, clean=True)
        if not args.yes and input("Erase it? [y/N] ").strip().lower() not in ("y", "yes", "s", "sí", "si"):
            print_line("Nothing was erased.")
            return 1
        clean = erase(database, connection, settings, kept)
    return _end(args, kept, erased=True, clean=clean)


def _end(args: argparse.Namespace, kept: Kept, *, erased: bool, clean: bool) -> int:
    complete = clean and not kept.found.running and not kept.batches_left
    if args.json:
        print(msgspec.json.encode(_plain(kept) | {"erased": erased, "complete": complete}).decode())
    elif erased:
        print_line("Erased.")
        if not clean:
            print_line(
                "The ledger's journal could not be emptied, because something is reading. Run 'aduana ledger vacuum' "
                "in a moment: until then traces of it may be there."
            )
    if kept.empty:
        return 1
    return 0 if complete else 1


def _told(kept: Kept) -> list[str]:
    found = kept.found
    if kept.empty and not found.running:
        return ["There is nothing of that here."]
    lines = []
    if found.oldest is not None and found.newest is not None:
        lines.append(f"requests: {len(found.seqs):,}, {_day(found.oldest)} to {_day(found.newest)}")
    counts = (
        ("what pseudonyms stood for, of conversations", len(found.masks)),
        ("stored responses and conversations", _whole(kept.responses)),
        ("stored files and batches", _whole(kept.files)),
    )
    lines += [f"{name}: {count:,}" for name, count in counts if count]
    if found.running:
        lines.append(f"still running, and left: {found.running:,} requests. Run this again when they have ended.")
    if kept.batches_left:
        lines.append(f"still being answered, and left: {kept.batches_left:,} batches. Cancel them, and run this again.")
    if kept.files_of_keys:
        lines.append("Stored files and batches that name no user are their key's: they are erased with --key.")
    return lines


def _plain(kept: Kept) -> dict[str, Any]:
    found = kept.found
    return {
        "what": kept.kind,
        "requests": len(found.seqs),
        "oldest": found.oldest,
        "newest": found.newest,
        "pseudonyms": len(found.masks),
        "responses": _whole(kept.responses),
        "files": _whole(kept.files),
        "running": found.running,
        "batches_running": kept.batches_left,
    }


def _whole(owners: Any) -> int:
    """Return how many records there are, their parts not counted."""
    return sum(1 for ids in owners.values() for name in ids if "/" not in name)


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d}"

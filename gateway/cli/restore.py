"""`aduana restore`: a backup is checked to its last digest, then put back; or unpacked beside, to look at."""

import argparse
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from gateway.app.backup.manifest import CONFIGURATION, SECRETS, STATE, Manifest
from gateway.app.backup.placing import Restored, check_backup, restore_into, restore_state
from gateway.cli.backup import contents, summary
from gateway.settings import load_settings


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "restore",
        help="check a backup, and put it back",
        description="Checks a backup (digests, the database, its version), and puts its state into the state directory "
        "of the configuration. The gateway must not run. Your configuration is not touched. With --into, everything "
        "is unpacked into a new folder instead, the configuration too.",
        epilog="Exit status: 0 done, 2 it could not be done, and nothing was changed.",
    )
    parser.add_argument("backup", type=Path, metavar="BACKUP", help="what 'aduana backup' has made")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="check it, and write nothing")
    way.add_argument("--into", type=Path, metavar="FOLDER", help="unpack everything into a new or empty folder")
    way.add_argument("--force", action="store_true", help="put the state that is there already aside")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Check or restore, tell what was done, and return 0.

    Raises:
        Unavailable: The backup can't be used, or there is something in its place. Nothing was changed.
    """
    if args.check:
        manifest = check_backup(args.backup)
        lines = [f"{args.backup} is whole: every digest is right, and this version can use it."]
        return _tell(args, manifest, lines + _described(manifest), {})
    if args.into is not None:
        done = restore_into(args.backup, args.into)
        return _tell(args, done.manifest, [f"Unpacked into {done.folder}.", *_into(done)], {"folder": str(done.folder)})
    done = restore_state(args.backup, load_settings(args.config).state_dir, force=args.force)
    lines = [f"Restored to {done.folder}.", *_described(done.manifest), *_restored(done)]
    more = {
        "folder": str(done.folder),
        "aside": str(done.aside) if done.aside is not None else None,
        "differing": done.differing,
    }
    return _tell(args, done.manifest, lines, more)


def _tell(args: argparse.Namespace, manifest: Manifest, lines: list[str], more: dict[str, Any]) -> int:
    if args.json:
        print(msgspec.json.encode({**more, **msgspec.structs.asdict(manifest)}).decode())
        return 0
    console = Console(file=sys.stdout, highlight=False, markup=False, soft_wrap=True)
    for line in lines:
        console.print(line)
    return 0


def _described(manifest: Manifest) -> list[str]:
    made = datetime.fromisoformat(manifest.made).astimezone()
    about = f"made {made:%Y-%m-%d %H:%M} by Aduana {manifest.aduana}"
    return [f"  {about}", f"  {summary(manifest)}", *(f"  {one}" for one in contents(manifest))]


def _restored(done: Restored) -> list[str]:
    lines = []
    if done.aside is not None:
        lines.append(f"The state that was there is in {done.aside}. Remove that folder when you no longer need it.")
    made = datetime.fromisoformat(done.manifest.made).astimezone()
    lines.append(
        f"What was spent, and which conversations became sensitive, after {made:%Y-%m-%d %H:%M} is not known any more."
    )
    if done.differing:
        lines.append("These files are not as in the backup, and were left: " + ", ".join(done.differing))
    if done.manifest.of(SECRETS):
        lines.append("The files with keys were left where they are: --into FOLDER unpacks them.")
    lines.append("Now start the gateway.")
    return lines


def _into(done: Restored) -> list[str]:
    lines = _described(done.manifest)
    moved = [part for part in done.manifest.of(CONFIGURATION) if part.name.startswith(f"{CONFIGURATION}/elsewhere/")]
    for part in (*moved, *done.manifest.of(SECRETS)):
        lines.append(f"  {part.name} was {part.place}")
    state = shlex.quote(str((done.folder / STATE).absolute()))
    file = done.manifest.configuration
    config = f" --config {shlex.quote(str(done.folder / file))}" if file else ""
    lines.append(f"A gateway that uses it: ADUANA_STATE_DIR={state} aduana serve{config}")
    return lines

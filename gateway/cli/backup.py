"""`aduana backup`: the state and the configuration in one archive with digests, while the gateway runs."""

import argparse
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from rich.console import Console

from gateway.app.backup.gathering import secret_files
from gateway.app.backup.manifest import CONFIGURATION, SECRETS, STATE, STORED, Manifest
from gateway.app.backup.writing import backup_file, make_backup
from gateway.settings import Settings, load_settings

_STDOUT = Path("-")


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "backup",
        help="copy the ledger, its key and the configuration while the gateway runs",
        description="Writes one archive (.tar.gz): the ledger, the key by which the gateway recognises sensitive "
        "conversations, the configuration with its policies and lists, and a digest of each file. The gateway may run. "
        "What clients asked to keep and keys of apps and clouds are only in it if you say so.",
        epilog="Exit status: 0 done, 2 it could not be made. 'aduana restore' puts it back.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument(
        "--to", type=Path, default=Path(), metavar="PLACE", help="a new file, a folder (default: here), or - for a pipe"
    )
    parser.add_argument(
        "--with-stored", action="store_true", help="also stored responses, conversations, files and batches"
    )
    parser.add_argument("--with-secrets", action="store_true", help="also the files that hold keys ('file:PATH')")
    parser.add_argument("--json", action="store_true", help="print what is in it as JSON")


def run(args: argparse.Namespace) -> int:
    """Make the backup, tell what is in it and what is not, and return 0.

    Raises:
        Unavailable: It could not be made.
    """
    settings = load_settings(args.config)

    def write(file: IO[bytes]) -> Manifest:
        return make_backup(settings, file, stored=args.with_stored, secrets=args.with_secrets)

    if args.to == _STDOUT:
        manifest = write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        place = "standard output"
    else:
        target = args.to
        if target.is_dir():
            target /= f"aduana-backup-{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime())}.tar.gz"
        manifest = backup_file(target, write)
        place = str(target)
    out = sys.stderr if args.to == _STDOUT else sys.stdout
    if args.json:
        print(msgspec.json.encode({"file": place, **msgspec.structs.asdict(manifest)}).decode(), file=out)
        return 0
    console = Console(file=out, highlight=False, markup=False, soft_wrap=True)
    console.print(f"Backup: {place}")
    for line in _told(manifest, settings):
        console.print(f"  {line}")
    return 0


def _told(manifest: Manifest, settings: Settings) -> list[str]:
    names = {part.name for part in manifest.parts}
    lines = [f"in it:     {summary(manifest)}"]
    lines += [f"           {one}" for one in contents(manifest)]
    absent = []
    kept = [name for name in STORED if (settings.state_dir / name).exists()]
    if kept and not any(f"{STATE}/{name}" in names for name in kept):
        absent.append("what clients asked to keep (--with-stored)")
    keys = secret_files(settings)
    if keys and not manifest.of(SECRETS):
        count = "1 file" if len(keys) == 1 else f"{len(keys)} files"
        absent.append(f"{count} with keys of apps and clouds (--with-secrets)")
    absent.append("models")
    lines += [f"{'not in it:' if not number else '          '} {one}" for number, one in enumerate(absent)]
    lines.append("Whoever has it can tell who asked for what, and when. Keep it as you keep keys.")
    return lines


def summary(manifest: Manifest) -> str:
    """Return how far the ledger in a backup reaches."""
    requests = "1 request" if manifest.requests == 1 else f"{manifest.requests:,} requests"
    until = ""
    if manifest.newest is not None:
        until = f", the last of {datetime.fromtimestamp(manifest.newest).astimezone():%Y-%m-%d %H:%M}"
    return f"the ledger ({requests}{until}) and the key of its memory"


def contents(manifest: Manifest) -> list[str]:
    """Return what else is in a backup, a sentence a kind."""
    files = manifest.of(CONFIGURATION)
    lines = [f"the configuration: {', '.join(part.name.partition('/')[2] for part in files)}"] if files else []
    if any(part.name == f"{STATE}/{name}" for part in manifest.parts for name in STORED):
        lines.append("what clients asked to keep, sealed; the key to it is in here too")
    if manifest.of(SECRETS):
        lines.append(f"files with keys: {', '.join(Path(part.place).name for part in manifest.of(SECRETS))}")
    return lines

"""`aduana files`: list and copy the ready policies, dashboards and service files that come along."""

import argparse
import shutil
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigurationError
from gateway.shipped import FOLDERS, files_of, folder


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "files",
        help="list and copy ready policies, dashboards and service files",
        description="Lists what comes along, or copies a folder of it. Files that are there already are left "
        "as they are.",
    )
    parser.add_argument("folder", nargs="?", choices=list(FOLDERS), help="the folder to copy; none: list all")
    parser.add_argument("to", nargs="?", type=Path, help="where to (default: a folder of the same name here)")


def run(args: argparse.Namespace) -> int:
    """List or copy, and return 0; 1 where a file was left because another one is there."""
    if args.folder is None:
        for name, what in FOLDERS.items():
            print(f"{name}: {what}")
            for file in files_of(name):
                print(f"  {file}")
        print("\n'aduana files policies' copies that folder to here.")
        return 0
    return copy(args.folder, args.to or Path(args.folder))


def copy(name: str, target: Path) -> int:
    """Copy a folder file by file, tell what was done, and return 0; 1 where a file of the same name differs.

    Raises:
        ConfigurationError: The target can't be written.
    """
    copied, kept = 0, []
    try:
        for file in files_of(name):
            source, place = folder(name) / file, target / file
            if place.exists():
                if place.read_bytes() != source.read_bytes():
                    kept.append(place)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
            copied += 1
    except OSError as error:
        raise ConfigurationError((f"{target} can't be written: {error.strerror or error}.",)) from error
    print(f"{copied} files copied to {target}.")
    for place in kept:
        print(f"  left as it is, for it differs: {place}")
    return 1 if kept else 0

"""The state directory is for its owner alone: it holds who asked for what, and what sensitive data looks like."""

import contextlib
import os
import stat
from pathlib import Path

# What the gateway itself writes there. Nothing else is touched: the directory may hold models and files of the user's.
_OWN = (
    "ledger.sqlite3*",
    "taint.key*",
    "checkpoint.key*",
    "state.json*",
    "patterns-*",
    "proved-*",
    "entities-*",
    "*.lock",
)
_OWN_FOLDERS = ("", "engine", "spill")


def close_to_others(state_dir: Path) -> None:
    """Make the directory where there is none, and take others' access to it and to the gateway's own files away.

    What belongs to another user, as the root of a mounted volume, stays as it is.
    """
    with contextlib.suppress(OSError):
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in _OWN_FOLDERS:
        _restrict(state_dir / folder, 0o700)
    for file in own_files(state_dir):
        _restrict(file, 0o600)


def own_files(state_dir: Path) -> list[Path]:
    """Return the files there that the gateway itself has written."""
    return [file for pattern in _OWN for file in sorted(state_dir.glob(pattern))]


def _restrict(path: Path, mode: int) -> None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        if found.st_uid == os.getuid() and not stat.S_ISLNK(found.st_mode) and found.st_mode & 0o077:
            path.chmod(mode)

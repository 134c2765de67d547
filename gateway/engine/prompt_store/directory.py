"""Directory in which states of conversations lie: made for one user alone, emptied of what an earlier worker left.

The gateway imports it too, before it imports much else; so nothing here may need numpy.
"""

import contextlib
import os
from pathlib import Path

SUFFIX = ".kv"


def prepare(directory: Path) -> None:
    """Make the directory, for this user alone and empty.

    Raises:
        OSError: it can't be made, or is not this user's own.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if directory.is_symlink() or found.st_uid != os.geteuid():
        raise OSError(f"{directory} is not a directory of this user")
    directory.chmod(0o700)
    erase(directory)


def erase(directory: Path) -> None:
    """Erase the states that this worker or an earlier one left in a directory."""
    for path in directory.glob(f"*{SUFFIX}"):
        unlink(path)


def unlink(path: Path) -> None:
    """Erase a file, if it is there and can be erased."""
    with contextlib.suppress(OSError):  # a disk that fails now is found out by what wants to read or write next
        path.unlink(missing_ok=True)

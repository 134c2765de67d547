"""One gateway for one ledger: an operating-system lock that a crash releases by itself."""

import fcntl
import os
from pathlib import Path

from gateway.core.errors import LedgerUnavailable


class OwnerLock:
    """Lock that is held as long as its file stays open. The file holds the owner's process id, for the message only."""

    def __init__(self, directory: Path, descriptor: int | None = None) -> None:
        """Take nothing yet. `descriptor`: that of whoever started this process, and holds the lock for it."""
        self._file = directory / "ledger.lock"
        self._descriptor = descriptor

    @property
    def descriptor(self) -> int | None:
        """Return what holds the lock, to be inherited; None: it is not held."""
        return self._descriptor

    def take(self) -> None:
        """Take the lock, and make the directory where there is none. Nothing, if this is the owner already.

        Raises:
            LedgerUnavailable: Another gateway holds it.
            OSError: The file can't be opened.
        """
        if self._descriptor is not None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            who = f" (process {owner})" if owner.isdigit() else ""
            raise LedgerUnavailable(
                f"Another gateway{who} uses the state directory {self._file.parent}. "
                "Stop it, or give this one a 'state_dir' of its own."
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the lock go. Safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lock_holder(directory: Path) -> int | None:
    """Return the process that holds a directory's lock, without taking it; 0: it is not known which. None: nobody.

    As Linux tells in /proc/locks; elsewhere nobody knows, which is None too.
    """
    file = directory / "ledger.lock"
    try:
        status, locks = file.stat(), Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return None
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        owner = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        owner = ""
    for line in locks.splitlines():
        words = line.split()  # as: 1: FLOCK ADVISORY WRITE 4242 08:01:131 0 EOF
        if len(words) < 6 or words[1] != "FLOCK" or words[5].rpartition(":")[2] != str(status.st_ino):
            continue
        if words[5] == place or words[4] == owner:  # some file systems tell another device here
            return int(owner) if owner.isdigit() else 0
    return None

"""Which questions were proved: one small file for each, named by the digest of all that the proof rests on.

INVARIANT: only a proof is remembered, never a failure or a doubt, and only where nobody but this user (or the
administrator) can write. Whoever can write there as this user can as well replace the patterns, the key of the memory
and the policy itself.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_PREFIX = "proved-"
_KEPT = 256  # in a folder


class Proved:
    """Memory of proofs in these folders, the first of which is the gateway's own."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)

    def has(self, digest: str) -> bool:
        """Tell whether it was proved."""
        return any(_says(folder, digest) for folder in self._folders)

    def add(self, digest: str) -> None:
        """Remember that it was proved. Where that can't be written, it is proved again next time."""
        for folder in self._folders:
            with suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                if not _ours(folder.stat()):
                    continue
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
                with os.fdopen(os.open(folder / f"{_PREFIX}{digest}", flags, 0o600), "wb") as file:
                    file.write(digest.encode())
                for old in sorted(folder.glob(f"{_PREFIX}*"), key=_written, reverse=True)[_KEPT:]:
                    old.unlink(missing_ok=True)


def folders_of_proofs(state_dir: Path) -> tuple[Path, ...]:
    """Return the state directory and the user's own folder of caches, so that a new directory need not prove again."""
    try:
        return state_dir, Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aduana"
    except RuntimeError:  # nobody's home
        return (state_dir,)


def _says(folder: Path, digest: str) -> bool:
    """Tell whether a file there says so, which nobody else could have written, renamed or linked to."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
    try:
        if not _ours(folder.stat()):
            return False
        with os.fdopen(os.open(folder / f"{_PREFIX}{digest}", flags), "rb") as file:
            return _ours(os.fstat(file.fileno())) and file.read() == digest.encode()
    except OSError:
        return False


def _ours(found: os.stat_result) -> bool:
    """Tell whether nobody else can write there. Windows keeps each user's folders apart, and tells no owners."""
    if os.name == "nt":
        return True
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _written(file: Path) -> float:
    """Return when a file was written; one that another process just removed is the oldest."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0

"""Digests of large files, remembered by size and time of change, so that each is read whole only once."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

_MOST = 500  # files remembered, the newest
_BLOCK = 1 << 20


class _Known(msgspec.Struct, frozen=True):
    size: int
    changed: int  # nanoseconds
    sha256: str


class Digests:
    """SHA-256 of files. Where its own file can't be read or written, nothing is remembered."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, _Known] = {}
        with suppress(OSError, msgspec.DecodeError):
            self._known = msgspec.json.decode(file.read_bytes(), type=dict[str, _Known])

    def known(self, path: Path) -> str:
        """Return the digest of a file that was read before and has not changed since. Empty: it must be read."""
        status = path.stat()
        found = self._known.get(str(path.resolve()))
        same = found is not None and (found.size, found.changed) == (status.st_size, status.st_mtime_ns)
        return found.sha256 if found is not None and same else ""

    def of(self, path: Path, progress: Callable[[int], None] = lambda count: None) -> str:
        """Return a file's SHA-256 (hexadecimal). `progress` hears how many more bytes were read.

        Raises:
            OSError: The file can't be read.
        """
        if digest := self.known(path):
            return digest
        status, whole = path.stat(), hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                whole.update(block)
                progress(len(block))
        digest = whole.hexdigest()
        name = str(path.resolve())
        self._known.pop(name, None)
        self._known[name] = _Known(status.st_size, status.st_mtime_ns, digest)
        self._keep()
        return digest

    def _keep(self) -> None:
        fresh = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.write_bytes(msgspec.json.encode(dict(list(self._known.items())[-_MOST:])))
            fresh.replace(self._file)


def digests_of_user() -> Digests:
    """Return the digests that are remembered in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Digests(Path(cache).expanduser() / "aduana" / "digests.json")

"""Opens a backup: its parts are unpacked into a folder of their own, and count only when every digest is right."""

import gzip
import hashlib
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import IO

import msgspec

from gateway.app.backup.manifest import FORMAT, MANIFEST, STATE, Manifest, Part, misplaced
from gateway.app.conversation_key import KEY_FILE
from gateway.app.state.losses import KEY_BYTES, fingerprint
from gateway.core.errors import Unavailable
from gateway.ledger import FILE_NAME
from gateway.ledger.reading.examination import examine

_LONGEST_MANIFEST = 4 * 2**20
_CHUNK = 2**20


class Unusable(Unavailable):
    """Error of a backup that is not whole, or not what was made."""

    def __init__(self, backup: Path, what: str) -> None:
        super().__init__(f"{backup} can't be used: {what}. Nothing was changed; take another backup.")


class _Format(msgspec.Struct, frozen=True):
    format: int
    aduana: str = "?"


def unpack(backup: Path, folder: Path) -> Manifest:
    """Unpack a backup into an empty folder, check everything in it, and return what it says about itself. Blocks.

    Raises:
        Unavailable: It can't be read, is no backup, is damaged, or was made by a newer version.
    """
    try:
        with backup.open("rb") as file, gzip.GzipFile(fileobj=file) as packed:
            with tarfile.open(fileobj=packed, mode="r|") as archive:
                manifest = _unpacked(archive, folder, backup)
            while packed.read(_CHUNK):  # the archive's own checksum stands at its end
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unavailable(f"{backup} is damaged, cut off, or no backup of Aduana. Nothing was changed.") from error
    except OSError as error:
        raise Unavailable(f"{error.filename or backup} can't be used: {error.strerror or error}.") from error
    _check_state(folder / STATE, backup)
    return manifest


def _unpacked(archive: tarfile.TarFile, folder: Path, backup: Path) -> Manifest:
    manifest: Manifest | None = None
    missing: dict[str, Part] = {}
    for member in archive:
        content = archive.extractfile(member) if member.isreg() else None
        if content is None:
            raise Unusable(backup, f"{member.name!r} in it is not a file")
        if manifest is None:
            manifest = _manifest(member, content, backup)
            missing = {part.name: part for part in manifest.parts}
            _check_room(manifest, folder, backup)
            continue
        part = missing.pop(member.name, None)
        if part is None:
            raise Unusable(backup, f"{member.name!r} is in it, of which its list does not speak")
        if part.bytes != member.size or _copied(content, folder / part.name) != part.sha256:
            raise Unusable(backup, f"{part.name} is not what was put into it")
    if manifest is None or missing:
        raise Unusable(backup, f"it lacks {next(iter(missing), MANIFEST)}")
    return manifest


def _manifest(member: tarfile.TarInfo, content: IO[bytes], backup: Path) -> Manifest:
    if member.name != MANIFEST or member.size > _LONGEST_MANIFEST:
        raise Unavailable(f"{backup} is not a backup that 'aduana backup' has made. Nothing was changed.")
    text = content.read()
    try:
        about = msgspec.json.decode(text, type=_Format)
        if about.format > FORMAT:
            raise Unavailable(
                f"{backup} was made by a newer Aduana ({about.aduana}). Install that version; nothing was changed."
            )
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Unusable(backup, f"its list can't be read ({error})") from error
    names = [part.name for part in manifest.parts]
    odd = next((name for name in names if misplaced(name)), None)
    if odd is not None or len(set(names)) != len(names):
        raise Unusable(backup, f"it wants to write where it may not: {odd!r}" if odd else "a file stands in it twice")
    return manifest


def _check_room(manifest: Manifest, folder: Path, backup: Path) -> None:
    needed, free = sum(part.bytes for part in manifest.parts), shutil.disk_usage(folder).free
    if needed > free:
        raise Unavailable(f"{backup} holds {needed:,} bytes, and {folder.parent} has room for {free:,}.")


def _copied(content: IO[bytes], target: Path) -> str:
    """Write a part to its place, for its owner alone, and return its digest."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    target.touch(mode=0o600, exist_ok=False)
    with target.open("wb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _check_state(state: Path, backup: Path) -> None:
    """Look whether a gateway would start with this state.

    Raises:
        Unusable: It lacks something, or its parts are not of one state.
        Unavailable: The ledger is damaged, or of a newer version.
    """
    ledger = examine(state)
    if ledger is None:
        raise Unusable(backup, f"it lacks {FILE_NAME}")
    if ledger.problem:
        raise Unavailable(f"{ledger.problem.replace(str(state / FILE_NAME), f'The ledger in {backup}')}")
    key = (state / KEY_FILE).read_bytes() if (state / KEY_FILE).is_file() else b""
    if len(key) != KEY_BYTES:
        raise Unusable(backup, f"it lacks {KEY_FILE}")
    if ledger.identity is not None and ledger.identity.key and ledger.identity.key != fingerprint(key):
        raise Unusable(backup, f"its {KEY_FILE} is not the one of its ledger")

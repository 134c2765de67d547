"""Makes a backup: everything is copied into a folder of its own, then written to one archive behind its digests."""

import gzip
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from gateway import __version__
from gateway.app.backup.databases import copy_database
from gateway.app.backup.gathering import configuration_files, secret_files
from gateway.app.backup.manifest import CONFIGURATION, MANIFEST, SECRETS, STATE, STORED, Manifest, Part
from gateway.app.checkpoints.key import KEY_FILE as SIGNING_KEY_FILE
from gateway.app.conversation_key import KEY_FILE
from gateway.app.durable_file import write_durably
from gateway.app.state.losses import Found, Marker, losses
from gateway.app.state.memory import MARKER_FILE, StateMemory
from gateway.core.errors import Unavailable
from gateway.ledger import FILE_NAME, LedgerIdentity
from gateway.ledger.reading.examination import Examination, examine
from gateway.settings import Settings


def make_backup(
    settings: Settings, target: IO[bytes], *, stored: bool, secrets: bool, clock: Callable[[], datetime] | None = None
) -> Manifest:
    """Write a backup of a state directory and its configuration, and return what is in it. A gateway may run. Blocks.

    Args:
        settings: The configuration.
        target: Gets the archive.
        stored: With the responses, conversations, files and batches that clients asked to keep.
        secrets: With the files that hold keys.
        clock: Returns the time.

    Raises:
        ConfigurationError: A file of the state can't be read.
        Unavailable: There is no state, it has lost something, or something can't be read or written.
    """
    if settings.ledger.database is not None:
        raise Unavailable(
            "The ledger lies in a PostgreSQL database, which PostgreSQL's own tools back up (pg_dump). Keep a copy of "
            f"{settings.state_dir / KEY_FILE} with it: without that key what it remembers of conversations is lost."
        )
    now = (clock or (lambda: datetime.now(UTC)))()
    if not (settings.state_dir / FILE_NAME).is_file():
        raise Unavailable(
            f"There is nothing to back up: no gateway has run with the state directory {settings.state_dir}. "
            "Name the configuration with --config, or set ADUANA_STATE_DIR."
        )
    try:
        with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.state_dir) as name:
            folder = Path(name)
            ledger = _gather_state(settings.state_dir, folder / STATE, stored=stored)
            places = _gather(configuration_files(settings), folder, CONFIGURATION)  # itself first
            if secrets:
                places |= _gather(secret_files(settings), folder, SECRETS)
            manifest = Manifest(
                made=f"{now:%Y-%m-%dT%H:%M:%SZ}",
                aduana=__version__,
                schema=ledger.version,
                requests=ledger.requests,
                newest=ledger.newest,
                configuration=next((name for name in places if name.startswith(CONFIGURATION)), ""),
                parts=tuple(_part(file, folder, places) for file in sorted(folder.rglob("*")) if file.is_file()),
            )
            _write(manifest, folder, target, now)
    except OSError as error:
        raise Unavailable(f"The backup can't be made: {error}.") from error
    return manifest


def _gather_state(state: Path, folder: Path, *, stored: bool) -> Examination:
    folder.mkdir(mode=0o700)
    found = StateMemory(state).look()  # before the ledger: a start that comes in between raises the ledger's number
    copy_database(state / FILE_NAME, folder / FILE_NAME)
    ledger = examine(folder)
    if ledger is None or ledger.problem:
        problem = "it is empty" if ledger is None else ledger.problem.replace(str(folder), str(state))
        raise Unavailable(f"The ledger can't be backed up: {problem}")
    marker = _marker(found, ledger.identity)
    if found.key is None:
        raise Unavailable(f"{state / KEY_FILE} is missing, so a backup would not be whole. Put it back first.")
    if marker is not None:
        write_durably(folder / MARKER_FILE, msgspec.json.encode(marker))
    write_durably(folder / KEY_FILE, found.key)
    if (state / SIGNING_KEY_FILE).is_file():
        write_durably(folder / SIGNING_KEY_FILE, (state / SIGNING_KEY_FILE).read_bytes())
    for name in STORED if stored else ():
        if (state / name).is_file() and (state / name).stat().st_size:
            copy_database(state / name, folder / name, in_pieces=True)
    return ledger


def _marker(found: Found, ledger: LedgerIdentity | None) -> Marker | None:
    """Return the marker of the copy: that of a state that was closed in order.

    Raises:
        Unavailable: The state has lost something, which a copy must not hide.
    """
    marker = found.marker
    if ledger is not None:
        lost = losses(found, ledger)
        if lost:
            raise Unavailable(f"No backup was made. {lost.sentence()}")
        if ledger.id:
            return Marker(id=ledger.id, key=ledger.key, starts=ledger.starts)
    return None if marker is None else msgspec.structs.replace(marker, open=False)


def _gather(files: dict[str, Path], folder: Path, room: str) -> dict[str, str]:
    """Copy files into a folder of the backup, and return where each was."""
    places: dict[str, str] = {}
    for name, path in files.items():
        copy = folder / room / name
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(path, copy)
        places[f"{room}/{name}"] = str(path)
    return places


def _part(file: Path, folder: Path, places: dict[str, str]) -> Part:
    name = file.relative_to(folder).as_posix()
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Part(name=name, bytes=file.stat().st_size, sha256=digest, place=places.get(name, ""))


def _write(manifest: Manifest, folder: Path, target: IO[bytes], now: datetime) -> None:
    with (
        gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=6, mtime=int(now.timestamp())) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        described = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        _add(archive, MANIFEST, len(described), io.BytesIO(described), now)
        for part in manifest.parts:
            with (folder / part.name).open("rb") as content:
                _add(archive, part.name, part.bytes, content, now)


def _add(archive: tarfile.TarFile, name: str, size: int, content: IO[bytes], now: datetime) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(now.timestamp())
    archive.addfile(member, content)


def backup_file(target: Path, write: Callable[[IO[bytes]], Manifest]) -> Manifest:
    """Let a backup be written into a new file for its owner alone, which is whole or not there.

    Raises:
        Unavailable: There is such a file already, or it can't be written.
    """
    if target.exists():
        raise Unavailable(f"{target} is there already, and was left as it is. Name another file with --to.")
    fresh = target.with_name(f".{target.name}.part")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            manifest = write(file)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(target)
    except FileExistsError as error:
        raise Unavailable(
            f"{fresh} is there: another backup runs, or was cut off. Remove it, then try again."
        ) from error
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise Unavailable(f"{target} can't be written: {error.strerror or error}.") from error
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return manifest

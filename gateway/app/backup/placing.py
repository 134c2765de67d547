"""Puts the state of a backup in the place of the state directory's own, which is kept beside it."""

import hashlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.app.backup.manifest import CONFIGURATION, STATE, STATE_FILES, STORED, Manifest
from gateway.app.backup.reading import unpack
from gateway.app.checkpoints.key import KEY_FILE as SIGNING_KEY_FILE
from gateway.app.conversation_key import KEY_FILE
from gateway.app.state.memory import MARKER_FILE
from gateway.core.errors import Unavailable
from gateway.ledger.lock import OwnerLock

_BESIDE = ("", "-wal", "-shm", "-journal")  # files that SQLite keeps beside a database


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a restore."""

    manifest: Manifest
    folder: Path
    """The state directory, or the folder that everything was unpacked into."""
    aside: Path | None = None
    """Where the state is that was there before."""
    differing: tuple[str, ...] = ()
    """Files of this machine's configuration that are not as in the backup."""


def check_backup(backup: Path) -> Manifest:
    """Unpack a backup to nowhere, and return what it says about itself.

    Raises:
        Unavailable: It can't be restored.
    """
    with tempfile.TemporaryDirectory(prefix="aduana-restore-") as name:
        return unpack(backup, Path(name))


def restore_state(
    backup: Path, state: Path, *, force: bool, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Restored:
    """Put the state of a backup into the state directory. No gateway may run with it.

    Args:
        backup: The archive.
        state: The state directory.
        force: Where there is a state already, put it aside.
        clock: Returns the time.

    Raises:
        Unavailable: A gateway runs, there is a state already, the directory is another user's, or the backup can't be
            used. Nothing was changed.
    """
    _check_owner(state)
    lock = OwnerLock(state)
    try:
        lock.take()
        taken = _present(state)
        if taken and not force:
            raise Unavailable(
                f"{state} has a state already ({', '.join(path.name for path in taken)}), which was left as it is. "
                "Look at the backup beside it with --into FOLDER; or write --force, which puts that state aside."
            )
        with tempfile.TemporaryDirectory(prefix="restore-", dir=state) as name:
            manifest = unpack(backup, Path(name))
            differing = _differing(manifest)
            aside = _put_aside(state, Path(name) / STATE, taken, clock()) if taken else None
            _move_in(Path(name) / STATE, state, aside)
    except OSError as error:
        raise Unavailable(f"{state} can't be used: {error.strerror or error}.") from error
    finally:
        lock.release()
    return Restored(manifest=manifest, folder=state, aside=aside, differing=differing)


def restore_into(backup: Path, folder: Path) -> Restored:
    """Unpack a whole backup, with its configuration, into a folder that is new or empty.

    Raises:
        Unavailable: It has something in it, can't be written, or the backup can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise Unavailable(f"{folder} is not empty, and was left as it is. Name a new folder.")
        with tempfile.TemporaryDirectory(prefix="restore-", dir=folder) as name:
            manifest = unpack(backup, Path(name))
            for room in sorted(Path(name).iterdir()):
                room.rename(folder / room.name)
        _sync(folder)
    except OSError as error:
        raise Unavailable(f"{folder} can't be used: {error.strerror or error}.") from error
    return Restored(manifest=manifest, folder=folder)


def _check_owner(state: Path) -> None:
    """Refuse to let root write files into another user's directory, who could not read them.

    Raises:
        Unavailable: It is another user's.
    """
    try:
        owner = state.stat().st_uid
    except OSError:
        return  # it is made, or the lock tells what is wrong with it
    if os.geteuid() == 0 and owner != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise Unavailable(
            f"{state} belongs to {name}, whose gateway must read it. Run it as that user: sudo -u {name} …"
        )


def _present(state: Path) -> list[Path]:
    places = [state / f"{name}{beside}" for name in STATE_FILES for beside in _BESIDE]
    return [path for path in places if path.exists() or path.is_symlink()]


def _put_aside(state: Path, fresh: Path, taken: list[Path], now: datetime) -> Path:
    """Move the present state into a folder beside it.

    What clients keep stays where it is, if the backup has none of its own and the key that it is sealed with stays.
    """
    same_key = (state / KEY_FILE).is_file() and (state / KEY_FILE).read_bytes() == (fresh / KEY_FILE).read_bytes()
    stays = [name for name in STORED if same_key and not (fresh / name).exists()]
    if not (fresh / SIGNING_KEY_FILE).exists():  # as of an older version
        stays.append(SIGNING_KEY_FILE)
    aside = Path(tempfile.mkdtemp(prefix=f"replaced-{now:%Y-%m-%dT%H-%M-%SZ}-", dir=state))
    for path in taken:
        if path.name == MARKER_FILE:
            shutil.copyfile(path, aside / path.name)
        elif not any(path.name.startswith(name) for name in stays):
            path.rename(aside / path.name)
    _sync(aside)
    return aside


def _move_in(fresh: Path, state: Path, aside: Path | None) -> None:
    """Move the files of the backup in.

    INVARIANT: the old marker stays until the rest is there. A restore that is cut off leaves a state that is known to
    have lost something, so that nothing goes to a cloud.

    Raises:
        Unavailable: The directory can't be written any more.
    """
    try:
        for name in STATE_FILES:
            if (fresh / name).exists():
                with (fresh / name).open("rb") as file:
                    os.fsync(file.fileno())
                (fresh / name).rename(state / name)
            elif name == MARKER_FILE:  # of a state that no gateway has named yet
                (state / name).unlink(missing_ok=True)
        _sync(state)
    except OSError as error:
        before = f" The state that was there is in {aside}." if aside is not None else ""
        raise Unavailable(
            f"The restore to {state} was cut off: {error.strerror or error}.{before} Run it again with --force."
        ) from error


def _differing(manifest: Manifest) -> tuple[str, ...]:
    return tuple(part.place for part in manifest.of(CONFIGURATION) if _digest(Path(part.place)) != part.sha256)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

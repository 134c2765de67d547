"""An app's settings file on the disk: what would change, the change with a backup beside it, and the way back."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.cli.connect.app import Connection, Format, SettingsFile
from gateway.cli.connect.documents import MISSING, Edit, look, open_document, reverted
from gateway.core.errors import ConfigurationError

_SECRET_MODE = 0o600
_BACKUP, _RECORD = ".before-aduana", ".aduana-undo"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What writing the settings would do to one file."""

    path: Path
    base: bytes | None
    """The file without anything of ours. None: there is none."""
    base_mode: int
    edits: tuple[Edit, ...]
    replaced: frozenset[str] = frozenset()
    """Settings whose values were replaced before, and shall come back with `--undo`."""
    content: bytes
    mode: int
    written: bool
    """The file is like that already."""

    @property
    def foreign(self) -> tuple[Edit, ...]:
        """Return the edits that take the place of somebody else's values."""
        return tuple(edit for edit in self.edits if edit.foreign and edit.words not in self.replaced)


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What taking the settings back has done, or would do."""

    content: bytes | None
    """None: the file goes, as there was none."""
    mode: int
    exact: bool
    """The file is byte for byte what it was."""
    kept: tuple[str, ...] = ()
    """Settings of ours that somebody has changed since: they stay."""


class _WrittenEdit(msgspec.Struct, frozen=True):
    path: list[str | dict[str, Any]]
    after: Any


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside a file that was written, so that it can be taken back."""

    existed: bool
    mode: int
    digest: str
    edits: list[_WrittenEdit]
    folders: list[str]
    """Folders that were made for it, the innermost first."""


def backup_of(path: Path) -> Path:
    """Return where the file as it was is kept."""
    return path.with_name(path.name + _BACKUP)


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + _RECORD)


def plan(file: SettingsFile, to: Connection, path: Path) -> Plan:
    """Return what writing an app's settings into a file would do.

    Raises:
        ConfigurationError: The file can't be read or changed.
    """
    path = _real(path)
    now = _read(path)
    record = _read_record(path)
    undone = None if record is None else _undone(path, file.format, record)
    base = now if undone is None else undone.content
    base_mode = _mode(path) if undone is None else undone.mode
    text, crlf = _text(path, base or b"")
    document = open_document(str(path), text, file.format)
    edits = document.edits_towards(file.values(to))
    content = document.changed(edits)
    content_bytes = (content.replace("\n", "\r\n") if crlf else content).encode()
    mode = base_mode & _SECRET_MODE if file.holds_key and to.key is not None else base_mode
    return Plan(
        path=path,
        base=base,
        base_mode=base_mode,
        edits=edits,
        replaced=frozenset(_words(one.path) for one in record.edits) if record else frozenset(),
        content=content_bytes,
        mode=mode,
        written=now == content_bytes,
    )


def write(planned: Plan) -> None:
    """Write the file, with what it was beside it.

    Raises:
        ConfigurationError: It can't be written.
    """
    path = planned.path
    earlier = _read_record(path)
    record = _Record(
        existed=planned.base is not None,
        mode=planned.base_mode,
        digest=_digest(planned.content),
        edits=[_WrittenEdit(list(edit.path), edit.after) for edit in planned.edits],
        folders=earlier.folders if earlier else [str(folder) for folder in path.parents if not folder.exists()],
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if planned.base is not None:
            _replace(backup_of(path), planned.base, planned.base_mode & _SECRET_MODE)
        _replace(_record_of(path), msgspec.json.encode(record), _SECRET_MODE)
        _replace(path, planned.content, planned.mode)
    except OSError as error:
        raise ConfigurationError((f"{path}: can't be written: {error.strerror or error}.",)) from error


def undo(path: Path, kind: Format) -> Undone | None:
    """Take back what was written into a file, and return what came of it; None: nothing of ours is there.

    Raises:
        ConfigurationError: It can't be read or written.
    """
    path = _real(path)
    record = _read_record(path)
    if record is None:
        return None
    undone = _undone(path, kind, record)
    try:
        if undone.content is None:
            path.unlink(missing_ok=True)
        else:
            _replace(path, undone.content, undone.mode)
        _record_of(path).unlink(missing_ok=True)
        if not undone.kept:
            backup_of(path).unlink(missing_ok=True)
        for folder in map(Path, record.folders):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    except OSError as error:
        raise ConfigurationError((f"{path}: can't be written: {error.strerror or error}.",)) from error
    return undone


def _read_record(path: Path) -> _Record | None:
    """Return what is known of what was written into a file; None: nothing was.

    Raises:
        ConfigurationError: It can't be read.
    """
    saved = _read(_record_of(path))
    try:
        return None if saved is None else msgspec.json.decode(saved, type=_Record)
    except msgspec.MsgspecError as error:
        raise ConfigurationError((f"{_record_of(path)}: can't be read: {error}.",)) from error


def _undone(path: Path, kind: Format, record: _Record) -> Undone:
    """Return the file without what was written into it."""
    now = _read(path)
    backup = _read(backup_of(path)) if record.existed else None
    if now is None:  # somebody has removed it since
        return Undone(content=None, mode=record.mode, exact=not record.existed)
    if _digest(now) == record.digest and (backup is not None or not record.existed):
        return Undone(content=backup, mode=record.mode, exact=True)
    text, crlf = _text(path, now)
    document = open_document(str(path), text, kind)
    before = open_document(str(backup_of(path)), _text(path, backup or b"")[0], kind).data
    back, kept = _taken_back(document.data, before, record.edits)
    content = document.changed(back)
    content = content.replace("\n", "\r\n") if crlf else content
    return Undone(content=content.encode(), mode=_mode(path), exact=False, kept=kept)


def _taken_back(now: Any, before: Any, written: Sequence[_WrittenEdit]) -> tuple[list[Edit], tuple[str, ...]]:
    """Return the edits that take back what is still as it was written, and the words for what is not."""
    back: list[Edit] = []
    kept: list[str] = []
    for one in reversed(written):
        path = tuple(one.path)
        edit = Edit(path=path, before=look(before, path), after=one.after)
        some, others = reverted(now, edit)
        back += some
        kept += [_words(other) for other in others]
    return back, tuple(kept)


def _words(path: Sequence[Any]) -> str:
    return Edit(path=tuple(path), before=MISSING, after=MISSING).words


def _real(path: Path) -> Path:
    """Return the file behind a link, so that a link to somebody's collection of settings stays one.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # of Python up to 3.12; later ones return a link
        real = path
    if os.path.islink(real):
        raise ConfigurationError((f"{path}: is a link that leads to itself.",))
    return real


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError((f"{path}: can't be read: {error.strerror or error}.",)) from error


def _mode(path: Path) -> int:
    """Return a file's mode, or that of a new one."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        umask = os.umask(0o077)
        os.umask(umask)
        return 0o666 & ~umask


def _text(path: Path, content: bytes) -> tuple[str, bool]:
    """Return a file's text with plain ends of lines, and whether they were Windows'.

    Raises:
        ConfigurationError: It is no text.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError((f"{path}: is not written in UTF-8, so it was not touched.",)) from error
    return text.replace("\r\n", "\n"), "\r\n" in text


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all, with its mode from the first moment on.

    Raises:
        OSError: It can't be written.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise

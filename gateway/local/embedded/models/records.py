"""What Aduana itself put into the model directory: pulled files and links, so that it removes and verifies only those.

One small JSON file for each model, in the folder `.records` beside the models.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from gateway.core.errors import BadRequest, ConfigurationError

FOLDER = ".records"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_BLOCK = 1 << 20


class RecordedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a model, by its name in the model directory. `size` in bytes, `sha256` hexadecimal."""

    name: str
    size: int
    sha256: str = ""
    """Empty: not known."""
    link: str = ""
    """Where the link points to; empty: the file was downloaded."""


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Model that Aduana pulled or linked."""

    name: str
    source: str
    """Where it is from, such as `hf://org/repo@revision` or `ollama:qwen3:14b`."""
    files: tuple[RecordedFile, ...]
    added: str
    """Day, as 2026-11-29."""
    licence: str = ""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with a file of a model."""

    file: str
    kind: Literal["gone", "size", "digest", "unreadable", "not_ours"]
    """Of these, `not_ours` is somebody's file in the place of one that was put there."""
    detail: str = ""


def check_name(name: str) -> str:
    """Return a model's name that can be a file's name.

    Raises:
        BadRequest: it can't.
    """
    if _NAME.fullmatch(name) is None:
        raise BadRequest(
            f"{name!r} can't be a model's name: letters, digits, '.', '_' and '-' can. Choose another: --name"
        )
    return name


def records(models_dir: Path) -> list[ModelRecord]:
    """Return the records of a model directory, by name; one that can't be read is left out."""
    found = []
    for file in sorted((models_dir / FOLDER).glob("*.json")):
        try:
            record = msgspec.json.decode(file.read_bytes(), type=ModelRecord)
        except (OSError, msgspec.DecodeError):
            continue
        if all(Path(one.name).name == one.name for one in record.files):  # never a file of another folder
            found.append(record)
    return found


def write_record(models_dir: Path, record: ModelRecord) -> None:
    """Keep a record, whole or not at all.

    Raises:
        ConfigurationError: the directory can't be written to.
    """
    file = models_dir / FOLDER / f"{check_name(record.name)}.json"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
        fresh.replace(file)
    except OSError as error:
        raise ConfigurationError((f"{file} can't be written: {error.strerror or error}.",)) from error


def link(
    models_dir: Path,
    name: str,
    parts: Sequence[Path],
    *,
    source: str,
    added: str,
    projector: Path | None = None,
    digests: Sequence[str] = (),
    licence: str = "",
) -> ModelRecord:
    """Link a model of another program into the model directory, and return its record. Nothing is copied.

    Args:
        models_dir: Made if it is missing.
        name: What it is called in a configuration.
        parts: Its files, as they lie elsewhere; the first is what is loaded.
        source: Where it is from, for the record.
        added: Today, as 2026-11-29.
        projector: The file that lets it see or hear.
        digests: SHA-256 of each part, where they are known.
        licence: As its authors call it.

    Raises:
        BadRequest: another file has that name, or the name can't be one.
        ConfigurationError: the directory can't be written to.
    """
    places = dict(zip(file_names(name, len(parts)), parts, strict=True))
    if projector is not None:
        places[projector_name(name)] = projector
    targets = {place: target.resolve() for place, target in places.items()}
    free(models_dir, targets)
    known = dict(zip(file_names(name, len(parts)), digests, strict=False))
    files = []
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        for place, target in targets.items():
            if not (models_dir / place).is_symlink():
                (models_dir / place).symlink_to(target)
            size = target.stat().st_size
            files.append(RecordedFile(name=place, size=size, sha256=known.get(place, ""), link=str(target)))
    except OSError as error:
        raise ConfigurationError((f"{models_dir} can't be written to: {error.strerror or error}.",)) from error
    record = ModelRecord(name=name, source=source, files=tuple(files), added=added, licence=licence)
    write_record(models_dir, record)
    return record


def free(models_dir: Path, links: Mapping[str, Path | None]) -> None:
    """Check that no other file has one of these names.

    Args:
        models_dir: Where they would be.
        links: The names, and where a link of that name may point to already; None: to nothing.

    Raises:
        BadRequest: one is taken; says what to do.
    """
    for place, target in links.items():
        path = models_dir / place
        if path.is_symlink() and target is not None and path.resolve() == target:
            continue
        if path.is_symlink() or path.exists():
            raise BadRequest(f"{path} exists already, and is another file. Choose another name with --name.")


def file_names(name: str, parts: int) -> list[str]:
    """Return the names of a model's files in the model directory. llama.cpp finds further parts by such names."""
    check_name(name)
    if parts == 1:
        return [f"{name}.gguf"]
    return [f"{name}-{part:05d}-of-{parts:05d}.gguf" for part in range(1, parts + 1)]


def projector_name(name: str) -> str:
    """Return the name of a model's projector in the model directory."""
    return f"mmproj-{name}.gguf"


def remove(models_dir: Path, name: str) -> tuple[ModelRecord, list[Fault]]:
    """Remove what Aduana put there under that name, and return its record and what was left alone.

    INVARIANT: a link goes only if it is the one that was made, and a file only if it has the size that was pulled: what
    somebody has put there since is theirs. The file behind a link is never touched.

    Raises:
        BadRequest: Aduana brought no model of that name here.
        ConfigurationError: a file can't be removed.
    """
    record = find(models_dir, name)
    left = []
    try:
        for file in record.files:
            path = models_dir / file.name
            if _own(path, file):
                path.unlink(missing_ok=True)
            else:
                left.append(Fault(file=file.name, kind="not_ours"))
        (models_dir / FOLDER / f"{record.name}.json").unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError((f"{models_dir}: {error.strerror or error}.",)) from error
    return record, left


def find(models_dir: Path, name: str) -> ModelRecord:
    """Return the record of a model.

    Raises:
        BadRequest: Aduana brought no model of that name here.
    """
    kept = {record.name: record for record in records(models_dir)}
    if name in kept:
        return kept[name]
    if any((models_dir / place).exists() for place in (f"{name}.gguf", name)):
        raise BadRequest(f"{name} in {models_dir} was not pulled or linked by Aduana, so it is not Aduana's to remove.")
    there = ", ".join(kept) or "none"
    raise BadRequest(f"Aduana brought no model {name!r} into {models_dir}. There are: {there}.")


def _own(path: Path, file: RecordedFile) -> bool:
    """Say whether a file is still the one that was put there, or is gone."""
    if path.is_symlink():
        return bool(file.link) and os.readlink(path) == file.link
    return not path.exists() or (not file.link and path.is_file() and path.stat().st_size == file.size)


def verify(models_dir: Path, record: ModelRecord, progress: Callable[[int], None] = lambda count: None) -> list[Fault]:
    """Read a model's files and compare them with what was pulled or linked; return what is wrong.

    `progress` hears how many more bytes were read.
    """
    faults = []
    for file in record.files:
        path = models_dir / file.name
        if not path.exists():
            faults.append(Fault(file=file.name, kind="gone"))
            continue
        try:
            size = path.stat().st_size
            digest = sha256(path, progress) if file.sha256 and size == file.size else file.sha256
        except OSError as error:
            faults.append(Fault(file=file.name, kind="unreadable", detail=str(error.strerror or error)))
            continue
        if size != file.size:
            faults.append(Fault(file=file.name, kind="size", detail=f"{size:,} / {file.size:,}"))
        elif digest != file.sha256:
            faults.append(Fault(file=file.name, kind="digest"))
    return faults


def sha256(path: Path, progress: Callable[[int], None] = lambda count: None) -> str:
    """Return a file's SHA-256 (hexadecimal)."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            progress(len(block))
    return digest.hexdigest()

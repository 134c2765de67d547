"""Download a model's files into the model directory: each goes on where it broke off, and is checked once it is whole.

What is incomplete lies in the folder `.partial` beside the models, under the digest that it is to have.
"""

import hashlib
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli.models.hub import Hub, Progress, Repository
from gateway.cli.models.progress import shown
from gateway.cli.models.reference import Choice, RemoteFile
from gateway.cli.models.words import say
from gateway.core.errors import BadRequest, ConfigurationError, Unavailable
from gateway.engine.llama.gguf import read_header
from gateway.local.embedded.models.records import (
    ModelRecord,
    RecordedFile,
    file_names,
    free,
    projector_name,
    sha256,
    write_record,
)
from gateway.setup.model_files import is_gguf

_PARTIAL = ".partial"
_SPARE = 10**9  # bytes of the disk that stay free: the ledger lives there too


def fetch(hub: Hub, repository: Repository, choice: Choice, directory: Path, name: str) -> ModelRecord:
    """Download every file, check each, and put all of them into the directory only then.

    Raises:
        BadRequest: a name is taken, or a file is not there or no model.
        ConfigurationError: the directory can't be written to, or a model can't be used.
        Forbidden: the hub does not let us in.
        Unavailable: the hub or the disk fails, or a file is not what the hub says it is.
    """
    wanted = dict(zip(file_names(name, len(choice.parts)), choice.parts, strict=True))
    if choice.projector is not None:
        wanted[projector_name(name)] = choice.projector
    free(directory, dict.fromkeys(wanted))
    partial = directory / _PARTIAL
    try:
        partial.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError((f"{directory} can't be written to: {error.strerror or error}.",)) from error
    places = {place: partial / (file.sha256 or _key(repository, file)) for place, file in wanted.items()}
    _check_room(directory, sum(file.size - _size(places[place]) for place, file in wanted.items()))
    with shown(say("Downloading"), choice.download) as progress:
        for place, file in wanted.items():
            hub.download(repository, file, places[place], progress)
    with shown(say("Checking"), choice.download) as progress:
        digests = {place: _checked(places[place], file, progress) for place, file in wanted.items()}
    for place, file in wanted.items():
        if not is_gguf(places[place]):
            places[place].unlink()
            raise BadRequest(say("{file} is not a GGUF file, so it was thrown away.", file=file.path))
    record = ModelRecord(
        name=name,
        source=f"hf://{repository.name}@{repository.revision}",
        files=tuple([RecordedFile(name=place, size=wanted[place].size, sha256=digests[place]) for place in wanted]),
        added=f"{datetime.now(UTC):%Y-%m-%d}",
        licence=repository.licence,
    )
    _place(directory, places)
    write_record(directory, record)
    read_header(directory / next(iter(wanted)))
    return record


def _key(repository: Repository, file: RemoteFile) -> str:
    """Return a name for an incomplete file whose digest the hub does not say."""
    return hashlib.sha256(f"{repository.name}@{repository.revision}/{file.path}".encode()).hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _check_room(directory: Path, need: int) -> None:
    """Check that the disk has room for so many bytes.

    Raises:
        Unavailable: it has not.
    """
    room = shutil.disk_usage(directory).free
    if need + _SPARE > room:
        raise Unavailable(
            say(
                "{need} GB are still to come, and {room} GB are free on the disk of {directory} (1 GB stays free). "
                "Nothing was downloaded. Make room, or name another folder: --models-dir (and 'models_dir' in "
                "aduana.yaml).",
                need=f"{need / 1e9:.1f}",
                room=f"{room / 1e9:.1f}",
                directory=directory,
            )
        )


def _checked(path: Path, file: RemoteFile, progress: Progress) -> str:
    """Return a file's SHA-256, if it is the one that the hub states, or the hub states none.

    Raises:
        Unavailable: it is another; the file is thrown away.
    """
    digest = sha256(path, progress)
    if file.sha256 and digest != file.sha256:
        path.unlink()
        raise Unavailable(
            say(
                "What came is not {file}: its digest is {digest}…, and the hub says {stated}…. It was thrown away. Try "
                "again; if it happens twice, something between you and the hub changes files.",
                file=file.path,
                digest=digest[:16],
                stated=file.sha256[:16],
            )
        )
    return digest


def _place(directory: Path, places: Mapping[str, Path]) -> None:
    """Move whole files to their names.

    Raises:
        ConfigurationError: the directory can't be written to.
    """
    try:
        for place, path in places.items():
            path.replace(directory / place)
    except OSError as error:
        raise ConfigurationError((f"{directory} can't be written to: {error.strerror or error}.",)) from error
    with suppress(OSError):  # another download may be under way there
        (directory / _PARTIAL).rmdir()

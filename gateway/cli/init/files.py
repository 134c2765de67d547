"""Writing what was chosen: new files only, all of them or none."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from gateway.core.errors import AduanaError, ConfigurationError
from gateway.core.translation import Translator


def refuse_existing(folder: Path, files: Mapping[str, str], tell: Translator) -> None:
    """Refuse to go on where a file is there already; one that says the same is no reason.

    Raises:
        AduanaError: There are such files; the message names each, and says what to do.
    """
    there = [folder / name for name, text in files.items() if not _is_new(folder / name, text)]
    if there:
        names = ", ".join(str(file) for file in there)
        raise AduanaError(
            tell(
                "{names}: there already, and 'aduana init' overwrites nothing. Nothing was written. Change the file by "
                "hand and run 'aduana check', or move it away, or choose another folder with --directory.",
                names=names,
            )
        )


def write_new(folder: Path, files: Mapping[str, str], keys: Mapping[Path, str], tell: Translator) -> None:
    """Write all of these files, or none of them; those of keys for nobody else to read.

    Raises:
        ConfigurationError: The folder can't be written to.
    """
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in keys.items():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _write(path, text, 0o600, written)
        for name, text in files.items():
            if not (folder / name).exists():  # else it says the same already
                _write(folder / name, text, 0o666, written)
    except OSError as error:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        problem = tell("{folder} can't be written to: {reason}.", folder=folder, reason=error.strerror or error)
        raise ConfigurationError((problem,)) from error


def _write(path: Path, text: str, mode: int, written: list[Path]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    written.append(path)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _is_new(path: Path, text: str) -> bool:
    if not path.exists() and not path.is_symlink():
        return True
    try:
        return path.name != "aduana.yaml" and path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False

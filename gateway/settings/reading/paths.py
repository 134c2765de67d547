"""Paths in the configuration count from the directory of its file, wherever the gateway was started."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Where a path, or a list of them, may stand. `*`: under any name.
_PLACES = (
    ("server", "tls", "certificate"),
    ("server", "tls", "key"),
    ("egress", "socket"),
    ("egress", "tls", "authority"),
    ("egress", "tls", "certificate"),
    ("egress", "tls", "key"),
    ("policy",),
    ("candidate",),
    ("inspection", "lists", "*"),
    ("inspection", "lists", "*", "file"),
    ("prices", "reference_tokenizer"),
    ("prices", "data_file"),
    ("energy", "tariff", "file"),
    ("users", "providers", "*", "jwks_file"),
    ("users", "providers", "*", "ca_file"),
    ("ledger", "checkpoints_to"),
    ("targets", "*", "workflow"),
    ("targets", "*", "cwd"),
    ("targets", "*", "log"),
)
# What is no part of the configuration: a folder to run in, what is written there, what others renew.
_APART = frozenset({"cwd", "log", "authority", "certificate", "key", "checkpoints_to", "socket"})


def placed(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a copy in which no path is relative.

    What is malformed stays as it is, for the validation to tell.
    """
    result: Any = values
    for place in _PLACES:
        result = _at(result, place, folder)
    return dict(result)


def _at(value: Any, place: tuple[str, ...], folder: Path) -> Any:
    if not place:
        return _path(value, folder)
    if not isinstance(value, Mapping):
        return value
    name, *rest = place
    return {key: _at(item, tuple(rest), folder) if name in ("*", key) else item for key, item in value.items()}


def _path(value: Any, folder: Path) -> Any:
    if isinstance(value, str):
        return str(folder / Path(value).expanduser())
    if isinstance(value, list):
        return [_path(item, folder) if isinstance(item, str) else item for item in value]
    return value


def paths_in(values: Any, folder: Path) -> list[Path]:
    """Return every path that a configuration names and that is read, in `folder` where it is relative."""
    found: list[Path] = []
    for place in _PLACES:
        if place[-1] not in _APART:
            found += _found(values, place, folder)
    return found


def _found(value: Any, place: tuple[str, ...], folder: Path) -> list[Path]:
    if not place:
        paths = value if isinstance(value, list) else [value]
        return [folder / Path(path).expanduser() for path in paths if isinstance(path, str)]
    if not isinstance(value, Mapping):
        return []
    name, *rest = place
    return [path for key, item in value.items() if name in ("*", key) for path in _found(item, tuple(rest), folder)]

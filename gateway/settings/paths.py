"""Paths in the configuration count from the directory of its file, wherever the gateway was started."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Where a path, or a list of them, may stand. `*`: under any name.
_PLACES = (
    ("policy",),
    ("candidate",),
    ("inspection", "lists", "*"),
    ("inspection", "lists", "*", "file"),
    ("prices", "reference_tokenizer"),
    ("prices", "data_file"),
    ("energy", "tariff", "file"),
)


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

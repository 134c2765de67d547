"""Folders of speech models in CTranslate2's format: in the model directory, by a path, or inside a Python package."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from gateway.core.errors import ConfigurationError
from gateway.core.yaml_source import suggest
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.speech.messages import MODEL_FILES

_PACKAGE = "package:"
_ROOM = 256 * 2**20  # bytes: Python, the libraries, some minutes of sound and what is computed of them, as seen


def speech_model_folder(name: str, models_dir: Path) -> Path:
    """Return the folder of a model: `whisper-base` in the model directory, a path, or `package:NAME`.

    Raises:
        ConfigurationError: There is none, or a file is missing in it; says what to do.
    """
    if name.startswith(_PACKAGE):
        folder = _in_package(name.removeprefix(_PACKAGE))
    else:
        given = Path(name).expanduser()
        folder = given if given.is_absolute() or ("/" in name and given.is_dir()) else models_dir / given
    if folder is None or not folder.is_dir():
        hint = suggest(name, [one.parent.name for one in models_dir.glob("*/model.bin")])
        raise ConfigurationError(
            (
                f"There is no speech model {name!r} in {models_dir}.{hint} Put its folder there (faster-whisper's "
                "format: model.bin, config.json, tokenizer.json); nothing is downloaded.",
            )
        )
    missing = [one for one in MODEL_FILES if not (folder / one).is_file()]
    if missing:
        raise ConfigurationError((f"The speech model {folder} is incomplete: it lacks {', '.join(missing)}.",))
    return folder


def speech_footprint(folder: Path, *, gpu: bool) -> MemoryFootprint:
    """Estimate what a model takes: its weights as they lie on disk, and room for a few minutes of sound."""
    weights = sum(file.stat().st_size for file in folder.glob("*.bin"))
    return MemoryFootprint(weights=weights, compute=_ROOM, gpu=weights if gpu else 0)


def _in_package(name: str) -> Path | None:
    """Return the folder with a model in an installed package, without importing it; None: there is none."""
    try:
        spec = importlib.util.find_spec(name.replace("-", "_"))
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return next(_folders(places), None)


def _folders(places: list[str]) -> Iterator[Path]:
    for place in places:
        for file in sorted(Path(place).rglob("model.bin")):
            yield file.parent

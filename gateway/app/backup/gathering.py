"""Which files the configuration consists of, and which secrets it names."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigurationError
from gateway.policy.load import load_policy_files
from gateway.settings import Settings
from gateway.settings.reading.paths import paths_in


def configuration_files(settings: Settings) -> dict[str, Path]:
    """Return the configuration's files by their names in a backup: itself, policies with what they include, lists.

    Nothing, where there is no configuration file. What lies outside of its folder gets a name of its own.
    """
    if not settings.places.source.file:
        return {}
    file = Path(settings.places.source.file).absolute()
    named = [file, *_policies(settings), *paths_in(settings.places.source.value, file.parent)]
    found: dict[str, Path] = {}
    for path in dict.fromkeys(path.absolute() for path in named):
        if not path.is_file():
            continue  # `aduana check` says which are missing
        inside = path.is_relative_to(file.parent) and ".." not in path.parts
        name = path.relative_to(file.parent).as_posix() if inside else f"elsewhere/{len(found)}-{path.name}"
        found[name] = path
    return found


def secret_files(settings: Settings) -> dict[str, Path]:
    """Return the files that hold the configuration's keys, by their names in a backup; certificates are with theirs."""
    texts = _strings(settings.model_dump(mode="json"))
    paths = [Path(text.removeprefix("file:")) for text in texts if text.startswith("file:")]
    if settings.server.tls is not None:
        paths += [settings.server.tls.certificate, settings.server.tls.key]
    files = dict.fromkeys(path.expanduser().absolute() for path in paths)
    return {f"{number}-{path.name}": path for number, path in enumerate(files)}


def _policies(settings: Settings) -> list[Path]:
    """Return all files of the policies, also those that others include; of one that does not load, what was read."""
    read: list[Path] = []

    def note(path: str) -> str:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError((f"{path}: can't be read: {error}.",)) from error
        read.append(Path(path))
        return text

    for files in (settings.policy, settings.candidate):
        if files:
            try:
                load_policy_files(files, settings.catalog(), read=note, proved=False)
            except ConfigurationError:
                read += files
    return read


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for item in value.values():
                yield from _strings(item)
        case list() | tuple():
            for item in value:
                yield from _strings(item)

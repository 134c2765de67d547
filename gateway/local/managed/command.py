"""The command line and environment of a managed server, with what stands for its placeholders. Pure, but for `found`.

`{port}` the free port on which it has to listen, `{host}` the address, always 127.0.0.1, `{key}` a secret made for this
start alone, `{model}` the target's model, `{models}` the model directory. `{{word}}` is the text `{word}`; other
braces, as in JSON, stay as they are.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from gateway.local.managed.settings import ServerSettings
from gateway.local.worker_environment import may_be_secret

HOST = "127.0.0.1"
PLACEHOLDERS = ("port", "host", "key", "model", "models")
_PLACE = re.compile(r"\{\{([a-z_]+)\}\}|\{([a-z_]+)\}")
# What a server inherits: what programs, drivers and locales need, never the keys that stand beside it.
_INHERITED = frozenset(
    {
        "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH", "OMP_NUM_THREADS",
    }
)  # fmt: skip
_INHERITED_GROUPS = ("LC_", "CUDA_", "NVIDIA_", "HIP_", "ROCR_", "HSA_", "VK_")


def unknown_placeholders(texts: Iterable[str]) -> list[str]:
    """Return the words in braces that stand for nothing, in their order."""
    found = [match[2] for text in texts for match in _PLACE.finditer(text) if match[2] is not None]
    return [word for word in dict.fromkeys(found) if word not in PLACEHOLDERS]


def uses(texts: Iterable[str], word: str) -> bool:
    """Say whether a placeholder is used."""
    return any(match[2] == word for text in texts for match in _PLACE.finditer(text))


def command_line(settings: ServerSettings, *, port: int, key: str) -> list[str]:
    """Return program and arguments of one start."""
    values = _values(settings, port, key)
    return [_filled(text, values) for text in settings.command]


def environment(settings: ServerSettings, inherited: Mapping[str, str], *, port: int, key: str) -> dict[str, str]:
    """Return all variables of one start. `inherited`: the gateway's own, of which few are handed on."""
    values = _values(settings, port, key)
    kept = {name: value for name, value in inherited.items() if _is_inherited(name)}
    return kept | {name: _filled(text, values) for name, text in settings.environment.items()}


def _is_inherited(name: str) -> bool:
    grouped = name.startswith(_INHERITED_GROUPS) and not may_be_secret(name)
    return grouped or name in _INHERITED


def found(settings: ServerSettings, inherited: Mapping[str, str]) -> bool:
    """Say whether the program is there and may be run. Looks at the file system."""
    program = settings.command[0]
    path = settings.environment.get("PATH", inherited.get("PATH"))
    if "/" in program:
        return shutil.which(Path(settings.directory or ".") / program) is not None
    return shutil.which(program, path=path) is not None


def _values(settings: ServerSettings, port: int, key: str) -> Mapping[str, str]:
    return {
        "port": str(port),
        "host": HOST,
        "key": key,
        "model": settings.model,
        "models": settings.models_directory,
    }


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda match: f"{{{match[1]}}}" if match[1] else values.get(match[2], match[0]), text)

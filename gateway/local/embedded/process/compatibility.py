"""Memory of what llama.cpp can do on this machine, kept on disk: a crash is met once, not at each start.

One small JSON file in the state directory. A record holds for one CPU, one build of llama.cpp and one model file; with
another of them everything is tried again. Where the file can't be read or written, the worker finds out anew.
"""

import contextlib
import hashlib
import importlib.util
import os
import platform
import tempfile
from pathlib import Path

import msgspec

_MOST = 256  # records kept, the newest


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found out."""

    key: str
    repack: bool
    cause: str  # of the death that taught it: signal_11
    model: str  # the file's name, for whoever reads this file


class CompatibilityStore:
    """File of records. Reads and writes block, so they are called in a thread."""

    def __init__(self, file: Path | None) -> None:
        """Use this file; None: nothing is remembered."""
        self._file = file

    def repack_works(self, model: Path) -> bool:
        """Say whether repacked weights may be tried: yes, unless they made a worker die here before."""
        key = fingerprint(model)
        return not any(record.key == key and not record.repack for record in self._read())

    def remember_without_repack(self, model: Path, cause: str) -> None:
        """Keep that this model runs here without repacked weights only."""
        if self._file is None:
            return
        key = fingerprint(model)
        record = Record(key=key, repack=False, cause=cause, model=model.name)
        records = [*(one for one in self._read() if one.key != key), record][-_MOST:]
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self._file.parent, prefix=".compatibility-", delete=False) as copy:
                copy.write(msgspec.json.format(msgspec.json.encode(records)))
                copy.flush()
                os.fsync(copy.fileno())
            Path(copy.name).replace(self._file)

    def _read(self) -> list[Record]:
        if self._file is None:
            return []
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[Record])
        except (OSError, msgspec.DecodeError):
            return []


def fingerprint(model: Path) -> str:
    """Name the CPU, the build of llama.cpp and the model file together; changes when one of them does."""
    parts = [_cpu(), *_build(), model.name]
    with contextlib.suppress(OSError):
        facts = model.stat()
        parts.append(f"{facts.st_size}:{facts.st_mtime_ns}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _cpu() -> str:
    """Return the model of the CPU and the instruction sets that it announces."""
    wanted = ("model name", "stepping", "flags", "CPU implementer", "CPU part", "Features")
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n", 1)[0]
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(line for line in first.splitlines() if line.startswith(wanted))


def _build() -> list[str]:
    """List size and time of the libraries that compute, without loading them."""
    spec = importlib.util.find_spec("llama_cpp")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    overridden = os.environ.get("LLAMA_CPP_LIB_PATH")
    libraries = [
        library
        for place in ([overridden] if overridden else places)
        for library in sorted([*Path(place).rglob("libggml*"), *Path(place).rglob("libllama.*")])
    ]
    return [f"{library.name}:{library.stat().st_size}:{library.stat().st_mtime_ns}" for library in libraries]

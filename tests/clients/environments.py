"""Environments of clients: each has its own, made of exactly the pinned packages, in a cache outside the repository.

`pins/<name>.in` says what is wanted; `pins/<name>.txt` has all packages that it brought. `pins/<name>/` has the same
for Node: package.json and package-lock.json. `python -m tests.clients.environments NAME …` renews the second of each.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PINS = Path(__file__).parent / "pins"
CACHE = Path(os.environ.get("CLIENTS") or Path.home() / ".cache" / "aduana-clients").expanduser()


def python_environment(name: str) -> Path:
    """Return the folder of a Python client's programs, and install it first where its pins are new."""
    pins = PINS / f"{name}.txt"
    place, ready = _place(name, pins.read_bytes() + sys.version.encode())
    if not ready.exists():
        _venv(place)
        _run(place / "bin" / "pip", "install", "--quiet", "--no-deps", "--requirement", pins)
        ready.touch()
    return place / "bin"


def node_environment(name: str) -> Path:
    """Return the folder of a Node client, and install it first where its pins are new."""
    pins = PINS / name
    place, ready = _place(name, b"".join((pins / file).read_bytes() for file in ("package.json", "package-lock.json")))
    if not ready.exists():
        shutil.copytree(pins, place, dirs_exist_ok=True)
        # Not `npm ci`: it wants every platform's programs in the lock, also those that a registry does not have.
        _run("npm", "install", "--no-audit", "--no-fund", folder=place)
        ready.touch()
    return place


def _place(name: str, pins: bytes) -> tuple[Path, Path]:
    """Return a folder that only these pins have, and the file that says that it is whole."""
    place = CACHE / f"{name}-{hashlib.sha256(pins).hexdigest()[:12]}"
    place.mkdir(parents=True, exist_ok=True)
    return place, place / ".installed"


def _venv(place: Path) -> None:
    _run(sys.executable, "-m", "venv", "--clear", place)


def _run(*command: str | Path, folder: Path | None = None) -> str:
    env = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_WARN_SCRIPT_LOCATION": "1"}
    done = subprocess.run([*map(str, command)], cwd=folder, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def renew(name: str) -> None:
    """Write the pins of everything that the wanted packages need today."""
    if (PINS / name).is_dir():
        lock = ("--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund")
        _run("npm", "install", *lock, folder=PINS / name)
        return
    with tempfile.TemporaryDirectory() as place:
        _venv(Path(place))
        pip = Path(place) / "bin" / "pip"
        _run(pip, "install", "--quiet", "--requirement", PINS / f"{name}.in")
        (PINS / f"{name}.txt").write_text(_run(pip, "freeze"), encoding="utf-8")


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        renew(wanted)

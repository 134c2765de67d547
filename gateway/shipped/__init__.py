"""Files that come along and that no code of the gateway reads: ready policies, dashboards, service files.

They are links to the folders at the top of the repository; a wheel has copies. Owns where they are, and imports no
other room.
"""

from collections.abc import Mapping
from pathlib import Path

# Name → what is in it.
FOLDERS: Mapping[str, str] = {
    "policies": "ready policies, and a ten-minute course of their language",
    "grafana": "dashboards, recording rules and alerts, and what provisions them",
    "deploy": "units of systemd, packet filter, Prometheus, Compose, Kubernetes",
}


def folder(name: str) -> Path:
    """Return the folder `policies`, `grafana` or `deploy`. Its files are not to be changed: copy them."""
    return Path(__file__).parent / name


def files_of(name: str) -> list[Path]:
    """List the files of a folder, relative to it, by path."""
    top = folder(name)
    return sorted(path.relative_to(top) for path in _walk(top))


def _walk(top: Path) -> list[Path]:
    """List all files below, through links to folders as well, and none of the hidden ones."""
    below = [path for path in top.iterdir() if not path.name.startswith(".")]
    return [file for path in below for file in (_walk(path) if path.is_dir() else [path])]

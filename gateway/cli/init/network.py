"""Other devices on one's network: the names that they call this machine by, and a key for each kind of them."""

import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway.cli.init.profiles import Profile

FOLDER = "keys"
_NOWHERE = ("192.0.2.1", 9)  # an address of documentation (RFC 5737): a route is chosen for it, and nothing is sent


class DeviceKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key for some devices. `file`: where its secret lies."""

    name: str
    file: Path
    tags: tuple[str, ...] = ()
    admin: bool = False


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """How other devices reach this machine: the names and addresses that they may use, and their keys."""

    names: tuple[str, ...]
    keys: tuple[DeviceKey, ...]


def network(profile: Profile, folder: Path, names: Sequence[str]) -> Network:
    """Return the keys that a household or office needs: the owner's, one for apps, and those that the profile adds."""
    keys = [DeviceKey(name="admin", file=_file(folder, "admin"), admin=True)]
    keys += [DeviceKey(name="apps", file=_file(folder, "apps"))]
    keys += [DeviceKey(name=name, file=_file(folder, name), tags=tags) for name, tags in profile.keys]
    return Network(names=tuple(names), keys=tuple(keys))


def new_secrets(wanted: Network) -> dict[Path, str]:
    """Return a fresh secret for the file of each key."""
    return {key.file: f"{secrets.token_hex(32)}\n" for key in wanted.keys}


def names_of_this_machine() -> list[str]:
    """Return what others on the network may call this machine: its name, that name with .local, its address."""
    host = socket.gethostname().partition(".")[0].lower()
    names = [host, f"{host}.local"] if host and host != "localhost" else []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
            address = str(probe.getsockname()[0])
        except OSError:
            return names
    return names if address.startswith("127.") else [*names, address]


def _file(folder: Path, name: str) -> Path:
    return folder / FOLDER / f"{name}.key"

"""What stands in a backup: its parts with their digests, in `manifest.json`, the first file of the archive. Pure."""

from pathlib import PurePosixPath

import msgspec

from gateway.app.checkpoints.key import KEY_FILE as SIGNING_KEY_FILE
from gateway.app.conversation_key import KEY_FILE
from gateway.app.state.memory import MARKER_FILE
from gateway.app.state.stores import BATCHES_FILE
from gateway.ledger import FILE_NAME as LEDGER_FILE
from gateway.stored import FILE_NAME as RESPONSES_FILE

MANIFEST = "manifest.json"
FORMAT = 1
STATE, CONFIGURATION, SECRETS = "state", "configuration", "secrets"
STORED = (RESPONSES_FILE, BATCHES_FILE)
# In the order in which they are put in place: the marker last, see placing.py.
STATE_FILES = (LEDGER_FILE, *STORED, SIGNING_KEY_FILE, KEY_FILE, MARKER_FILE)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file in a backup."""

    name: str
    """Its path in the archive, below `state/`, `configuration/` or `secrets/`."""
    bytes: int
    sha256: str
    place: str = ""
    """Where it was: the path of a file of the configuration."""

    @property
    def room(self) -> str:
        """Return the folder of the archive that it is in."""
        return PurePosixPath(self.name).parts[0]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a backup says about itself."""

    format: int = FORMAT
    made: str
    """UTC, as `2026-11-29T04:50:00Z`."""
    aduana: str
    """Version of the program that made it."""
    schema: int
    """Of the ledger."""
    requests: int
    newest: float | None
    """Unix seconds of the last request in the ledger."""
    configuration: str = ""
    """Name of the part that is the configuration file itself; empty: there was none."""
    parts: tuple[Part, ...]

    def of(self, room: str) -> tuple[Part, ...]:
        """Return the parts in one folder of the archive."""
        return tuple(part for part in self.parts if part.room == room)


def misplaced(name: str) -> bool:
    """Return whether no part may have this name: it would land outside of its folder, or is none of the state's."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or "\\" in name or "\0" in name:
        return True
    room, *rest = path.parts
    if room == STATE:
        return len(rest) != 1 or rest[0] not in STATE_FILES
    return room not in (CONFIGURATION, SECRETS) or not rest

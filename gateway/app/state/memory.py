"""Owner of the state directory's marker and of the conversation key, while the gateway runs."""

import contextlib
import secrets
from pathlib import Path

import msgspec
import structlog

from gateway.app.conversation_key import KEY_FILE
from gateway.app.durable_file import write_durably
from gateway.app.state.losses import KEY_BYTES, Found, Losses, Marker, fingerprint, losses
from gateway.core.errors import ConfigurationError
from gateway.ledger import FILE_NAME, Ledger

LOG = structlog.get_logger("aduana")
MARKER_FILE = "state.json"


class StateMemory:
    """Memory of what the directory had. `look` before the ledger is opened, `open` after it, `close` before it closes.

    INVARIANT: what was lost is made anew only where the owner has accepted the loss. Until then the key is one for this
    run alone, the marker and the ledger's identity stay as they are, and putting the files back undoes everything.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        """Look at nothing yet. `shared`: the ledger lies elsewhere, and other gateways may use it too."""
        self._folder = folder
        self._shared = shared
        self._marker: Marker | None = None
        self.lost = Losses()
        self.key = b""

    @property
    def problem(self) -> str | None:
        """Return what is lost, in a sentence for the owner; None: nothing."""
        return self.lost.sentence() if self.lost else None

    def look(self) -> Found:
        """Return what is there. Blocks; nothing may have opened the ledger yet.

        Raises:
            ConfigurationError: A file is there and can't be read.
        """
        journal = self._folder / f"{FILE_NAME}-wal"
        ledger = self._folder / FILE_NAME
        marker: Marker | None = None
        with contextlib.suppress(msgspec.DecodeError):
            content = self._read(MARKER_FILE)
            marker = msgspec.json.decode(content, type=Marker) if content else None
        return Found(
            marker=marker,
            key=self._read(KEY_FILE),
            ledger=self._shared or (ledger.exists() and ledger.stat().st_size > 0),
            journal=self._shared or (journal.exists() and journal.stat().st_size > 0),
        )

    async def open(self, found: Found, ledger: Ledger, *, accept_loss: bool, claims: bool = True) -> None:
        """Compare what was found with the ledger, and take the state over where all is there or the loss is accepted.

        `claims`: whether this process writes the marker; of several workers with one directory one does.

        Raises:
            ConfigurationError: The key or the marker can't be written, or the key is not that of the other gateways.
            LedgerUnavailable: The ledger can't be read or written.
        """
        identity = await ledger.identity()
        lost = losses(found, identity)
        if self._shared and lost.key is not None and not accept_loss:
            raise ConfigurationError((self._another_key(),))
        if lost and not accept_loss:
            self._closed(found, lost, ledger)
            return
        if not claims:
            if found.key is None:
                raise ConfigurationError((self._another_key(),))
            self.key = found.key
            return
        if lost:
            LOG.warning("state.loss_accepted", problem=lost.sentence())
        key = found.key if found.key is not None and lost.key is None else self._new_key()
        before = found.marker.starts if found.marker is not None else 0
        marker = Marker(
            id=identity.id or (found.marker.id if found.marker is not None else secrets.token_hex(16)),
            key=fingerprint(key),
            starts=max(before, identity.starts) + 1,
            open=True,
        )
        # First: an older ledger is told by its smaller number.
        claimed = await ledger.claim(marker.id, marker.key, marker.starts)
        self.key = key
        self._write(msgspec.structs.replace(marker, id=claimed))

    def close(self) -> None:
        """Note that the ledger is closed in order, so that it needs no `-wal` file the next time."""
        if self._marker is not None:
            self._write(msgspec.structs.replace(self._marker, open=False))

    def _another_key(self) -> str:
        return (
            f"{self._folder / KEY_FILE}: is missing, or is not the key of the gateways that share this ledger, so they "
            "would not know each other's sensitive conversations. Copy that file from the state directory of another "
            "gateway. If no copy is left, begin anew: 'aduana serve --accept-loss', with all others stopped."
        )

    def _closed(self, found: Found, lost: Losses, ledger: Ledger) -> None:
        self.lost = lost
        self.key = found.key if found.key is not None and lost.key is None else secrets.token_bytes(KEY_BYTES)
        if lost.ledger is not None:
            ledger.exhaust_budgets()
        if lost.rows and found.marker is not None:  # the file that showed it is there again from now on
            self._write(msgspec.structs.replace(found.marker, lost=True))
            self._marker = None
        LOG.error("state.lost", problem=lost.sentence())

    def _new_key(self) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        path = self._folder / KEY_FILE
        try:
            if path.exists():
                path.rename(path.with_name(f"{KEY_FILE}.lost"))
            write_durably(path, key)
        except OSError as error:
            raise _unusable(path, error) from error
        return key

    def _read(self, name: str) -> bytes | None:
        path = self._folder / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(path, error) from error

    def _write(self, marker: Marker) -> None:
        path = self._folder / MARKER_FILE
        try:
            write_durably(path, msgspec.json.encode(marker))
        except OSError as error:
            raise _unusable(path, error) from error
        self._marker = marker


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError((f"{path}: can't be used: {error.strerror}. The state directory must be writable.",))

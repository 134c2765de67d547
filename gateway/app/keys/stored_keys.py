"""API keys that commands make, for commands themselves, for policies that name them, and before a start."""

from collections.abc import Sequence

import msgspec

from gateway.accounts.keys import StoredKey
from gateway.accounts.secrets import SecretDigest
from gateway.app.conversation_key import load_conversation_key
from gateway.app.state.ledger_place import ledger_address
from gateway.app.state.losses import losses
from gateway.app.state.memory import StateMemory
from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.core.target import Catalog
from gateway.ledger import LedgerIdentity, LedgerSettings, Reader
from gateway.ledger.database import database_of
from gateway.ledger.identity import read as read_identity
from gateway.ledger.keys.beside import changing, ready
from gateway.ledger.lock import OwnerLock
from gateway.ledger.sql import Database
from gateway.settings import Settings

_BUSY_SECONDS = 15.0  # a gateway's commit takes milliseconds; a start that removes old rows some seconds


def database_for(settings: Settings) -> Database:
    """Return the ledger's database for a command, which waits for a gateway that writes.

    Raises:
        ConfigurationError: Its address or password can't be read, or the extra for it is missing.
    """
    address, password = ledger_address(settings)
    return database_of(
        LedgerSettings(
            directory=settings.state_dir,
            database=address,
            database_password=password,
            busy_seconds=_BUSY_SECONDS,
        )
    )


def names_elsewhere(settings: Settings) -> frozenset[str]:
    """Return the names of those who ask that the configuration has: its keys, and providers of tokens."""
    return frozenset((*settings.keys, *settings.users.providers))


def stored_keys(settings: Settings) -> tuple[StoredKey, ...]:
    """Return the keys in the ledger, for whoever has not opened it; none where it can't be read."""
    try:
        return Reader(database_for(settings)).stored_keys()
    except (LedgerUnavailable, ConfigurationError, OSError):
        return ()


def with_keys(catalog: Catalog, stored: Sequence[StoredKey], settings: Settings) -> Catalog:
    """Return the catalog with these keys too, so that policies may name them; names of the configuration stay as is.

    Revoked ones are among them: a policy that names one still loads.
    """
    elsewhere = names_elsewhere(settings)
    further = {key.name: key.tags for key in stored if key.name not in elsewhere}
    return msgspec.structs.replace(
        catalog,
        keys=catalog.keys | further.keys(),
        key_tags=catalog.key_tags.union(*further.values()),
        tags_of_keys={**catalog.tags_of_keys, **further},
    )


def secret_digest(settings: Settings) -> SecretDigest:
    """Return what digests the secrets of keys, and bring the ledger up to date; both are made where there are none.

    Raises:
        ConfigurationError: The state directory's secret is lost, or can't be read or written.
        LedgerUnavailable: The ledger is lost, can't be used, or a gateway of another version runs with it.
    """
    directory, database = settings.state_dir, database_for(settings)
    found = StateMemory(directory).look()
    identity = LedgerIdentity()
    if database.shared or found.ledger or (found.key is None and found.marker is None):
        ready(database, directory)
        with changing(database) as connection:
            identity = read_identity(connection)
    lost = losses(found, identity)
    if lost.key is not None or (lost.ledger is not None and not lost.rows):
        raise ConfigurationError((f"state_dir: {lost.sentence()}",))
    if found.key is not None:
        return SecretDigest(found.key)
    lock = OwnerLock(directory)  # nobody else makes one meanwhile
    try:
        lock.take()
        return SecretDigest(load_conversation_key(directory))
    except OSError as error:
        raise LedgerUnavailable(f"The state directory {directory} can't be used: {error.strerror}.") from error
    finally:
        lock.release()

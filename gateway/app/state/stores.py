"""What clients ask to be kept: its stores are opened, or erased where they are off. No logic of its own.

They lie beside the ledger: in files of the state directory, or in the PostgreSQL database that gateways share.
"""

import asyncio
from contextlib import AsyncExitStack

import msgspec
import structlog

from gateway.app.room_settings import stored_settings
from gateway.app.state.ledger_place import ledger_address
from gateway.app.state.memory import StateMemory
from gateway.core.errors import ConfigurationError
from gateway.ledger import shared_store
from gateway.ledger.encryption import Seal
from gateway.settings import Settings
from gateway.stored import (
    FILE_NAME,
    RESPONSES,
    FileHome,
    Home,
    Place,
    ResponseStore,
    SealedTable,
    SharedHome,
    TableSettings,
    erase_shared,
    erase_store,
)

LOG = structlog.get_logger("aduana")
BATCHES_FILE = "batches.sqlite3"
BATCHES = "batches"
_FILES = {RESPONSES: FILE_NAME, BATCHES: BATCHES_FILE}
_UNBOUNDED = 2**62  # commands keep nothing, so they drop nothing
_BUSY_SECONDS = 10.0  # for a gateway that holds a file


async def open_store(stack: AsyncExitStack, settings: Settings, memory: StateMemory) -> ResponseStore | None:
    """Open the store of responses, and let `stack` close it; where nothing is to be stored, erase what there was.

    While the state directory lacks something the store stays shut, for it could be read and written under another key.

    Raises:
        ConfigurationError: It can't be opened or erased.
    """
    kept = stored_settings(settings)
    if kept is None:
        await asyncio.to_thread(_erase, settings, RESPONSES)
        return None
    if memory.lost:
        LOG.error("responses.closed", reason="the state directory has lost something")
        return None
    kept = msgspec.structs.replace(kept, shared=_place(settings, RESPONSES))
    store = ResponseStore(kept, Seal(memory.key, b"aduana responses 1"))
    await store.open()
    stack.push_async_callback(store.close)
    return store


async def open_table(stack: AsyncExitStack, settings: Settings, memory: StateMemory) -> SealedTable | None:
    """Open the store of files and batches, and let `stack` close it; where none are served, erase what there was.

    While the state directory lacks something it stays shut, for it could be read and written under another key.

    Raises:
        ConfigurationError: It can't be opened or erased.
    """
    batches = settings.batches
    if batches.store == "off":
        await asyncio.to_thread(_erase, settings, BATCHES)
        return None
    if memory.lost:
        LOG.error("batches.closed", reason="the state directory has lost something")
        return None
    kept = TableSettings(
        file=settings.state_dir / BATCHES_FILE,
        setting=BATCHES,
        shared=_place(settings, BATCHES),
        days=batches.days,
        most_bytes=batches.max_bytes,
    )
    table = SealedTable(kept, Seal(memory.key, b"aduana batches 1"))
    await table.open()
    stack.push_async_callback(table.close)
    return table


def homes(settings: Settings, store: str) -> list[Home]:
    """Return where there may be something of a store, for commands: the shared database, and what a file still has.

    Raises:
        ConfigurationError: The database's address can't be read.
    """
    place = _place(settings, store, using=False)
    found: list[Home] = [] if place is None else [SharedHome(place, store, most_bytes=_UNBOUNDED)]
    file = settings.state_dir / _FILES[store]
    if file.is_file() and file.stat().st_size:
        found.append(FileHome(file, most_bytes=_UNBOUNDED, busy_seconds=_BUSY_SECONDS))
    return found


def _place(settings: Settings, store: str, *, using: bool = True) -> Place | None:
    """Return the database that gateways share; None: there is none."""
    address, password = ledger_address(settings)
    return None if address is None else shared_store(address, password, store, using=using)


def _erase(settings: Settings, store: str) -> None:
    """Erase what there is of a store that is off. What other gateways still use is left, and said.

    Raises:
        ConfigurationError: It can't be erased.
    """
    reason = f"{store}.store is off"
    if erase_store(settings.state_dir, _FILES[store]):
        LOG.warning(f"{store}.erased", reason=reason)
    place = _place(settings, store, using=False)
    if place is None:
        return
    home = SharedHome(place, store, most_bytes=_UNBOUNDED)
    failures: tuple[type[Exception], ...] = home.failures
    try:
        erased = erase_shared(place, store)
    except failures as error:
        raise ConfigurationError((f"{store}: what is stored can't be erased. {home.describe(error)}",)) from error
    finally:
        place.close()
    if erased:
        LOG.warning(f"{store}.erased", reason=reason)
    elif erased is None:
        LOG.warning(
            f"{store}.left",
            reason=f"{reason} here, and other gateways still store: the last of them that starts so erases everything",
        )

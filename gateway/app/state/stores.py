"""What clients ask to be kept: its stores are opened, or erased where they are off. No logic of its own."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from gateway.app.room_settings import stored_settings
from gateway.app.state.memory import StateMemory
from gateway.ledger.encryption import Seal
from gateway.settings import Settings
from gateway.stored import ResponseStore, SealedTable, TableSettings, erase_store

LOG = structlog.get_logger("aduana")
BATCHES_FILE = "batches.sqlite3"


async def open_store(stack: AsyncExitStack, settings: Settings, memory: StateMemory) -> ResponseStore | None:
    """Open the store of responses, and let `stack` close it; where nothing is to be stored, erase what there was.

    While the state directory lacks something the store stays shut, for it could be read and written under another key.

    Raises:
        ConfigurationError: It can't be opened or erased.
    """
    kept = stored_settings(settings)
    if kept is None:
        if await asyncio.to_thread(erase_store, settings.state_dir):
            LOG.warning("responses.erased", reason="responses.store is off")
        return None
    if memory.lost:
        LOG.error("responses.closed", reason="the state directory has lost something")
        return None
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
        if await asyncio.to_thread(erase_store, settings.state_dir, BATCHES_FILE):
            LOG.warning("batches.erased", reason="batches.store is off")
        return None
    if memory.lost:
        LOG.error("batches.closed", reason="the state directory has lost something")
        return None
    kept = TableSettings(
        file=settings.state_dir / BATCHES_FILE, setting="batches", days=batches.days, most_bytes=batches.max_bytes
    )
    table = SealedTable(kept, Seal(memory.key, b"aduana batches 1"))
    await table.open()
    stack.push_async_callback(table.close)
    return table

"""The store of responses and conversations, as the server uses it: sealed records behind one thread of their own.

What is asked for under another owner's id, has expired or was never there is not there: nobody can tell which. What was
changed, or put in another's place, does not open and is refused.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from gateway.core.errors import AduanaError, ConfigurationError, TooLarge
from gateway.stored.contract import RecordDatabase, Row
from gateway.stored.database_thread import LOG, DatabaseThread, StoreDamaged, StoreUnavailable
from gateway.stored.homes import home_of
from gateway.stored.place import Place
from gateway.stored.records import Conversation, Record, StoredResponse, decode, encode
from gateway.stored.sealing import Sealing, sealed_name
from gateway.stored.taking_over import erase_store_file, take_over

FILE_NAME = "responses.sqlite3"
RESPONSES = "responses"
"""The name of this store, where gateways share it."""
_MOST_TURNS = 10_000
_SECONDS = 5.0  # for one read or write; nobody waits longer for a disk


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the store lies, and its bounds."""

    directory: Path
    shared: Place | None = None  # the database that gateways share; None: a file in the directory
    days: int = 30  # since a record was made or last continued
    most_bytes: int = 2**30  # of all records
    owner_bytes: int | None = None  # of those of one owner; None: as many as of all
    record_bytes: int = 16 * 2**20  # of one; a larger one is not kept
    chain_bytes: int = 32 * 2**20  # of all that one request continues


def erase_store(directory: Path, file_name: str = FILE_NAME) -> bool:
    """Delete a store's files, and return whether there were any.

    Raises:
        ConfigurationError: They can't be deleted.
    """
    try:
        return erase_store_file(directory / file_name)
    except OSError as error:
        raise ConfigurationError((f"{directory / file_name}: can't be deleted: {error.strerror}.",)) from error


class ResponseStore:
    """Owner of what is kept. `open` before use, `close` after; all methods are called on the event loop's thread."""

    def __init__(self, settings: StoreSettings, sealing: Sealing, *, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._sealing = sealing
        file, bounds = settings.directory / FILE_NAME, (settings.most_bytes, settings.owner_bytes)
        home = home_of(file, settings.shared, RESPONSES, most_bytes=bounds[0], owner_bytes=bounds[1])
        self._thread = DatabaseThread(
            home, sealing, setting="responses", days=settings.days, seconds=_SECONDS, wall=wall
        )

    async def open(self) -> None:
        """Open the database, and delete what has expired; a shared one takes over what the file has.

        Raises:
            ConfigurationError: It can't be opened.
        """
        await self._thread.open(self._take_over if self._settings.shared is not None else None)

    async def close(self) -> None:
        """Finish what is being written, and let go of the file."""
        await self._thread.close()

    async def expire(self) -> None:
        """Delete once an hour what has expired. Runs until cancelled."""
        await self._thread.expire()

    async def turns(self, owner: str, record_id: str) -> tuple[StoredResponse, ...] | None:
        """Return a response and all that it continued, oldest first; None: one of them is not there.

        Raises:
            StoreDamaged: One of them can't be opened.
            StoreUnavailable: The store can't be read.
            TooLarge: They are larger than a request may be.
        """
        return await self._thread.do(partial(self._turns, owner, record_id))

    async def response(self, owner: str, record_id: str) -> StoredResponse | None:
        """Return a response; None: it is not there.

        Raises:
            StoreDamaged: It can't be opened.
            StoreUnavailable: The store can't be read.
        """
        found = await self._thread.do(partial(self._read, owner, record_id))
        return found if isinstance(found, StoredResponse) else None

    async def conversation(self, owner: str, record_id: str) -> Conversation | None:
        """Return a conversation; None: it is not there.

        Raises:
            StoreDamaged: It can't be opened.
            StoreUnavailable: The store can't be read.
        """
        found = await self._thread.do(partial(self._read, owner, record_id))
        return found if isinstance(found, Conversation) else None

    async def keep(self, owner: str, record: Record, *, renewed: tuple[str, ...] = ()) -> None:
        """Keep a record; durable when it returns. `renewed` are the records that it continues.

        A response in a conversation is kept together with the conversation that it lengthens, or not at all.

        Raises:
            StoreDamaged: Its conversation can't be opened.
            StoreUnavailable: It can't be written, or its conversation was deleted meanwhile.
            TooLarge: It is larger than one record may be.
        """
        await self._thread.do(lambda database: database.change(partial(self._keep, owner, record, renewed, database)))

    async def change(
        self,
        owner: str,
        record_id: str,
        change: Callable[[Conversation], Conversation],
    ) -> Conversation | None:
        """Change a conversation, and return it as it is then; None: it is not there. Durable when it returns.

        Raises:
            StoreDamaged: It can't be opened.
            StoreUnavailable: It can't be written.
            TooLarge: It is larger than one record may be.
        """
        return await self._thread.do(
            lambda database: database.change(partial(self._change, owner, record_id, change, database))
        )

    async def delete(self, owner: str, record_id: str) -> None:
        """Delete what this owner has under an id. It is gone from the file when it returns.

        Raises:
            StoreUnavailable: It can't be written.
        """
        await self._thread.do(lambda database: database.delete(record_id, owner))

    # In the thread

    def _take_over(self, database: RecordDatabase) -> None:
        file = self._settings.directory / FILE_NAME
        take_over(file, database, self._sealing, RESPONSES, since=self._thread.since())

    def _read(self, owner: str, record_id: str, database: RecordDatabase) -> Record | None:
        sealed = database.read(record_id, owner, since=self._thread.since())
        return None if sealed is None else self._opened(owner, record_id, sealed)

    def _opened(self, owner: str, record_id: str, sealed: bytes) -> Record:
        try:
            return decode(self._sealing.open(sealed, sealed_name(owner, record_id)))
        except (AduanaError, ValueError) as error:
            LOG.error("responses.damaged", error=type(error).__name__)
            raise StoreDamaged(
                "What is stored under this id was changed or can't be opened, so it is not used: nobody knows how "
                "sensitive it was. Send the whole conversation in 'input'."
            ) from error

    def _turns(self, owner: str, record_id: str, database: RecordDatabase) -> tuple[StoredResponse, ...] | None:
        found: list[StoredResponse] = []
        left = self._settings.chain_bytes
        following: str | None = record_id
        while following is not None:
            sealed = database.read(following, owner, since=self._thread.since())
            record = None if sealed is None else self._opened(owner, following, sealed)
            if sealed is None or not isinstance(record, StoredResponse):
                return None
            left -= len(sealed)
            if left < 0 or len(found) >= _MOST_TURNS:
                raise TooLarge("What this continues is longer than a request may be. Begin a new conversation.")
            found.append(record)
            following = record.previous
        return tuple(reversed(found))

    def _keep(self, owner: str, record: Record, renewed: tuple[str, ...], database: RecordDatabase) -> None:
        records: tuple[Record, ...] = (record,)
        if isinstance(record, StoredResponse) and record.conversation is not None:
            conversation = self._read(owner, record.conversation, database)
            if not isinstance(conversation, Conversation):
                raise StoreUnavailable("The conversation was deleted meanwhile.")
            records = (record, conversation.grown((*record.items, *record.output), record.inherited))
        database.expire(self._thread.since())
        database.write(tuple([self._row(owner, one) for one in records]), renewed=renewed)

    def _change(
        self,
        owner: str,
        record_id: str,
        change: Callable[[Conversation], Conversation],
        database: RecordDatabase,
    ) -> Conversation | None:
        found = self._read(owner, record_id, database)
        if not isinstance(found, Conversation):
            return None
        changed = change(found)
        database.write((self._row(owner, changed),))
        return changed

    def _row(self, owner: str, record: Record) -> Row:
        content = encode(record)
        if len(content) > self._settings.record_bytes:
            raise TooLarge("This is larger than what is stored under one id.")
        sealed = self._sealing.seal(content, sealed_name(owner, record.id))
        return Row(id=record.id, owner=owner, seen=self._thread.now(), sealed=sealed)

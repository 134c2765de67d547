"""The memory of sensitive conversations while the gateway runs: what is surely unknown costs no database access."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import TypeVar

from cachetools import FIFOCache
from rbloom import Bloom

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.ledger.sql import Connection, Database
from gateway.ledger.taint import table
from gateway.ledger.write_queue import WriteQueue

T = TypeVar("T")
Entry = tuple[Label, table.Causes]
_EXPECTED = 2_000_000  # hashes; more of them only cost look-ups in vain
_IN_VAIN = 0.001  # share of unknown hashes
_AT_HAND = 200_000  # hashes whose entry needs no reading, about 25 MiB
_AT_ONCE = 8_192  # hashes that the loop looks at before it serves others: about 2 ms
_READ_SECONDS = 15.0  # of a shared database, whose server may stand still
_PIECE = 500  # hashes written at once: some milliseconds of the writer's


class TaintCache:
    """Memory of sensitive turns: a Bloom filter before the database, and the connection that reads it.

    The filter (rbloom; 3.4 MiB, 30 ns a look-up) never forgets, so a hash that it does not hold is surely unknown. At
    two million entries, 0.1 % of unknown hashes are looked up in vain. What was seen today is at hand, so that a later
    turn of a sensitive conversation reads and writes what is new in it. All methods but `fill` are called on the event
    loop's thread.
    """

    def __init__(self, database: Database, *, today: Callable[[], int]) -> None:
        self._database = database
        self._today = today  # days since 1970
        self._filter = Bloom(_EXPECTED, _IN_VAIN)
        self._unwritten: dict[bytes, Entry] = {}  # remembered, not known to be durable
        self._durable: FIFOCache[bytes, Entry] = FIFOCache(_AT_HAND)  # and seen today
        self._day = 0
        self._writing: set[asyncio.Task[None]] = set()
        self._reader: Connection | None = None
        self._reading = threading.Lock()

    def fill(self, connection: Connection) -> None:
        """Take over what the database knows; in the writer's thread, at start."""
        for item in table.everything(connection):
            self._filter.add(item)

    async def lookup(self, hashes: Sequence[bytes], write_queue: WriteQueue | None) -> dict[bytes, Label]:
        """Return the labels of those hashes that are remembered, and note that they were seen.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        return {item: label for item, (label, _) in (await self._entries(hashes, write_queue)).items()}

    async def causes(self, hashes: Sequence[bytes]) -> table.Causes:
        """Return what alone made the sensitive ones of these hashes sensitive; None: not known.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        union: table.Causes = frozenset()
        for label, causes in (await self._entries(hashes, None)).values():
            if label is Label.SENSITIVE:
                union = table.joined(union, causes)
        return union or None

    async def remember(
        self, hashes: Sequence[bytes], label: Label, write_queue: WriteQueue, causes: table.Causes = None
    ) -> None:
        """Remember turns with their label, which never falls; durable when it returns.

        Whoever looks from now on finds them, also when the caller does not wait. Only what is new is written.

        Raises:
            LedgerUnavailable: They could not be written in time.
        """
        entry = (label, causes)
        every = tuple(dict.fromkeys(hashes))
        if self._database.shared:
            for item in every:
                self._unwritten[item] = _merged(self._unwritten.get(item), entry)
            await asyncio.shield(self._own(self._write_unknown(every, entry, write_queue)))
            return
        new = await self._noted(every[:_AT_ONCE], entry, write_queue)
        if new or len(every) > _AT_ONCE:
            await asyncio.shield(self._own(self._rest(new, every[_AT_ONCE:], entry, write_queue)))

    async def ended(self) -> None:
        """Wait until nothing is on its way to the database any more."""
        while self._writing:
            await asyncio.wait(set(self._writing))

    async def _noted(self, hashes: Sequence[bytes], entry: Entry, write_queue: WriteQueue) -> list[bytes]:
        """Take note of hashes, so that whoever looks finds them, and return those that must be written."""
        known = await self._some(hashes, write_queue)
        new = [
            item
            for item in hashes
            if item in self._unwritten or item not in known or _merged(known[item], entry) != known[item]
        ]
        for item in new:
            self._filter.add(item)
            self._unwritten[item] = _merged(self._unwritten.get(item, known.get(item)), entry)
        return new

    async def _rest(self, new: list[bytes], rest: Sequence[bytes], entry: Entry, write_queue: WriteQueue) -> None:
        for some in _pieces(rest, _AT_ONCE):
            await asyncio.sleep(0)  # let others have the loop
            new += await self._noted(some, entry, write_queue)
        if new:
            await self._write(new, entry, write_queue)

    async def _write_unknown(self, hashes: Sequence[bytes], entry: Entry, write_queue: WriteQueue) -> None:
        """Write those of these hashes that a shared database does not know so, or has not seen today."""
        new: list[bytes] = []
        today = self._today()
        for some in _pieces(hashes, _AT_ONCE):
            read = await self.reading(partial(table.read, hashes=some))
            for item in some:
                label, causes, day = read.get(item, (Label.PUBLIC, None, 0))
                if day < today or _merged((label, causes), entry) != (label, causes):
                    new.append(item)
                elif self._unwritten.get(item) == entry:
                    self._durable[item] = self._unwritten.pop(item)
        if new:
            await self._write(new, entry, write_queue)

    async def _write(self, new: Sequence[bytes], entry: Entry, write_queue: WriteQueue) -> None:
        today = self._today()
        label, causes = entry

        def work(piece: Sequence[bytes]) -> Callable[[Connection], None]:
            return lambda connection: table.write(connection, dict.fromkeys(piece, label), today, causes)

        works = [work(piece) for piece in _pieces(new, _PIECE)]
        if len(works) == 1:
            await write_queue.do(works[0], keep=True)
        else:
            await write_queue.do_by_pieces(works)
        for item in new:  # what could not be written stays known while this process runs
            written = self._unwritten.pop(item, None)
            if written is not None:
                self._durable[item] = written

    def _own(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Return a task that goes on when whoever waits for it goes away."""

        def done(task: asyncio.Task[None]) -> None:
            self._writing.discard(task)
            if not task.cancelled():
                task.exception()  # whoever waits has it; nobody may

        task = asyncio.get_running_loop().create_task(work)
        self._writing.add(task)
        task.add_done_callback(done)
        return task

    async def _entries(self, hashes: Sequence[bytes], write_queue: WriteQueue | None) -> dict[bytes, Entry]:
        """Return label and causes of the known ones of these hashes; read are those that are not at hand.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        found: dict[bytes, Entry] = {}
        for some in _pieces(hashes, _AT_ONCE):
            found |= await self._some(some, write_queue)
            if len(some) == _AT_ONCE:
                await asyncio.sleep(0)  # let others have the loop
        return found

    async def _some(self, hashes: Sequence[bytes], write_queue: WriteQueue | None) -> dict[bytes, Entry]:
        today = self._today()
        if today != self._day:
            self._day = today
            self._durable.clear()
        found: dict[bytes, Entry] = {}
        maybe: Sequence[bytes] = hashes
        if not self._database.shared:  # others may have remembered, or raised, whatever this gateway knows
            maybe = [item for item in hashes if item in self._filter]
            found = {item: self._durable[item] for item in maybe if item in self._durable}
        if not maybe:
            return {}
        away = [item for item in maybe if item not in found]
        if away:
            read = await self.reading(lambda connection: table.read(connection, away))
            stale = [item for item, (_, _, day) in read.items() if day < today]
            if stale and write_queue is not None:
                self._touch(stale, today, write_queue)
            for item, (label, causes, day) in read.items():
                found[item] = _merged(self._durable.get(item), (label, causes))
                if day >= today or write_queue is not None:
                    self._durable[item] = found[item]
        for item in maybe:
            unwritten = self._unwritten.get(item)
            if unwritten is not None:
                found[item] = _merged(found.get(item), unwritten)
        return found

    def _touch(self, stale: Sequence[bytes], today: int, write_queue: WriteQueue) -> None:
        """Note that these hashes were seen again, behind everything that somebody waits for."""

        def touching(piece: Sequence[bytes]) -> Callable[[Connection], None]:
            return lambda connection: table.touch(connection, piece, today)

        self._own(write_queue.do_by_pieces([touching(piece) for piece in _pieces(stale, _PIECE)]))

    def close(self) -> None:
        """Let the file go. Safe to call twice."""
        self._durable.clear()
        with self._reading:
            self._drop()

    async def reading(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` reads from the database, in a thread.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        if not self._database.shared:
            return await asyncio.to_thread(self._read, work)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                return await asyncio.to_thread(self._read, work)
        except TimeoutError as error:
            reader = self._reader
            if reader is not None:
                reader.interrupt()  # else all others would wait behind it
            raise LedgerUnavailable(f"{self._database.name} did not answer within {_READ_SECONDS:g} s.") from error

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._reading:
            kept = self._reader is not None
            try:
                return self._read_now(work)
            except self._database.failures as error:
                self._drop()
                if not kept:
                    raise LedgerUnavailable(self._database.describe(error)) from error
            try:  # the one that was kept may lead to a server that has been started anew since
                return self._read_now(work)
            except self._database.failures as error:
                self._drop()
                raise LedgerUnavailable(self._database.describe(error)) from error

    def _read_now(self, work: Callable[[Connection], T]) -> T:
        if self._reader is None:
            self._reader = self._database.reader()
        return work(self._reader)

    def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


def _pieces(hashes: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    return (hashes[start : start + size] for start in range(0, len(hashes), size))


def _merged(one: Entry | None, other: Entry) -> Entry:
    """Return what both say together: the higher label, with the causes of whatever has it."""
    if one is None or other[0] > one[0]:
        return other
    return one if other[0] < one[0] else (one[0], table.joined(one[1], other[1]))

"""The memory of sensitive conversations while the gateway runs: what is surely unknown costs no database access."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rbloom import Bloom

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.ledger import taint
from gateway.ledger.write_queue import WriteQueue
from gateway.ledger.writer import describe

T = TypeVar("T")
_EXPECTED = 2_000_000  # hashes; more of them only cost look-ups in vain
_IN_VAIN = 0.001  # share of unknown hashes


class TaintCache:
    """Memory of sensitive turns: a Bloom filter before the database, and the connection that reads it.

    The filter (rbloom; 3.4 MiB, 30 ns a look-up) never forgets, so a hash that it does not hold is surely unknown. At
    two million entries, 0.1 % of unknown hashes are looked up in vain. All methods but `fill` are called on the event
    loop's thread.
    """

    def __init__(self, file: Path, *, busy_seconds: float, today: Callable[[], int]) -> None:
        self._file = file
        self._busy_seconds = busy_seconds
        self._today = today  # days since 1970
        self._filter = Bloom(_EXPECTED, _IN_VAIN)
        self._unwritten: dict[bytes, Label] = {}  # remembered, not yet durable
        self._unwritten_causes: dict[bytes, taint.Causes] = {}
        self._refreshed: set[bytes] = set()
        self._refreshed_day = 0
        self._reader: sqlite3.Connection | None = None
        self._reading = threading.Lock()

    def fill(self, connection: sqlite3.Connection) -> None:
        """Take over what the database knows; in the writer's thread, at start."""
        for item in taint.everything(connection):
            self._filter.add(item)

    async def lookup(self, hashes: Sequence[bytes], write_queue: WriteQueue | None) -> dict[bytes, Label]:
        """Return the labels of those hashes that are remembered, and note that they were seen.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        maybe = [item for item in hashes if item in self._filter]
        if not maybe:
            return {}
        unwritten = {item: self._unwritten[item] for item in maybe if item in self._unwritten}
        found = await self.reading(lambda connection: taint.read(connection, maybe))
        today = self._today()
        labels = {item: label for item, (label, _) in found.items()}
        if today != self._refreshed_day:
            self._refreshed_day = today
            self._refreshed.clear()
        stale = {item: labels[item] for item, (_, day) in found.items() if day < today and item not in self._refreshed}
        if stale and write_queue is not None:
            self._refreshed.update(stale)
            write_queue.send(lambda connection: taint.touch(connection, stale, today))
        for item, label in unwritten.items():
            labels[item] = max(label, labels.get(item, label))
        return labels

    async def causes(self, hashes: Sequence[bytes]) -> taint.Causes:
        """Return what alone made the sensitive ones of these hashes sensitive; None: not known.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        found = await self.reading(lambda connection: taint.sensitive_causes(connection, hashes))
        for item in hashes:
            if self._unwritten.get(item) is Label.SENSITIVE:
                causes = self._unwritten_causes.get(item)
                found[item] = taint.joined(found.get(item, causes), causes)
        union: taint.Causes = frozenset()
        for causes in found.values():
            union = taint.joined(union, causes)
        return union or None

    async def remember(
        self, hashes: Sequence[bytes], label: Label, write_queue: WriteQueue, causes: taint.Causes = None
    ) -> None:
        """Remember turns with their label, which never falls; durable when it returns.

        Raises:
            LedgerUnavailable: They could not be written in time.
        """
        labels = dict.fromkeys(hashes, label)
        if not labels:
            return
        today = self._today()
        for item in labels:
            self._filter.add(item)
            if item in self._unwritten:
                self._unwritten_causes[item] = taint.joined(self._unwritten_causes.get(item), causes)
            else:
                self._unwritten_causes[item] = causes
            self._unwritten[item] = max(label, self._unwritten.get(item, label))
        try:
            await write_queue.do(lambda connection: taint.write(connection, labels, today, causes))
        finally:
            for item in labels:
                self._unwritten.pop(item, None)
                self._unwritten_causes.pop(item, None)

    def close(self) -> None:
        """Let the file go. Safe to call twice."""
        with self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    async def reading(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` reads from the database, in a thread.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        return await asyncio.to_thread(self._read, work)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with self._reading:
                if self._reader is None:
                    self._reader = sqlite3.connect(
                        f"{self._file.absolute().as_uri()}?mode=ro",
                        uri=True,
                        timeout=self._busy_seconds,
                        isolation_level=None,
                        check_same_thread=False,
                    )
                return work(self._reader)
        except sqlite3.Error as error:
            raise LedgerUnavailable(describe(error, self._file)) from error

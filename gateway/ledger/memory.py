"""The memory of sensitive conversations while the gateway runs: what is surely unknown costs no database access."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.ledger import taint
from gateway.ledger.submission import Submissions
from gateway.ledger.writer import describe


class TaintMemory:
    """Owns the sieve and the reading connection. All methods but `fill` are called on the event loop's thread."""

    def __init__(self, file: Path, *, busy_seconds: float, today: Callable[[], int]) -> None:
        self._file = file
        self._busy_seconds = busy_seconds
        self._today = today  # days since 1970
        self._sieve = taint.Sieve()
        self._unwritten: dict[bytes, Label] = {}  # remembered, not yet durable
        self._refreshed: set[bytes] = set()
        self._refreshed_day = 0
        self._reader: sqlite3.Connection | None = None
        self._reading = threading.Lock()

    def fill(self, connection: sqlite3.Connection) -> None:
        """Take over what the database knows; in the writer's thread, at start."""
        for item in taint.everything(connection):
            self._sieve.add(item)

    async def lookup(self, hashes: Sequence[bytes], submissions: Submissions | None) -> dict[bytes, Label]:
        """The labels of those hashes that are remembered; refreshes them. Raises LedgerUnavailable."""
        maybe = [item for item in hashes if self._sieve.may_hold(item)]
        if not maybe:
            return {}
        unwritten = {item: self._unwritten[item] for item in maybe if item in self._unwritten}
        found = await asyncio.to_thread(self._read, maybe)
        today = self._today()
        labels = {item: label for item, (label, _) in found.items()}
        if today != self._refreshed_day:
            self._refreshed_day = today
            self._refreshed.clear()
        stale = {item: labels[item] for item, (_, day) in found.items() if day < today and item not in self._refreshed}
        if stale and submissions is not None:
            self._refreshed.update(stale)
            submissions.send(lambda connection: taint.write(connection, stale, today))
        for item, label in unwritten.items():
            labels[item] = max(label, labels.get(item, label))
        return labels

    async def remember(self, hashes: Sequence[bytes], label: Label, submissions: Submissions) -> None:
        """Remember turns with their label, which never falls. Durable when it returns. Raises LedgerUnavailable."""
        labels = dict.fromkeys(hashes, label)
        if not labels:
            return
        today = self._today()
        for item in labels:
            self._sieve.add(item)
            self._unwritten[item] = max(label, self._unwritten.get(item, label))
        try:
            await submissions.do(lambda connection: taint.write(connection, labels, today))
        finally:
            for item in labels:
                self._unwritten.pop(item, None)

    def close(self) -> None:
        """Let the file go. Safe to call twice."""
        with self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def _read(self, hashes: Sequence[bytes]) -> dict[bytes, tuple[Label, int]]:
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
                return taint.read(self._reader, hashes)
        except sqlite3.Error as error:
            raise LedgerUnavailable(describe(error, self._file)) from error

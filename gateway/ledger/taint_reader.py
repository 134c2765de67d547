"""The memory of sensitive conversations for a command: read beside a running gateway, never written."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.ledger import taint
from gateway.ledger.ledger import FILE_NAME
from gateway.ledger.schema import identify
from gateway.ledger.writer import describe


class TaintReader:
    """Look-up in a ledger that somebody else writes. Nothing is remembered, also not that something was seen."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE_NAME

    async def taint_lookup(self, hashes: Sequence[bytes]) -> dict[bytes, Label]:
        """Return the labels of those hashes that are remembered.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        found = await asyncio.to_thread(self._read, hashes)
        return {item: label for item, (label, _, _) in found.items()}

    async def taint_causes(self, hashes: Sequence[bytes]) -> taint.Causes:
        """Return the categories that alone made the sensitive ones of these hashes sensitive; None: not known.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        union: taint.Causes = frozenset()
        for label, causes, _ in (await asyncio.to_thread(self._read, hashes)).values():
            if label is Label.SENSITIVE:
                union = taint.joined(union, causes)
        return union or None

    async def taint_remember(self, hashes: Sequence[bytes], label: Label, causes: taint.Causes = None) -> None:
        """Refuse: a command remembers nothing.

        Raises:
            LedgerUnavailable: Always.
        """
        raise LedgerUnavailable(f"The ledger {self._file} is open for reading only.")

    def _read(self, hashes: Sequence[bytes]) -> dict[bytes, tuple[Label, taint.Causes, int]]:
        try:
            address = f"{self._file.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
                identify(connection, str(self._file))
                return taint.read(connection, hashes)
        except sqlite3.Error as error:
            raise LedgerUnavailable(describe(error, self._file)) from error

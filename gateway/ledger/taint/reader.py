"""The memory of sensitive conversations for a command: read beside a running gateway, never written."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.ledger.database.places import database_at
from gateway.ledger.sql import Database
from gateway.ledger.taint import table


class TaintReader:
    """Look-up in a ledger that somebody else writes. Nothing is remembered, also not that something was seen."""

    def __init__(self, place: Path | Database) -> None:
        self._database = database_at(place)

    async def taint_lookup(self, hashes: Sequence[bytes]) -> dict[bytes, Label]:
        """Return the labels of those hashes that are remembered.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        found = await asyncio.to_thread(self._read, hashes)
        return {item: label for item, (label, _, _) in found.items()}

    async def taint_causes(self, hashes: Sequence[bytes]) -> table.Causes:
        """Return the categories that alone made the sensitive ones of these hashes sensitive; None: not known.

        Raises:
            LedgerUnavailable: The database can't be read.
        """
        union: table.Causes = frozenset()
        for label, causes, _ in (await asyncio.to_thread(self._read, hashes)).values():
            if label is Label.SENSITIVE:
                union = table.joined(union, causes)
        return union or None

    async def taint_remember(self, hashes: Sequence[bytes], label: Label, causes: table.Causes = None) -> None:
        """Refuse: a command remembers nothing.

        Raises:
            LedgerUnavailable: Always.
        """
        raise LedgerUnavailable(f"{self._database.name} is open for reading only.")

    def _read(self, hashes: Sequence[bytes]) -> dict[bytes, tuple[Label, table.Causes, int]]:
        try:
            with closing(self._database.reader()) as connection:
                return table.read(connection, hashes)
        except self._database.failures as error:
            raise LedgerUnavailable(self._database.describe(error)) from error

"""Batches that have not ended, and which of them this gateway works on.

Where gateways share the table, a batch is worked on by the one that has its lease. INVARIANT: what becomes of a batch
is written in one transaction with a look whether the lease is still this gateway's; so a gateway that stood still for
long writes nothing that another one has gone on with.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec
import structlog

from gateway.batches.batch import Batch
from gateway.stored import SealedTable
from gateway.stored.database_thread import StoreUnavailable

LOG = structlog.get_logger("aduana.batches")
PREFIX = "batch_"
_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_LEASE_SECONDS = 30.0  # a gateway that is gone keeps others from its batches no longer
_RENEWALS = 3  # of a lease while it lasts
_TURN_SECONDS = 10.0  # then another gateway may go on with a batch
_LOOK_SECONDS = 5.0  # between two looks at what other gateways have changed
_LOOK_BACK_SECONDS = 600.0  # by how much their clocks may differ


class OpenBatches:
    """Owner of what this gateway knows of open batches, in the order of their turns, and of its leases."""

    def __init__(self, table: SealedTable) -> None:
        self._table = table
        self._batches: dict[str, Batch] = {}
        self._held: dict[str, float] = {}  # leases → since when, in the loop's clock
        self._ended: set[str] = set()  # of those that were changed lately
        self._changing = asyncio.Lock()
        self._loaded = False
        self._looked = float("-inf")

    def all(self) -> list[Batch]:
        """Return all that are known, the one whose turn it is first."""
        return list(self._batches.values())

    async def load(self) -> None:
        """Take up what has not ended, the first time and whenever that was forgotten.

        Raises:
            StoreDamaged: A batch can't be opened.
            StoreUnavailable: The store can't be read.
        """
        if self._loaded:
            return
        async with self._changing:
            found = [decoded(content) for _, content in await self._table.listed(PREFIX)]
            for batch in sorted(found, key=lambda batch: batch.created):
                if not batch.ended:
                    self._batches.setdefault(batch.id, batch)
        self._loaded = True

    def forget(self) -> None:
        """Forget everything, so that it is loaded anew."""
        self._batches.clear()
        self._held.clear()
        self._loaded = False

    async def look(self) -> None:
        """Learn now and then which batches other gateways have made, cancelled or ended.

        Raises:
            StoreDamaged: A batch can't be opened.
            StoreUnavailable: The store can't be read.
        """
        now = asyncio.get_running_loop().time()
        if not self._table.shared or now - self._looked < _LOOK_SECONDS:
            return
        recent = await self._table.recent(PREFIX, _LOOK_BACK_SECONDS)
        for owner, name in reversed(recent):
            if name not in self._held and name not in self._ended:
                content = await self._table.get(owner, name)
                self._note(name, None if content is None else decoded(content))
        self._ended &= {name for _, name in recent}
        self._looked = now

    async def keep(self, batch: Batch) -> None:
        """Keep a new batch; durable when it returns.

        Raises:
            StoreUnavailable: It can't be written.
            TooLarge: There is no room for it.
        """
        async with self._changing:
            await self._table.put(batch.owner, {batch.id: msgspec.msgpack.encode(batch)})
            self._note(batch.id, batch)

    async def change(
        self,
        owner: str,
        batch_id: str,
        change: Callable[[Batch], Batch],
        results: Mapping[str, bytes] = _NOTHING,
        *,
        leased: bool = True,
    ) -> Batch | None:
        """Change a batch as it is now, and return it; None: it is not there. Durable when it returns.

        Args:
            owner: Whose it is.
            batch_id: Which it is.
            change: Returns the changed batch; what it raises is raised.
            results: What is kept with it, if there is room.
            leased: Only while this gateway has its lease.

        Raises:
            LeaseLost: Another gateway works on it.
            StoreDamaged: It can't be opened.
            StoreUnavailable: The store can't be used.
            TooLarge: There is no room for the results.
        """
        changed: Batch | None = None

        def work(content: bytes) -> Mapping[str, bytes]:
            nonlocal changed
            changed = change(decoded(content))
            return {**results, batch_id: msgspec.msgpack.encode(changed)}

        lease = batch_id if leased else None
        async with self._changing:
            there = await self._table.change(owner, batch_id, work, bounded=bool(results), lease=lease)
            self._note(batch_id, changed if there else None)
        return changed if there else None

    async def take(self, wanted: list[Batch]) -> tuple[Batch, bool] | None:
        """Take the first of these batches that no other gateway works on, as it is now.

        Returns the batch, and whether nobody else worked on it since this gateway last did; None: there is none.

        Raises:
            StoreDamaged: It can't be opened.
            StoreUnavailable: The store can't be used.
        """
        if not wanted:
            return None
        if not self._table.shared or wanted[0].id in self._held:
            return wanted[0], True
        taken = await self._table.take([batch.id for batch in wanted], _LEASE_SECONDS)
        if taken is None:
            return None
        name, same = taken
        self._held.setdefault(name, asyncio.get_running_loop().time())
        owner = next(batch.owner for batch in wanted if batch.id == name)
        content = await self._table.get(owner, name)
        self._note(name, None if content is None else decoded(content))
        if name in self._batches:
            return self._batches[name], same
        await self.release((name,))
        return None

    async def pass_on(self, batch_id: str, *, rests: bool = False) -> None:
        """Put a batch behind the others; one that rests, or had its time here, may go on at another gateway.

        Raises:
            StoreUnavailable: The store can't be used.
        """
        batch = self._batches.pop(batch_id, None)
        if batch is not None:
            self._batches[batch_id] = batch
        since = self._held.get(batch_id)
        if since is not None and (rests or asyncio.get_running_loop().time() - since > _TURN_SECONDS):
            await self.release((batch_id,))

    async def release(self, names: Iterable[str] | None = None) -> None:
        """Let other gateways go on with batches; None: with all that this one has.

        Raises:
            StoreUnavailable: The store can't be used.
        """
        gone = [name for name in (tuple(self._held) if names is None else names) if name in self._held]
        for name in gone:
            del self._held[name]
        if gone:
            await self._table.release(gone)

    def lose(self, batch_id: str) -> None:
        """Note that another gateway works on a batch."""
        self._held.pop(batch_id, None)
        LOG.warning("batches.lease_lost")

    async def renew(self) -> None:
        """Prolong the leases as long as this gateway works. Runs until cancelled."""
        while self._table.shared:
            await asyncio.sleep(_LEASE_SECONDS / _RENEWALS)
            asked = list(self._held)
            try:
                left = await self._table.renew(asked, _LEASE_SECONDS) if asked else []
            except StoreUnavailable:  # it was logged, and is tried again; whatever is written looks at the lease
                continue
            for name in set(asked) - set(left):
                self._held.pop(name, None)

    def _note(self, batch_id: str, batch: Batch | None) -> None:
        """Keep in mind what a batch is now. None: it is not there."""
        if batch is None or batch.ended:
            self._batches.pop(batch_id, None)
            self._ended.add(batch_id)
        else:
            self._batches[batch_id] = batch


def decoded(content: bytes) -> Batch:
    """Return a batch as it was kept."""
    return msgspec.msgpack.decode(content, type=Batch)

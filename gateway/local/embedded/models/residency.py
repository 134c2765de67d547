"""One model's place in memory: whether it has one, who works with it, who waits for it. State; its owner decides."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded.models.eviction import LoadedModel


class ResidentModel:
    """Times are in the owner's clock. INVARIANT: while `leases` is above zero the model stays loaded."""

    def __init__(
        self,
        name: str,
        footprint: MemoryFootprint,
        *,
        begin: Callable[[], None],
        end: Callable[[], Awaitable[None]],
        unload_after: float | None,
        measured: Callable[[], float | None],
    ) -> None:
        """`begin` starts loading and returns; `end` returns when the memory is back; `measured`: seconds of a load."""
        self.name = name
        self.footprint = footprint
        self.begin = begin
        self.end = end
        self.unload_after = unload_after
        self.measured = measured
        self.resident = False  # its memory is taken, or is about to be
        self.leaving: asyncio.Task[None] | None = None
        self.settled = False  # it is loaded, or could not be
        self.draining = False  # its turn is over: who comes now waits until another model has had one
        self.closed = False
        self.asked = False  # loaded because somebody asked for it, not at start
        self.leases = 0
        self.waiting: list[asyncio.Future[None]] = []
        self.place = 0  # in the queue of models that are waited for
        self.turn_ends = 0.0
        self.idle_since = 0.0
        self.keep_alive = unload_after

    @property
    def open(self) -> bool:
        """Whoever comes may work at once, or as soon as it is loaded."""
        return self.resident and self.leaving is None and not self.draining

    def loaded(self) -> LoadedModel:
        """As the rule for eviction sees it."""
        return LoadedModel(
            name=self.name, footprint=self.footprint, working=self.leases > 0 or not self.settled, used=self.idle_since
        )

    def yields_at(self, grace: float) -> float | None:
        """When it may be evicted. None: not before something else happens."""
        if not self.settled or self.leases:
            return None
        return min(self.turn_ends, self.idle_since + grace)

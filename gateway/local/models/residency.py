"""Where one model stands: in memory or not, who works with it, who waits for it. Pure; the scheduler decides."""

import msgspec

from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.models.eviction import LoadedModel


class ModelResidency(msgspec.Struct, frozen=True, kw_only=True):
    """One model as everybody outside sees it at one moment. Times in seconds."""

    footprint: MemoryFootprint
    resident: bool  # its memory is taken, or is about to be
    loading: bool  # it is resident, and its load has not ended yet
    leaving: bool  # it is being unloaded
    open: bool  # a request that comes now may work at once, or as soon as the model is loaded
    on_demand: bool  # its last load was for a request, not at start
    working: int  # requests that keep it in memory
    waiting: int  # requests that wait for it to get memory
    idle_seconds: float | None  # since it was used last. None: it works, or is not resident
    unloads_in: float | None  # None: not by itself
    load_seconds: float | None  # how long a load takes. None: nothing is known yet
    expected_wait: float | None  # until a request that comes now could begin, if nobody else comes. None: unknown
    evicts: tuple[str, ...] | None  # which models would be evicted for it. None: it can never fit


class ResidentModel:
    """State of one model in the scheduler. Times are in the clock of the scheduler's `now`.

    INVARIANT: while `working` is not empty the model stays resident, unless it is closed for good.
    """

    def __init__(self, name: str, footprint: MemoryFootprint, unload_after: float | None) -> None:
        self.name = name
        self.footprint = footprint
        self.unload_after = unload_after  # idle seconds, as configured
        self.keep_alive = unload_after  # idle seconds, as a client asked for last
        self.resident = False
        self.load_over = False  # it is loaded, or could not be
        self.leaving = False
        self.draining = False  # its turn is over: who comes now waits until another model has had one
        self.closed = False
        self.on_demand = False
        self.working: set[int] = set()
        self.waiting: list[int] = []
        self.place = 0  # in the queue of models that are waited for
        self.turn_ends = 0.0
        self.idle_since = 0.0
        self.load_seconds: float | None = None  # the last load that succeeded

    @property
    def open(self) -> bool:
        """Say whether a request that comes now may work at once, or as soon as the model is loaded."""
        return self.resident and not self.leaving and not self.draining

    @property
    def idle(self) -> bool:
        """Say whether it is loaded, nobody works with it and nobody waits for it."""
        return self.open and self.load_over and not self.working and not self.waiting

    def loaded(self) -> LoadedModel:
        """Return what the rule for eviction needs to know."""
        working = bool(self.working) or not self.load_over
        return LoadedModel(name=self.name, footprint=self.footprint, working=working, used=self.idle_since)

    def evictable_at(self, grace: float) -> float | None:
        """Return when it may be evicted. None: not before something else happens."""
        if not self.load_over or self.working:
            return None
        return min(self.turn_ends, self.idle_since + grace)

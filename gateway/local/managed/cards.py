"""Wait until what a server had on graphics cards is free again: drivers give it back a moment after its end."""

import asyncio
from collections.abc import Callable

from gateway.engine.llama.memory import free_on_cards

_SHARE = 0.9  # of what it took: others may have taken some meanwhile
_LONGEST = 10.0  # seconds; others may have taken all of it
_LOOK = 0.05

Measure = Callable[[], int | None]


class CardMemory:
    """Memory of one server on graphics cards, measured before its start, when it is ready and after its end."""

    def __init__(self, measure: Measure = free_on_cards) -> None:
        """Begin with nothing measured. `measure` returns the free bytes, None where nobody knows; run in a thread."""
        self._measure = measure
        self._before: int | None = None
        self._taken = 0

    async def starts(self) -> None:
        """Measure what is free before the server takes anything."""
        self._before = await asyncio.to_thread(self._measure)

    async def ready(self) -> None:
        """Measure what the server took."""
        now = await asyncio.to_thread(self._measure)
        self._taken = 0 if self._before is None or now is None else max(0, self._before - now)

    async def given_back(self) -> bool:
        """Return True once what the server took is free again; False where it isn't in time, or nobody knows."""
        if self._before is None or not self._taken:
            return self._before is not None
        wanted = self._before - (1 - _SHARE) * self._taken
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LONGEST
        while True:
            free = await asyncio.to_thread(self._measure)
            if free is None:
                return False
            if free >= wanted:
                return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_LOOK)

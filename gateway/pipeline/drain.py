"""The end of the service: answers that run when it comes may go on for a while, and then end with a clear error."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from gateway.core.delta import Delta
from gateway.core.errors import ShuttingDown


class DrainWindow:
    """Time that running answers have left. Open without end until `close_at` says when it closes."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._waiting: set[asyncio.Timeout] = set()

    def close_at(self, until: float) -> None:
        """Close the window at `until`, in the loop's clock, also for those who wait inside it."""
        self._until = until
        for timeout in self._waiting:
            timeout.reschedule(until)

    @asynccontextmanager
    async def within(self) -> AsyncGenerator[None, None]:
        """Run the body as long as the window is open.

        Raises:
            ShuttingDown: The window has closed, and the body was cancelled.
            TimeoutError: The body's own.
        """
        timeout = asyncio.timeout_at(self._until)
        try:
            async with timeout:
                self._waiting.add(timeout)
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise ShuttingDown("The gateway is shutting down. Please try again soon.", retry_after=5.0) from None
        finally:
            self._waiting.discard(timeout)

    async def bounded(self, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
        """Yield the same deltas as long as the window is open.

        Raises:
            ShuttingDown: The window has closed.
        """
        try:
            while True:
                async with self.within():
                    try:
                        delta = await anext(deltas)
                    except StopAsyncIteration:
                        return
                yield delta
        finally:
            await deltas.aclose()

"""Ends that come from outside: of the service, and of a key. Running answers then end with a clear error."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from math import inf

from gateway.core.delta import Delta
from gateway.core.errors import AduanaError, KeyRevoked, ShuttingDown
from gateway.upstream.wait_limit import WaitExpired, WaitLimit


class DrainWindow:
    """Time that running answers have left. Open without end until `close_at` or `revoke` says when it closes."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._waiting: dict[asyncio.Timeout, str] = {}  # → key
        self._limits: dict[WaitLimit, str] = {}  # of answers → key
        self._revoked: set[str] = set()

    def close_at(self, until: float) -> None:
        """Close the window at `until`, in the loop's clock, also for those who wait inside it."""
        self._until = until
        for timeout in self._waiting:
            if not timeout.expired():
                timeout.reschedule(until)
        for limit in self._limits:
            limit.move(until)

    def revoke(self, keys: Iterable[str]) -> None:
        """Close the window for these keys now and for good, also for those who wait inside it."""
        ended = set(keys)
        self._revoked |= ended
        now = asyncio.get_running_loop().time()
        for timeout, key in self._waiting.items():
            if key in ended and not timeout.expired():
                timeout.reschedule(now)
        for limit, key in self._limits.items():
            if key in ended:
                limit.move(now)

    @asynccontextmanager
    async def within(self, key: str) -> AsyncGenerator[None, None]:
        """Run the body for a key as long as the window is open.

        Raises:
            ShuttingDown: The window has closed, and the body was cancelled.
            KeyRevoked: The same, for this key alone.
            TimeoutError: The body's own.
        """
        if key in self._revoked:
            raise self._closed(key)
        timeout = asyncio.timeout_at(self._until)
        try:
            async with timeout:
                self._waiting[timeout] = key
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise self._closed(key) from None
        finally:
            self._waiting.pop(timeout, None)

    async def bounded(self, deltas: AsyncGenerator[Delta, None], key: str) -> AsyncGenerator[Delta, None]:
        """Yield the same deltas as long as the window is open.

        Raises:
            ShuttingDown: The window has closed.
            KeyRevoked: The same, for this key alone.
        """
        limit = WaitLimit()
        self._limits[limit] = key
        try:
            while True:
                if key in self._revoked:
                    raise self._closed(key)
                try:
                    delta = await limit.within(anext(deltas), inf if self._until is None else self._until)
                except StopAsyncIteration:
                    return
                except WaitExpired:
                    raise self._closed(key) from None
                yield delta
        finally:
            del self._limits[limit]
            limit.close()
            await deltas.aclose()

    def _closed(self, key: str) -> AduanaError:
        if key in self._revoked:
            return KeyRevoked("This API key was revoked. Ask the owner of this gateway for a new one.")
        return ShuttingDown("The gateway is shutting down. Please try again soon.", retry_after=5.0)

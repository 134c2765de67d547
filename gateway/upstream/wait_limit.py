"""A time limit for many short waits, one after the other: `asyncio.timeout` for streams, at a tenth of its cost.

A stream waits for each of its pieces. A timer of its own for each would cost more than handing the piece on; here one
timer serves all of them, and looks again where the limit has moved meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

T = TypeVar("T")


class WaitExpired(TimeoutError):
    """Error of a wait that took too long; a TimeoutError of what was waited for is none."""

    silent = False  # it ended before its time, because nobody is there any more


class WaitLimit:
    """Limit of the waits of one stream. One wait at a time; `close` when there are no more."""

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._loop = asyncio.get_running_loop()
        self._until = inf  # it ends then, unless somebody is there to wait for
        self._last = inf  # it ends then
        self._there: Callable[[], bool] | None = None
        self._every = inf  # seconds
        self._timer: asyncio.Handle | None = None
        self._looks_at = inf  # kept here: what uvloop returns for a moment that is now knows none
        self._task: asyncio.Task[object] | None = None  # which waits
        self._before = 0  # times that it was cancelled before
        self._expired = False

    async def within(self, waiting: Awaitable[T], until: float) -> T:
        """Return what `waiting` returns, before `until` in the loop's clock.

        Raises:
            WaitExpired: It took longer; what was waited for is cancelled.
        """
        with self.until(until):
            return await waiting

    def until(self, until: float) -> "WaitLimit":
        """Return the context of one wait, which must end before `until` in the loop's clock.

        Leaving it raises WaitExpired where it took longer; what was waited for is cancelled.
        """
        self._until, self._there = until, None
        return self

    def while_there(self, there: Callable[[], bool], every: float, until: float) -> "WaitLimit":
        """Return the context of one wait as `until` does, which ends sooner where `there` says no.

        It is asked again and again, after so many seconds.
        """
        self._there, self._every, self._last = there, every, until
        self._until = min(until, self._loop.time() + every)
        return self

    def __enter__(self) -> None:
        """Begin to wait."""
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._task, self._before, self._expired = task, task.cancelling(), False
        if self._until < self._looks_at:
            self.move(self._until)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """End the wait.

        Raises:
            WaitExpired: It took too long.
        """
        task, self._task = self._task, None
        if not self._expired:
            return
        self._expired = False
        assert task is not None
        task.uncancel()  # our own, which nobody else asked for
        # As in asyncio.timeout: a cancellation from outside that came as well goes before.
        if kind is asyncio.CancelledError and task.cancelling() <= self._before:
            expired = WaitExpired()
            expired.silent = self._there is not None and self._loop.time() < self._last
            raise expired from None

    def move(self, until: float) -> None:
        """Let the wait that is under way, and none of the next ones, end at another time."""
        self._until = until
        if until < self._looks_at:
            self.close()
            self._timer, self._looks_at = self._loop.call_at(until, self._look), until

    def close(self) -> None:
        """End the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._looks_at = None, inf

    def _look(self) -> None:
        self._timer, self._looks_at = None, inf
        if self._task is None or self._expired:
            return  # nothing waits, and the next wait sets it again; or what is late was told already
        now = self._loop.time()
        if self._there is not None and self._until <= now < self._last and self._there():
            self._until = min(self._last, now + self._every)
        if now < self._until:
            self.move(self._until)
        else:
            self._expired = True
            self._task.cancel()

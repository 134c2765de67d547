"""Ends that come from outside: of the service, and of a key. Running answers then end with a clear error.

Whoever waits for a target tells the window so; nothing else is done for a request while nobody ends anything: the
window has one timer, for its own end.
"""

import asyncio
from collections.abc import Iterable
from types import TracebackType

from gateway.core.errors import AduanaError, KeyRevoked, ShuttingDown


class DrainWindow:
    """Time that running answers have left. Open without end until `close_at` or `revoke` says when it closes."""

    def __init__(self) -> None:
        self.ends = False  # anything: else nobody needs to be asked
        self._timer: asyncio.Handle | None = None
        self._shut = False
        self._revoked: set[str] = set()
        self._waits: set[Wait] = set()

    def close_at(self, until: float) -> None:
        """Close the window at `until`, in the loop's clock, also for those who wait inside it."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(until, self._close)

    def revoke(self, keys: Iterable[str]) -> None:
        """Close the window for these keys now and for good, also for those who wait inside it."""
        ended = set(keys)
        self._revoked |= ended
        self.ends = self.ends or bool(ended)
        for wait in tuple(self._waits):
            if wait.key in ended:
                wait.cancel()

    def wait(self, key: str) -> "Wait":
        """Return what a request of this key waits with, from one wait to the next."""
        return Wait(self, key, self._waits)

    def closed(self, key: str) -> AduanaError | None:
        """Return the error with which a request of this key ends; None: the window is open."""
        if key in self._revoked:
            return KeyRevoked("This API key was revoked. Ask the owner of this gateway for a new one.")
        if self._shut:
            return ShuttingDown("The gateway is shutting down. Please try again soon.", retry_after=5.0)
        return None

    def _close(self) -> None:
        self._shut = self.ends = True
        for wait in tuple(self._waits):
            wait.cancel()


class Wait:
    """The waits of one request inside the window: `with` one for a single wait, `begin` and `over` around each of many.

    INVARIANT: a task is cancelled only between `begin` and `over`, and that cancellation is taken back.
    """

    __slots__ = ("_before", "_expired", "_loop", "_task", "_waits", "_window", "key")

    def __init__(self, window: DrainWindow, key: str, waits: "set[Wait]") -> None:
        self.key = key
        self._window = window
        self._waits = waits
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None  # which waits
        self._before = 0  # cancellations that it had before
        self._expired = False

    def begin(self) -> None:
        """Begin to wait.

        Raises:
            ShuttingDown: The window has closed.
            KeyRevoked: The same, for this key alone.
        """
        if self._window.ends and (closed := self._window.closed(self.key)) is not None:
            raise closed
        self._task = task = asyncio.current_task(self._loop)
        self._before = 0 if task is None else task.cancelling()
        self._waits.add(self)

    def over(self) -> bool:
        """End the wait; return whether it was the window's end alone that has cancelled it."""
        self._waits.discard(self)
        task, self._task = self._task, None
        if not self._expired or task is None:
            return False
        self._expired = False
        return task.uncancel() <= self._before

    def cancel(self) -> None:
        """Cancel what waits."""
        if self._task is not None and not self._expired:
            self._expired = True
            self._task.cancel()

    def ended(self) -> AduanaError:
        """Return the error that a cancellation by the window stands for."""
        return self._window.closed(self.key) or ShuttingDown("The gateway is shutting down. Please try again soon.")

    def __enter__(self) -> None:
        self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the wait.

        Raises:
            ShuttingDown: The window has closed, and the body was cancelled.
            KeyRevoked: The same, for this key alone.
        """
        if self.over() and isinstance(error, asyncio.CancelledError):
            raise self.ended() from None

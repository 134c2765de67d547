"""An answer's bytes on the short way: read, and handed over, in the call in which they arrive. No I/O."""

import asyncio
from collections import deque
from collections.abc import Iterator

from gateway.core.delta import Delta
from gateway.core.errors import AduanaError
from gateway.upstream.fast_path import FastPath
from gateway.upstream.reading import Body
from gateway.upstream.wait_limit import WaitLimit


class Pouring:
    """What reads one answer's bytes, and keeps what can't go the short way for whoever reads the answer."""

    __slots__ = ("_body", "_deadline", "_fast", "_fault", "_idle", "_left", "_limit", "_now")

    def __init__(self, body: Body, fast: FastPath, limit: WaitLimit, deadline: float, idle_seconds: float) -> None:
        self._body = body
        self._fast = fast
        self._limit = limit
        self._deadline = deadline
        self._idle = idle_seconds
        self._now = asyncio.get_running_loop().time
        self._left: deque[Delta] = deque()
        self._fault: AduanaError | None = None

    def latest(self) -> float:
        """Return when something more must have come, in the loop's clock."""
        return min(self._deadline, self._now() + self._idle)

    def take(self, chunk: bytes) -> bool:
        """Read bytes, hand over what is in them, and return whether more may come: nothing was left behind.

        False also where what comes next is no more than the end of the answer.
        """
        left = self._left
        self._limit.move(min(self._deadline, self._now() + self._idle))
        try:
            for deltas in self._body.feed(chunk):
                if left or not self._fast.took(deltas):  # in their order
                    left.extend(deltas)
        except AduanaError as fault:
            self._fault = fault
            return False
        return not (left or self._body.done or self._body.ended)

    def rest(self) -> Iterator[Delta]:
        """Yield what was left behind.

        Raises:
            AduanaError: the fault behind it.
        """
        while self._left:
            yield self._left.popleft()
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

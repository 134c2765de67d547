"""An answer's bytes on the short way: read, and handed over, in the call in which they arrive. Pure."""

from collections import deque
from collections.abc import Iterator

from gateway.core.delta import Delta
from gateway.core.errors import AduanaError
from gateway.upstream.fast_path import FastPath
from gateway.upstream.reading import Body


class Pouring:
    """What reads one answer's bytes, and keeps what can't go the short way for whoever reads the answer."""

    __slots__ = ("_body", "_fast", "_fault", "_left")

    def __init__(self, body: Body, fast: FastPath) -> None:
        self._body = body
        self._fast = fast
        self._left: deque[Delta] = deque()
        self._fault: AduanaError | None = None

    @property
    def open(self) -> bool:
        """Whether anything can go this way."""
        return self._fast.take is not None

    def take(self, chunk: bytes) -> bool:
        """Read bytes, hand over what is in them, and return whether more may come: nothing was left behind.

        False also where what comes next is no more than the end of the answer.
        """
        left = self._left
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

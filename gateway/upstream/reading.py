"""What reads one answer of a target, whatever API that speaks: bytes or events in, deltas out."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

from gateway.core.delta import Delta
from gateway.upstream.framing.sse import ServerSentEvent


class AnswerReading(Protocol):
    """Reader of one answer.

    INVARIANT: an answer that does not come to its end is an error; a finish reason is never made up.
    """

    @property
    def done(self) -> bool:
        """Whether the answer is complete; whatever follows is ignored."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the answer is complete but for its usage, although nothing has said that it is over."""
        ...

    def event(self, event: ServerSentEvent) -> Iterable[Delta]:
        """Return the deltas of one event.

        Raises:
            AduanaError: the event reports an error, can't be read, or ends the answer too early.
        """
        ...

    def end(self) -> Iterator[Delta]:
        """Yield the deltas that are known only at the end of the bytes.

        Raises:
            TargetProtocolError: the answer is cut.
        """
        ...


ReadTexts: TypeAlias = Callable[[Sequence[bytes]], deque[Delta] | None]
"""Returns what payloads of nothing but text say; None: they say something else besides, and nothing of them was read.

Nearly all payloads are such. A reader with a method `texts` of this kind tells them in fewer steps than as events.
"""


class Body(Protocol):
    """Body of one answer, fed with bytes as they arrive. Never ends an answer that did not end itself."""

    @property
    def done(self) -> bool:
        """Whether the answer is complete; whatever follows is ignored."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the answer is complete but for its usage, although nothing has said that it is over."""
        ...

    def feed(self, chunk: bytes) -> Iterable[deque[Delta]]:
        """Return the deltas that `chunk` completes, those together that are known together."""
        ...

    def end(self) -> Iterator[Delta]:
        """Yield the deltas that are known only at the end of the bytes."""
        ...

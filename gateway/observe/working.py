"""Which local requests run, and how many tokens each has processed. Fed by events and, where it can be, by the engine.

Events come on the event loop; the sampler's thread takes what happened since its last tick. A lock of microseconds
lies between them.
"""

import threading
import time
from collections.abc import Callable

from gateway.core.events import Decided, Event, Settled
from gateway.core.labels import Zone
from gateway.observe.accounting import Work


class Working:
    """An observer of events, beside Metrics."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, Work] = {}
        self._ended: dict[str, Work] = {}  # since the last tick
        self._taken: dict[str, Work] = {}  # what each had done at the last tick
        self._busy = 0.0
        self._since: float | None = None
        self._tick = clock()

    def on(self, event: Event) -> None:
        """A local request begins with its decision and ends with its settlement."""
        match event:
            case Decided() if event.first_zone is Zone.LOCAL:
                self._begin(event.receipt.request_id)
            case Settled():
                usage = event.settlement.usage
                local = event.settlement.zone is Zone.LOCAL
                work = Work(prefill=usage.input, decode=usage.completion_tokens) if local else Work()
                self._end(event.receipt.request_id, work)
            case _:
                pass

    def progress(self, request_id: str, work: Work) -> None:
        """What a running request has processed so far, where the engine says so."""
        with self._lock:
            if request_id in self._running:
                self._running[request_id] = work

    def take(self) -> tuple[float, dict[str, Work]]:
        """Share of the time since the last call with work in it, and what each request processed in that time."""
        with self._lock:
            now = self._clock()
            busy = self._busy + (now - self._since if self._since is not None else 0.0)
            elapsed = now - self._tick
            done = {
                name: _minus(work, self._taken.get(name))
                for name, work in (*self._running.items(), *self._ended.items())
            }
            self._taken = dict(self._running)
            self._ended = {}
            self._busy = 0.0
            self._tick = now
            if self._since is not None:
                self._since = now
        return (min(busy / elapsed, 1.0) if elapsed > 0 else 0.0), done

    def _begin(self, request_id: str) -> None:
        with self._lock:
            if not self._running:
                self._since = self._clock()
            self._running[request_id] = Work()

    def _end(self, request_id: str, work: Work) -> None:
        with self._lock:
            if self._running.pop(request_id, None) is None:
                return
            self._ended[request_id] = work
            if not self._running and self._since is not None:
                self._busy += self._clock() - self._since
                self._since = None


def _minus(work: Work, before: Work | None) -> Work:
    if before is None:
        return work
    return Work(prefill=max(0, work.prefill - before.prefill), decode=max(0, work.decode - before.decode))

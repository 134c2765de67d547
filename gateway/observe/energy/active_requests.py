"""Which local requests run, and how many tokens each has processed since the last look.

Events come on the event loop and hand over a `Progress` that whoever answers counts in; the sampler's thread takes
what happened since its last tick. A lock of microseconds lies between beginnings, ends and ticks; none between tokens.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from gateway.core.events import Began, Event, Settled
from gateway.core.labels import Zone
from gateway.core.progress import Progress
from gateway.observe.energy.attribution import Work


class ActiveRequests:
    """Observer of events that counts the work of requests on local targets."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, Progress] = {}
        self._ended: dict[str, Work] = {}  # since the last tick
        self._taken: dict[str, Work] = {}  # what each had done at the last tick
        self._busy = 0.0
        self._since: float | None = None
        self._tick = clock()
        self.hears: Mapping[type, Callable[[Any], None]] = {Began: self._began, Settled: self._settled}

    def on(self, event: Event) -> None:
        """Count a request as working here from the moment a local target is asked.

        It ends when a target elsewhere is asked, or when the request is settled.
        """
        if type(event) in self.hears:
            self.hears[type(event)](event)

    def _began(self, event: Began) -> None:
        if event.zone is Zone.LOCAL:
            self._begin(event.request_id, event.progress)
        else:
            self._end(event.request_id, Work())

    def _settled(self, event: Settled) -> None:
        usage = event.settlement.usage
        local = event.settlement.zone is Zone.LOCAL
        work = Work(prefill=usage.input, decode=usage.completion_tokens) if local else Work()
        self._end(event.receipt.request_id, work)

    def take(self) -> tuple[float, dict[str, Work]]:
        """Return the share of time with work in it since the last call, and what each request processed in that time.

        A request that ended is in the answer once more, and then never again.
        """
        with self._lock:
            now = self._clock()
            busy = self._busy + (now - self._since if self._since is not None else 0.0)
            elapsed = now - self._tick
            running = {name: _work(progress) for name, progress in self._running.items()}
            before = self._taken
            done = {name: _minus(work, before.get(name)) for name, work in (self._ended | running).items()}
            self._taken = running
            self._ended = {}
            self._busy = 0.0
            self._tick = now
            if self._since is not None:
                self._since = now
        return (min(busy / elapsed, 1.0) if elapsed > 0 else 0.0), done

    def _begin(self, request_id: str, progress: Progress) -> None:
        with self._lock:
            if not self._running:
                self._since = self._clock()
            self._running[request_id] = progress

    def _end(self, request_id: str, reported: Work) -> None:
        """Count the larger of what was counted on the way and what was reported at the end: neither was for nothing."""
        with self._lock:
            progress = self._running.pop(request_id, None)
            if progress is None:
                return
            counted = _work(progress)
            self._ended[request_id] = Work(
                prefill=max(counted.prefill, reported.prefill), decode=max(counted.decode, reported.decode)
            )
            if not self._running and self._since is not None:
                self._busy += self._clock() - self._since
                self._since = None


def _work(progress: Progress) -> Work:
    return Work(prefill=progress.prefill, decode=progress.decode)


def _minus(work: Work, before: Work | None) -> Work:
    if before is None:
        return work
    return Work(prefill=max(0, work.prefill - before.prefill), decode=max(0, work.decode - before.decode))

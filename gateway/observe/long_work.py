"""Work that takes long and is no text: what runs, and how far it is, by its target's word or by what such work took."""

import time
from collections.abc import Callable

import msgspec

from gateway.core.events import Began, Decided, Event, Settled
from gateway.core.progress import Progress
from gateway.core.record import Outcome
from gateway.core.request import MEDIA_ENDPOINTS, Endpoint

_NEARLY = 0.99  # work that takes longer than it used to is not finished before it is
_SMOOTHING = 0.5


class RunningWork(msgspec.Struct, frozen=True, kw_only=True):
    """One request that runs. `share` is how much is done, 0 to 1, `remaining` in seconds; None: nobody knows."""

    request_id: str
    key: str
    endpoint: Endpoint
    share: float | None = None
    remaining: float | None = None


class _Work:
    def __init__(self, event: Decided) -> None:
        self.receipt = event.receipt
        self.target = ""
        self.begun: float | None = None
        self.progress: Progress | None = None


class LongWork:
    """Observer of requests for pictures, speech and transcripts. It keeps those that run, and how long others took."""

    hears = (Decided, Began, Settled)

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running: dict[str, _Work] = {}
        self._took: dict[tuple[str, Endpoint], float] = {}  # seconds, by target

    def on(self, event: Event) -> None:
        """Note what begins and ends."""
        match event:
            case Decided() if event.receipt.endpoint in MEDIA_ENDPOINTS and event.receipt.permitted:
                self._running[event.receipt.request_id] = _Work(event)
            case Began():
                work = self._running.get(event.request_id)
                if work is not None:
                    work.target, work.begun, work.progress = event.target, self._clock(), event.progress
            case Settled():
                work = self._running.pop(event.receipt.request_id, None)
                if work is not None and work.begun is not None and event.settlement.outcome is Outcome.OK:
                    self._learn((work.target, work.receipt.endpoint), self._clock() - work.begun)
            case _:
                pass

    def running(self, key: str | None = None) -> tuple[RunningWork, ...]:
        """Return what runs for one key, or for all, the oldest first."""
        return tuple(
            [self._seen(work) for work in tuple(self._running.values()) if key is None or work.receipt.key == key]
        )

    def _learn(self, kind: tuple[str, Endpoint], seconds: float) -> None:
        before = self._took.get(kind)
        self._took[kind] = seconds if before is None else before + _SMOOTHING * (seconds - before)

    def _seen(self, work: _Work) -> RunningWork:
        share, remaining = None, None
        if work.begun is not None:
            elapsed = self._clock() - work.begun
            took = self._took.get((work.target, work.receipt.endpoint))
            share = work.progress.share if work.progress is not None else None
            if share is not None and share > 0:
                remaining = elapsed / share - elapsed
            elif took:
                share, remaining = min(elapsed / took, _NEARLY), max(took - elapsed, 0.0)
        return RunningWork(
            request_id=work.receipt.request_id,
            key=work.receipt.key,
            endpoint=work.receipt.endpoint,
            share=share,
            remaining=remaining,
        )

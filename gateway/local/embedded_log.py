"""What happens to a worker, in the log."""

import time
from collections.abc import Callable

import structlog

from gateway.local.embedded_events import WorkerEvent, WorkerEventKind

LOG = structlog.get_logger("aduana.engine")
_PROGRESS_SECONDS = 1.0


class WorkerLog:
    """One model's lines; progress of a load at most every second."""

    def __init__(self, model: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._clock = clock
        self._shown = 0.0

    def write(self, event: WorkerEvent) -> None:
        """One event."""
        match event.kind:
            case WorkerEventKind.READY:
                LOG.info("model ready", target=event.target, model=self._model, seconds=event.seconds)
            case WorkerEventKind.LOADING:
                now = self._clock()
                if now - self._shown >= _PROGRESS_SECONDS:
                    self._shown = now
                    LOG.info("model loading", target=event.target, percent=round(event.fraction * 100))
            case WorkerEventKind.DIED:
                LOG.error("engine worker died", target=event.target, cause=event.detail, restart_in=event.seconds)
            case WorkerEventKind.FAILED:
                LOG.error("model can't be loaded", target=event.target, reason=event.detail, retry_in=event.seconds)
            case WorkerEventKind.STOPPED:
                LOG.info("engine stopped", target=event.target)

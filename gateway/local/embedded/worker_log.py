"""Log of what happens to a worker."""

import time
from collections.abc import Callable

import structlog

from gateway.local.models.events import WorkerEvent, WorkerEventKind

LOG = structlog.get_logger("aduana.engine")
_PROGRESS_SECONDS = 1.0
_ONCE = "It is started once more without repacked weights."
_COSTS = (
    "This build of llama.cpp crashes on this CPU with weights repacked for it, so they are used as they stand in the "
    "file. Answers are the same; on a CPU, prompts are read more slowly. This is remembered for this CPU, build and "
    "model. A newer or portable build of llama-cpp-python may do without: see docs/models.md, 'When it does not start'."
)


class WorkerLog:
    """Log of one model; progress of a load is written at most every second."""

    def __init__(self, model: str, slots: int, context: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._size = {"slots": slots, "context": context}
        self._clock = clock
        self._shown = 0.0

    def write(self, event: WorkerEvent) -> None:
        """Write one event."""
        match event.kind:
            case WorkerEventKind.READY:
                LOG.info("model ready", target=event.target, model=self._model, seconds=event.seconds, **self._size)
            case WorkerEventKind.LOADING:
                now = self._clock()
                if now - self._shown >= _PROGRESS_SECONDS:
                    self._shown = now
                    LOG.info("model loading", target=event.target, percent=round(event.fraction * 100))
            case WorkerEventKind.DIED:
                LOG.error("engine worker died", target=event.target, cause=event.detail, restart_in=event.seconds)
            case WorkerEventKind.FAILED:
                LOG.error("model can't be loaded", target=event.target, reason=event.detail, retry_in=event.seconds)
            case WorkerEventKind.NO_REPACK:
                LOG.warning("engine worker died of a CPU fault", target=event.target, cause=event.cause, reason=_ONCE)
            case WorkerEventKind.REMEMBERED:
                LOG.warning("weights are not repacked", target=event.target, model=self._model, reason=_COSTS)
            case WorkerEventKind.STOPPED:
                LOG.info("engine stopped", target=event.target)
            case WorkerEventKind.WAITED:
                pass

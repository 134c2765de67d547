"""What happens to a worker, in the log."""

import structlog

from gateway.local.embedded_events import WorkerEvent, WorkerEventKind

LOG = structlog.get_logger("aduana.engine")


class WorkerLog:
    """One model's lines; progress of a load at most every tenth."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._shown = -1

    def write(self, event: WorkerEvent) -> None:
        """One event."""
        match event.kind:
            case WorkerEventKind.READY:
                self._shown = -1
                LOG.info("model ready", target=event.target, model=self._model, seconds=event.seconds)
            case WorkerEventKind.LOADING:
                if int(event.fraction * 10) != self._shown:
                    self._shown = int(event.fraction * 10)
                    LOG.info("model loading", target=event.target, percent=round(event.fraction * 100))
            case WorkerEventKind.DIED:
                LOG.error("engine worker died", target=event.target, cause=event.detail, restart_in=event.seconds)
            case WorkerEventKind.FAILED:
                LOG.error("model can't be loaded", target=event.target, reason=event.detail, retry_in=event.seconds)
            case WorkerEventKind.STOPPED:
                LOG.info("engine stopped", target=event.target)

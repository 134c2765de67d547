"""Log of what happens to a managed server."""

import structlog

from gateway.local.models.events import WorkerEvent, WorkerEventKind

LOG = structlog.get_logger("aduana.servers")


class ServerLog:
    """Log of one server."""

    def __init__(self, model: str) -> None:
        self._model = model

    def write(self, event: WorkerEvent) -> None:
        """Write one event."""
        match event.kind:
            case WorkerEventKind.READY:
                LOG.info("server ready", target=event.target, model=self._model, seconds=event.seconds)
            case WorkerEventKind.DIED:
                LOG.error("server ended", target=event.target, cause=event.detail, restart_in=event.seconds)
            case WorkerEventKind.FAILED:
                LOG.error("server can't be started", target=event.target, reason=event.detail, retry_in=event.seconds)
            case WorkerEventKind.STOPPED:
                LOG.info("server stopped", target=event.target)
            case _:
                pass

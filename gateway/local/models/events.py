"""Events in the life of what holds a model, an engine worker or a managed server, for logs and metrics.

The first that a start imports: nothing heavy stands here.
"""

import enum
from collections.abc import Callable
from typing import TypeAlias

import msgspec


class WorkerEventKind(enum.StrEnum):
    """Kind of event."""

    LOADING = "loading"  # `fraction` of the weights is loaded
    READY = "ready"  # after `seconds`
    DIED = "died"  # `cause`; it is restarted after `seconds`
    FAILED = "failed"  # the model can't be loaded: `detail` says why; tried again after `seconds`, None: not by itself
    NO_REPACK = "no_repack"  # it died of `cause` with repacked weights; started once more without them
    REMEMBERED = "remembered"  # without repacked weights it works; that is kept for the next start
    WAITED = "waited"  # a request waited `seconds` for room and load together, and then could begin
    STOPPED = "stopped"


class WorkerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change in the life of a worker. `restarts` counts all restarts since the gateway started."""

    target: str
    kind: WorkerEventKind
    restarts: int = 0
    fraction: float = 0.0
    seconds: float | None = None
    cause: str = ""  # a short word for metrics: signal_9, exit_3, load, protocol
    detail: str = ""  # complete sentences for people; never any prompt


WorkerListener: TypeAlias = Callable[[WorkerEvent], None]

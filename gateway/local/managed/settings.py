"""Settings of a managed server: how it is started and stopped, and how the gateway treats its process."""

from collections.abc import Mapping
from typing import Literal

import msgspec


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One server that the gateway starts. Times in seconds; sizes in bytes."""

    command: tuple[str, ...]
    """Program and arguments, with placeholders (`gateway.local.managed.command`)."""
    environment: Mapping[str, str] = {}
    """Further variables, with placeholders."""
    directory: str = ""
    """Where it is started. Empty: where the gateway was."""
    model: str = ""
    """What stands for `{model}`."""
    models_directory: str = ""
    """What stands for `{models}`."""
    health: str = "/health"
    """Path that answers with 200 once the server can be asked."""
    gpu_memory: int = 0
    """What it takes on GPUs. More than 0: it counts as stopped once that is free again, where that can be measured."""
    log: str = ""
    """File for all that it prints. Empty: what it prints before it is ready is kept until then, the rest nowhere."""
    load: Literal["start", "on_demand"] = "on_demand"
    """When it is started: with the gateway, or for the first request that wants it."""
    unload_after: float | None = None
    """It is stopped after being idle for so long. None: only when another model needs the room."""
    load_wait: float = 300.0
    """A request waits this long for room and start together; a server that takes longer to be ready is ended."""
    stop_seconds: float = 10.0
    """From SIGTERM to SIGKILL."""
    restart_longest: float = 60.0
    """Longest pause between two starts of a server that dies."""
    stable_after: float = 60.0
    """A server that served this long starts the pauses, and the count of failures, anew."""
    restart_limit: int = 6
    """Failures in a row after which the server counts as failed."""
    retry_failed: float = 300.0
    """A server that counts as failed is tried again so often."""

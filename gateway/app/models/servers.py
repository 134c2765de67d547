"""From the whole configuration to the settings of one managed server, and what can be seen of it before it starts."""

import os
from collections.abc import Iterator

from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded.models.capacity import ServerNeed
from gateway.local.managed.command import found
from gateway.local.managed.settings import ServerSettings
from gateway.settings import Settings
from gateway.settings.managed import ManagedTargetConfig


def server_settings(settings: Settings, config: ManagedTargetConfig) -> ServerSettings:
    """Return how a managed server is started and stopped."""
    return ServerSettings(
        command=config.command,
        environment=config.env,
        directory=str(config.cwd.absolute()) if config.cwd is not None else "",
        model=config.model,
        models_directory=str(settings.model_directory.absolute()),
        health=config.health,
        gpu_memory=config.gpu_memory or 0,
        log=str(config.log.absolute()) if config.log is not None else "",
        load=config.load,
        unload_after=config.unload_after,
        load_wait=config.load_wait,
        stop_seconds=config.stop_seconds,
    )


def server_need(config: ManagedTargetConfig) -> ServerNeed:
    """Return what a managed server takes of the memory for models, as its owner says."""
    # Not as weights: how fast they load says nothing of other models.
    footprint = MemoryFootprint(compute=config.memory or 0, gpu=config.gpu_memory or 0)
    return ServerNeed(footprint=footprint, at_start=config.load == "start")


def server_problems(settings: Settings) -> Iterator[str]:
    """Explain in sentences which managed servers can't be started as they are configured. Looks at the file system."""
    for name, config in settings.targets.items():
        if not isinstance(config, ManagedTargetConfig):
            continue
        if config.cwd is not None and not config.cwd.is_dir():
            yield f"targets.{name}.cwd: there is no directory {config.cwd}."
        elif not found(server_settings(settings, config), os.environ):
            yield (
                f"targets.{name}.command: there is no program {config.command[0]!r} that can be run. Install it, or "
                "write its whole path."
            )
        if config.log is not None and not config.log.absolute().parent.is_dir():
            yield f"targets.{name}.log: there is no directory {config.log.parent}."
        if settings.engine.memory is not None and config.memory is None:
            yield (
                f"targets.{name}: say how much its server takes ('memory'): engine.memory is shared out by it, and a "
                "server that counts nothing would be started beside models that fill it."
            )

"""All configured targets: building, starting and stopping them."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from gateway.app.egress.clouds import CloudConfig
from gateway.app.egress.setup import cloud_settings
from gateway.app.models.admin import ModelAdmin
from gateway.app.models.servers import server_settings
from gateway.app.room_settings import (
    espeak_settings,
    http_settings,
    managed_http_settings,
    secret_of,
    speech_settings,
)
from gateway.cloud import CloudTarget as CloudRoomTarget
from gateway.core.background import Keep, unwatched
from gateway.core.errors import AduanaError
from gateway.core.events import ViolationStopped
from gateway.core.labels import Zone
from gateway.core.target import Catalog, TargetInfo, TargetState, Voice
from gateway.egress.sender import Sender
from gateway.local.embedded.models.plan import ModelPlan
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.local.espeak.target import EspeakTarget
from gateway.local.http.target import HttpTarget
from gateway.local.managed.target import ManagedTarget
from gateway.local.models.events import WorkerListener
from gateway.local.models.pool import ModelPool
from gateway.local.speech.folders import speech_model_folder
from gateway.local.speech.target import SpeechTarget
from gateway.pipeline import CloudTarget, LocalTarget
from gateway.pipeline.ports import Target
from gateway.settings import Settings
from gateway.settings.managed import ManagedTargetConfig
from gateway.settings.servers import AskedTargetConfig, OpenAITargetConfig
from gateway.settings.targets import EmbeddedTargetConfig as EmbeddedConfig
from gateway.settings.targets import EspeakTargetConfig, SpeechTargetConfig

if TYPE_CHECKING:
    from gateway.local.embedded.target import EmbeddedTarget

LOG = structlog.get_logger("aduana.targets")


class Targets:
    """Owner of all targets, by zone. `start` begins loading; `states` shows how far they are."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        models: ModelPlan,
        *,
        on_violation: Callable[[ViolationStopped], None],
        on_worker: WorkerListener,
        workers: Mapping[str, WorkerSupervisor] = MappingProxyType({}),
        keep: Keep = unwatched,
        sender: Sender | None = None,
    ) -> None:
        """Build every target, and start none.

        Args:
            settings: The whole configuration.
            catalog: What the policy knows of each target.
            models: The sizes of all models on this machine.
            on_violation: Called when a cloud target's last check stops something.
            on_worker: Called with what happens to engine workers and managed servers.
            workers: Engine workers that have begun already, by target.
            keep: Runs what watches a target's health.
            sender: Hands what is cleared to the process that asks clouds; None: this one asks them.

        Raises:
            ConfigurationError: A secret can't be read, or the model of a target that hears is missing.
        """
        pool = self._pool = ModelPool(models.limits)
        self.local: dict[str, LocalTarget] = {}
        self.embedded: dict[str, EmbeddedTarget] = {}
        self.managed: dict[str, ManagedTarget] = {}
        self.hearing: dict[str, SpeechTarget] = {}
        self.speaking: dict[str, EspeakTarget] = {}
        self.cloud: dict[str, CloudTarget] = {}
        self._named_voices = {
            name: tuple(Voice(id=voice, name=voice) for voice in config.voices)
            for name, config in settings.targets.items()
            if isinstance(config, AskedTargetConfig)
        }
        for name, config in settings.targets.items():
            info = catalog.targets[name]
            if isinstance(config, EmbeddedConfig):
                embedded = _embedded_target()(
                    info,
                    models.settings[name],
                    listener=on_worker,
                    models=pool,
                    footprint=models.footprints[name],
                    worker=workers.get(name),
                )
                self.local[name] = self.embedded[name] = embedded
            elif isinstance(config, ManagedTargetConfig):
                managed = ManagedTarget(
                    info,
                    server_settings(settings, config),
                    managed_http_settings(config),
                    models=pool,
                    footprint=models.footprints[name],
                    listener=on_worker,
                )
                self.local[name] = self.managed[name] = managed
            elif isinstance(config, SpeechTargetConfig):
                folder = speech_model_folder(config.model, settings.model_directory)
                self.local[name] = self.hearing[name] = SpeechTarget(
                    info,
                    speech_settings(config, folder),
                    listener=on_worker,
                    models=pool,
                    footprint=models.footprints[name],
                )
            elif isinstance(config, EspeakTargetConfig):
                self.local[name] = self.speaking[name] = EspeakTarget(info, espeak_settings(config))
            elif isinstance(config, OpenAITargetConfig) and config.zone is Zone.LOCAL:
                self.local[name] = HttpTarget(info, http_settings(config), keep=keep)
            else:
                self.cloud[name] = _cloud_target(info, config, on_violation, sender)

    @property
    def models(self) -> ModelAdmin:
        """Return the targets whose models are loaded here, as administrators see them."""
        return ModelAdmin(self.embedded, {**self.managed, **self.hearing}, self._pool)

    @property
    def all(self) -> Mapping[str, Target]:
        """Return every target by its name."""
        return {**self.local, **self.cloud}

    def voices(self) -> Mapping[str, tuple[Voice, ...]]:
        """Return the voices of every target that speaks: as it tells them, or as they are configured."""
        return self._named_voices | {name: target.voices for name, target in self.speaking.items()}

    def states(self) -> Mapping[str, TargetState]:
        """Return the state of every target. Cheap."""
        return {name: target.state() for name, target in self.all.items()}

    async def start(self) -> None:
        """Start all targets.

        Raises:
            ConfigurationError: One of them can't be used as it is configured.
        """
        for target in self.all.values():
            await target.start()

    async def close(self) -> None:
        """Close all targets, also when one of them fails to close."""
        results = await asyncio.gather(*(target.close() for target in self.all.values()), return_exceptions=True)
        for name, result in zip(self.all, results, strict=True):
            if isinstance(result, AduanaError | OSError):
                LOG.error("target.close_failed", target=name, error=type(result).__name__)
            elif isinstance(result, BaseException):
                raise result


def _embedded_target() -> "type[EmbeddedTarget]":
    """Return the class, which brings templates, pictures and more: 6 MB that only models of our own need."""
    from gateway.local.embedded.target import EmbeddedTarget

    return EmbeddedTarget


def _cloud_target(
    info: TargetInfo, config: CloudConfig, on_violation: Callable[[ViolationStopped], None], sender: Sender | None
) -> CloudTarget:
    if sender is None:
        return CloudRoomTarget(info, cloud_settings(config, secret_of(config)), on_violation=on_violation)
    door = partial(sender.door, info.name)
    return CloudRoomTarget(info, cloud_settings(config), on_violation=on_violation, door=door)

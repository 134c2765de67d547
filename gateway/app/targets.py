"""All configured targets: building, starting and stopping them."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
import structlog

from gateway.app.models.admin import ModelAdmin
from gateway.app.room_settings import http_settings, secret_of
from gateway.core.background import Keep, unwatched
from gateway.core.errors import AduanaError
from gateway.core.events import ViolationStopped
from gateway.core.labels import Zone
from gateway.core.target import Catalog, TargetInfo, TargetState
from gateway.local.embedded.events import WorkerListener
from gateway.local.embedded.models.plan import ModelPlan
from gateway.local.embedded.models.pool import ModelPool
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.local.embedded.target import EmbeddedTarget
from gateway.local.http.target import HttpTarget
from gateway.pipeline import CloudTarget, LocalTarget
from gateway.pipeline.ports import Target
from gateway.settings import Settings
from gateway.settings.servers import AnthropicTargetConfig, GeminiTargetConfig, OpenAITargetConfig
from gateway.settings.targets import EmbeddedTargetConfig as EmbeddedConfig

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
    ) -> None:
        """Build every target, and start none.

        Args:
            settings: The whole configuration.
            catalog: What the policy knows of each target.
            models: The sizes of all embedded models.
            on_violation: Called when a cloud target's last check stops something.
            on_worker: Called with what happens to engine workers.
            workers: Engine workers that have begun already, by target.
            keep: Runs what watches a target's health.

        Raises:
            ConfigurationError: A secret can't be read.
        """
        pool = self._pool = ModelPool(models.limits)
        self.local: dict[str, LocalTarget] = {}
        self.embedded: dict[str, EmbeddedTarget] = {}
        self.cloud: dict[str, CloudTarget] = {}
        for name, config in settings.targets.items():
            info = catalog.targets[name]
            if isinstance(config, EmbeddedConfig):
                embedded = EmbeddedTarget(
                    info,
                    models.settings[name],
                    listener=on_worker,
                    models=pool,
                    footprint=models.footprints[name],
                    worker=workers.get(name),
                )
                self.local[name] = self.embedded[name] = embedded
            elif isinstance(config, OpenAITargetConfig) and config.zone is Zone.LOCAL:
                self.local[name] = HttpTarget(info, http_settings(config), keep=keep)
            else:
                self.cloud[name] = _cloud_target(info, config, on_violation)

    @property
    def models(self) -> ModelAdmin:
        """Return the embedded targets as administrators see them."""
        return ModelAdmin(self.embedded, self._pool)

    @property
    def all(self) -> Mapping[str, Target]:
        """Return every target by its name."""
        return {**self.local, **self.cloud}

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


def _cloud_target(
    info: TargetInfo,
    config: OpenAITargetConfig | AnthropicTargetConfig | GeminiTargetConfig,
    on_violation: Callable[[ViolationStopped], None],
) -> CloudTarget:
    # Imported only here: without a cloud target, nothing that can reach a cloud is even loaded.
    from gateway.cloud import CloudSettings
    from gateway.cloud import CloudTarget as Cloud

    settings = CloudSettings(
        base_url=config.base_url,
        api=info.api,
        api_key=secret_of(config),
        ca_file=config.ca_file,
        connect_seconds=config.connect_seconds,
        header_seconds=config.effective_header_seconds,
        idle_seconds=config.idle_seconds,
        retries=config.retries,
        proxy=config.proxy,
        answer_tokens=config.answer_tokens,
        api_version=(config.api_version or "") if isinstance(config, OpenAITargetConfig) else "",
    )
    if isinstance(config, AnthropicTargetConfig):
        settings = msgspec.structs.replace(settings, anthropic_version=config.version, anthropic_betas=config.betas)
    return Cloud(info, settings, on_violation=on_violation)

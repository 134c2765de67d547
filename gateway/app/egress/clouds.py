"""What of the configuration is about clouds. Imports little: it is asked before the first model begins to load."""

from collections.abc import Iterator
from typing import TypeAlias
from urllib.parse import urlsplit

from gateway.core.labels import Zone
from gateway.egress.keys import variable_of
from gateway.settings import Settings
from gateway.settings.servers import AnthropicTargetConfig, GeminiTargetConfig, OpenAITargetConfig, ServerTargetConfig

CloudConfig: TypeAlias = OpenAITargetConfig | AnthropicTargetConfig | GeminiTargetConfig


def clouds_of(settings: Settings) -> Iterator[tuple[str, CloudConfig]]:
    """Yield the cloud targets with their names."""
    for name, config in settings.targets.items():
        if isinstance(config, CloudConfig) and config.zone == Zone.CLOUD:
            yield name, config


def only_for_clouds(settings: Settings) -> frozenset[str]:
    """Return the variables that hold clouds' keys, where a child asks clouds, and nothing that this process needs."""
    if settings.egress.process != "child":
        return frozenset()
    clouds = {name for name, _ in clouds_of(settings)}
    needed = [key.secret for key in settings.keys.values()]
    needed += settings.traces.headers.values()
    needed += [settings.users.front_end.secret] if settings.users.front_end.secret is not None else []
    needed += [
        target.api_key
        for name, target in settings.targets.items()
        if isinstance(target, ServerTargetConfig) and target.api_key is not None and name not in clouds
    ]
    names = {variable_of(config.api_key) for _, config in clouds_of(settings)}
    return frozenset(name for name in names - {variable_of(reference) for reference in needed} if name is not None)


def addresses_of(settings: Settings) -> tuple[tuple[str, int], ...]:
    """Return host and port of each cloud, or of the proxy by which it is asked."""
    asked = [urlsplit(config.proxy or config.base_url) for _, config in clouds_of(settings)]
    return tuple((url.hostname or "", url.port or (443 if url.scheme == "https" else 80)) for url in asked)

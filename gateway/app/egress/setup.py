"""What the egress process is told."""

import msgspec

from gateway.app.egress.clouds import CloudConfig, clouds_of
from gateway.app.room_settings import inspection_settings
from gateway.cloud import CloudSettings
from gateway.cloud.settings import unencrypted
from gateway.core.errors import ConfigurationError
from gateway.core.secret import Secret
from gateway.egress.messages import Provider, Setup
from gateway.settings import Settings
from gateway.settings.servers import AnthropicTargetConfig, OpenAITargetConfig


def setup_of(settings: Settings, seal: bytes, *, tells: bool = False) -> Setup:
    """Return what the other process needs: addresses, ceilings, where keys stand, and what it looks for.

    Raises:
        ConfigurationError: A target would be asked over the internet without encryption.
    """
    providers = tuple(
        Provider(
            name=name,
            ceiling=config.effective_ceiling,
            settings=cloud_settings(config),
            endpoints=config.effective_endpoints,
            key=config.api_key,
            client_credential=config.credential == "client",
        )
        for name, config in clouds_of(settings)
    )
    open_ones = [problem for one in providers if (problem := unencrypted(one.name, one.settings.base_url))]
    if open_ones:
        raise ConfigurationError(tuple(open_ones))
    return Setup(
        providers=providers,
        seal=seal,
        inspection=inspection_settings(settings),
        cache=str(settings.state_dir),
        log_format=settings.log.format,
        log_level=settings.log.level,
        tells=tells,
    )


def cloud_settings(config: CloudConfig, key: Secret | None = None) -> CloudSettings:
    """Return a provider's address and limits, and its key where it is asked from this process."""
    settings = CloudSettings(
        base_url=config.base_url,
        api=config.api_spoken,
        api_key=key,
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
    return settings

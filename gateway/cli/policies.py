"""The configuration and policies that `check`, `explain`, `diff` and `replay` work on."""

from collections.abc import Sequence
from pathlib import Path

from gateway.app.models.plan import catalog_of
from gateway.app.room_settings import policy_rates
from gateway.core.target import Catalog
from gateway.policy import Policy, load_policy_files
from gateway.settings import Settings, load_settings
from gateway.settings.targets import EmbeddedTargetConfig


def load(config: Path | None, policies: Sequence[Path]) -> tuple[Settings, Policy]:
    """Return the settings, and the policy of these files or of the configuration.

    Raises:
        ConfigurationError: A file can't be used.
    """
    settings = load_settings(config)
    return settings, load_with(settings, catalog_of(settings), policies)


def load_with(settings: Settings, catalog: Catalog, policies: Sequence[Path]) -> Policy:
    """Return a policy for these settings, its claims not proved yet.

    Args:
        settings: The whole configuration.
        catalog: What the policy knows of targets. Policies that are compared get the same one.
        policies: Files of the policy. None of them: those of the configuration.
    """
    files = tuple(policies) or settings.policy
    return load_policy_files(files, catalog, rates=policy_rates(settings), proved=False)


def chosen_windows(settings: Settings, catalog: Catalog) -> str:
    """Say which windows were chosen for the memory that is free now. Empty: none were.

    A running gateway has those of its start, which may be others.
    """
    windows = {
        name: catalog.targets[name].context
        for name, config in settings.targets.items()
        if isinstance(config, EmbeddedTargetConfig) and config.context is None
    }
    told = ", ".join(f"{name} {tokens}" for name, tokens in windows.items() if tokens is not None)
    return f"windows for the memory that is free now (context: auto), in tokens: {told}" if told else ""

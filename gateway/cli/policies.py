"""The configuration and policies that `check`, `explain`, `diff` and `replay` work on."""

from collections.abc import Sequence
from pathlib import Path

from gateway.app.model_plan import catalog_of
from gateway.app.room_settings import policy_rates
from gateway.policy import Policy, load_policy_files
from gateway.settings import Settings, load_settings


def load(config: Path | None, policies: Sequence[Path]) -> tuple[Settings, Policy]:
    """Return the settings, and the policy of these files or of the configuration.

    Raises:
        ConfigurationError: A file can't be used.
    """
    settings = load_settings(config)
    return settings, load_with(settings, policies)


def load_with(settings: Settings, policies: Sequence[Path]) -> Policy:
    """Return a policy for these settings, its claims not proved yet."""
    files = tuple(policies) or settings.policy
    return load_policy_files(files, catalog_of(settings), rates=policy_rates(settings), proved=False)

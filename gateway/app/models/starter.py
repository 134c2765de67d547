"""Targets that need the starter model, which `serve` unpacks from its package. Imports little."""

from collections.abc import Iterator

from gateway.local.embedded.models.files import STARTER, has_model, starter_problem
from gateway.settings import Settings
from gateway.settings.targets import EmbeddedTargetConfig


def missing_starter(settings: Settings) -> tuple[str, ...]:
    """Return the targets that name the starter model, where the model directory lacks it."""
    named = tuple(
        name
        for name, target in settings.targets.items()
        if isinstance(target, EmbeddedTargetConfig) and target.model == STARTER
    )
    return () if not named or has_model(STARTER, settings.model_directory) else named


def starter_problems(settings: Settings) -> Iterator[str]:
    """Explain in a sentence why the starter model can't be unpacked where it is missing."""
    missing = missing_starter(settings)
    if missing and (problem := starter_problem(settings.model_directory)):
        yield f"targets.{missing[0]}.model: {problem}"

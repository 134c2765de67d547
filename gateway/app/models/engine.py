"""Whether the engine is installed that runs embedded models: it comes with the extra `local`."""

import importlib.util
from collections.abc import Iterator

from gateway.core.errors import ConfigurationError
from gateway.settings import Settings
from gateway.settings.targets import EmbeddedTargetConfig


def engine_problems(settings: Settings) -> Iterator[str]:
    """Explain in sentences which targets need the engine where it is not installed. Looks for it, and loads nothing."""
    embedded = [name for name, target in settings.targets.items() if isinstance(target, EmbeddedTargetConfig)]
    if not embedded or importlib.util.find_spec("llama_cpp") is not None:
        return
    if "targets" not in settings.model_fields_set:
        yield (
            "There is nothing to answer with yet. Run 'aduana engine install' for the engine that runs models here, or "
            "name a server that runs already (llama-server, Ollama, LM Studio, vLLM) under 'targets' in aduana.yaml; "
            "'aduana init' helps with both."
        )
        return
    for name in embedded:
        yield (
            f"targets.{name}: this gateway runs its model itself, and the engine for that is not installed. "
            "Run 'aduana engine install'."
        )


def require_engine(settings: Settings) -> None:
    """Return where every embedded target has its engine.

    Raises:
        ConfigurationError: The engine is not installed, and a target needs it.
    """
    problems = tuple(engine_problems(settings))
    if problems:
        raise ConfigurationError(problems)

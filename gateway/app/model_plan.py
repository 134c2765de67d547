"""What the configured embedded models need, and whether the memory can hold them."""

from gateway.app.embedded_settings import embedded_settings
from gateway.core.errors import ConfigurationError
from gateway.core.request import Endpoint
from gateway.local.embedded.models.capacity import ModelPlan, plan_models
from gateway.settings import Settings
from gateway.settings.targets import AnyTarget, EmbeddedTargetConfig


def planned(settings: Settings) -> ModelPlan:
    """Return what each embedded model needs, whether the memory can hold them or not.

    Raises:
        ConfigurationError: A model file is missing.
    """
    rooms = {
        name: embedded_settings(settings, name, config)
        for name, config in settings.targets.items()
        if isinstance(config, EmbeddedTargetConfig)
    }
    return plan_models(
        rooms,
        memory=settings.engine.memory,
        gpu_memory=settings.engine.gpu_memory,
        vectors=[name for name in rooms if _makes_vectors(settings.targets[name])],
    )


def _makes_vectors(config: AnyTarget) -> bool:
    """Return whether `endpoints` names embeddings: every chat model can, few are meant to, and it takes memory."""
    return "endpoints" in config.model_fields_set and Endpoint.EMBEDDINGS in config.endpoints


def holding(settings: Settings) -> ModelPlan:
    """Return what each embedded model needs, for models that the memory can hold.

    Raises:
        ConfigurationError: A model file is missing, or the memory can't hold the models.
    """
    plan = planned(settings)
    problems = plan.problems()
    if problems:
        raise ConfigurationError(tuple(problems))
    return plan

"""The configuration's embedded models as the local room plans them."""

from gateway.app.room_settings import embedded_settings
from gateway.core.errors import ConfigurationError
from gateway.core.request import Endpoint
from gateway.local.embedded.models.capacity import ModelPlan, plan_models
from gateway.settings import Settings
from gateway.settings.targets import AnyTarget, EmbeddedTargetConfig


def planned(settings: Settings) -> ModelPlan:
    """What each needs, whether the memory can hold them or not. Raises ConfigurationError for a missing file."""
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
    """Only where it is written: every chat model can, few are meant to, and the room for it is not small."""
    return "endpoints" in config.model_fields_set and Endpoint.EMBEDDINGS in config.endpoints


def holding(settings: Settings) -> ModelPlan:
    """The same. Raises ConfigurationError also for models that the memory can't hold."""
    plan = planned(settings)
    problems = plan.problems()
    if problems:
        raise ConfigurationError(tuple(problems))
    return plan

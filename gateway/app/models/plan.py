"""How large the configured embedded models are loaded, what they need, and whether the memory can hold them."""

import msgspec

from gateway.app.models.media_capabilities import with_media
from gateway.app.models.settings import embedded_settings
from gateway.core.errors import ConfigurationError
from gateway.core.request import Endpoint
from gateway.core.target import Catalog
from gateway.local.embedded.models.capacity import plan_models
from gateway.local.embedded.models.plan import ModelPlan
from gateway.settings import Settings
from gateway.settings.targets import AnyTarget, EmbeddedTargetConfig


def planned(settings: Settings) -> ModelPlan:
    """Return the size of each embedded model and what it needs, whether the memory can hold them or not.

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
    if not isinstance(config, EmbeddedTargetConfig) or "endpoints" not in config.model_fields_set:
        return False
    return Endpoint.EMBEDDINGS in config.endpoints


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


def catalog_of(settings: Settings, plan: ModelPlan | None = None) -> Catalog:
    """Return what the policy knows of targets, with the windows that were chosen where the configuration says `auto`.

    What models see and hear is in it as well. Without a plan windows are chosen here; of a model whose file is missing
    the window stays unknown.
    """
    catalog = with_media(settings, settings.catalog())
    if plan is None:
        try:
            plan = planned(settings)
        except ConfigurationError:
            return catalog
    targets = {
        name: msgspec.structs.replace(info, context=plan.settings[name].context) if name in plan.settings else info
        for name, info in catalog.targets.items()
    }
    return msgspec.structs.replace(catalog, targets=targets)

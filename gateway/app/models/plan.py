"""How large the configured models are loaded, what they need, and whether the memory can hold them."""

import msgspec

from gateway.app.keys.stored_keys import stored_keys, with_keys
from gateway.app.models.engine import engine_problems
from gateway.app.models.media_capabilities import with_media
from gateway.app.models.servers import server_need, server_problems
from gateway.app.models.settings import embedded_settings
from gateway.app.models.speech import speech_need, speech_problems
from gateway.core.errors import ConfigurationError
from gateway.core.request import Endpoint
from gateway.core.target import Catalog
from gateway.local.embedded.models.capacity import ServerNeed, plan_models
from gateway.local.embedded.models.plan import ModelPlan
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.settings import Settings
from gateway.settings.managed import ManagedTargetConfig
from gateway.settings.targets import AnyTarget, EmbeddedTargetConfig, SpeechTargetConfig


def planned(settings: Settings) -> ModelPlan:
    """Return the size of each embedded model and what each model needs, whether the memory can hold them or not.

    Raises:
        ConfigurationError: A model file or the engine is missing.
    """
    rooms: dict[str, EmbeddedSettings] = {}
    problems = list(engine_problems(settings))
    for name, config in settings.targets.items():
        if isinstance(config, EmbeddedTargetConfig):
            try:
                rooms[name] = embedded_settings(settings, name, config)
            except ConfigurationError as error:
                problems += error.problems
    try:
        servers = _server_needs(settings)
    except ConfigurationError as error:
        problems += error.problems
    if problems:
        raise ConfigurationError(tuple(problems))
    try:
        return plan_models(
            rooms,
            memory=settings.engine.memory,
            gpu_memory=settings.engine.gpu_memory,
            vectors=[name for name in rooms if _makes_vectors(settings.targets[name])],
            servers=servers,
        )
    except ImportError as error:  # a build of llama.cpp whose libraries are not all here
        raise ConfigurationError((f"{error}. 'aduana engine install' installs one that fits.",)) from error


def _makes_vectors(config: AnyTarget) -> bool:
    """Return whether `endpoints` names embeddings: every chat model can, few are meant to, and it takes memory."""
    if not isinstance(config, EmbeddedTargetConfig) or "endpoints" not in config.model_fields_set:
        return False
    return Endpoint.EMBEDDINGS in config.endpoints


def holding(settings: Settings) -> ModelPlan:
    """Return what each model needs, for models that the memory can hold and servers that can be started.

    Raises:
        ConfigurationError: A model file or a program is missing, or the memory can't hold the models.
    """
    problems = [*server_problems(settings), *speech_problems(settings)]
    try:
        plan = planned(settings)
    except ConfigurationError as error:  # what it says of speech models is said already
        raise ConfigurationError(tuple(dict.fromkeys([*error.problems, *problems]))) from error
    problems += plan.problems()
    if problems:
        raise ConfigurationError(tuple(problems))
    return plan


def _server_needs(settings: Settings) -> dict[str, ServerNeed]:
    return {
        name: server_need(config)
        for name, config in settings.targets.items()
        if isinstance(config, ManagedTargetConfig)
    } | {
        name: speech_need(settings, name, config)
        for name, config in settings.targets.items()
        if isinstance(config, SpeechTargetConfig)
    }


def catalog_of(settings: Settings, plan: ModelPlan | None = None) -> Catalog:
    """Return what the policy knows of targets, with the windows that were chosen where the configuration says `auto`.

    What models see and hear is in it as well. Without a plan windows are chosen here; of a model whose file is missing
    the window stays unknown.
    """
    catalog = with_keys(with_media(settings, settings.catalog()), stored_keys(settings), settings)
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

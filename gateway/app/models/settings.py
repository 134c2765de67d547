"""From the whole configuration to the settings of one embedded target. Imports little: a start begins with it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from gateway.app.models.media_capabilities import projector_header
from gateway.core.errors import ConfigurationError
from gateway.local.embedded.models.files import model_path
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.settings import Settings
from gateway.settings.llama import LlamaOptions
from gateway.settings.targets import EmbeddedTargetConfig

_UNFITTED = EmbeddedSettings(model="")  # what `auto` begins with, before the models are planned


def embedded_settings(settings: Settings, name: str, config: EmbeddedTargetConfig) -> EmbeddedSettings:
    """Return the engine's settings for one embedded target. What is `auto` is chosen in `gateway.app.models.plan`.

    Raises:
        ConfigurationError: A model file is missing.
    """

    def path(field: str, model: str) -> str:
        with about(f"targets.{name}.{field}"):
            return str(model_path(model, settings.model_directory))

    return EmbeddedSettings(
        model=path("model", config.model),
        context=config.context or _UNFITTED.context,
        slots=config.slots or _UNFITTED.slots,
        fit_context=config.context is None,
        fit_slots=config.slots is None,
        kv_type_k=config.kv_type_k or config.kv_type,
        kv_type_v=config.kv_type_v or config.kv_type,
        lora=tuple((path("lora", lora), scale) for lora, scale in config.lora.items()),
        mmproj=_projector(path("mmproj", config.mmproj), name) if config.mmproj else "",
        queue=config.queue,
        queue_wait=config.queue_wait,
        load=config.load,
        unload_after=config.unload_after,
        load_wait=config.load_wait,
        **{name: getattr(config, name) for name in LlamaOptions.model_fields},
        draft_lookup=config.draft.lookup,
        draft_head=config.draft.head == "auto",
        draft_model=path("draft.model", config.draft.model) if config.draft.model else "",
        draft_tokens=config.draft.tokens,
        spill_memory=config.spill_memory,
        spill_disk=config.spill_disk,
        checkpoint_memory=config.checkpoint_memory,
        checkpoint_every=config.checkpoint_every,
        spill_directory=str(settings.state_dir.absolute() / "spill" / name),
        compatibility_file=str(settings.state_dir.absolute() / "engine" / "compatibility.json"),
    )


@contextlib.contextmanager
def about(setting: str) -> Iterator[None]:
    """Put a setting's name before each problem of the body that does not begin with it.

    Raises:
        ConfigurationError: The body's.
    """
    try:
        yield
    except ConfigurationError as error:
        said = (f"{setting}: ", f"{setting}.")
        raise ConfigurationError(
            tuple(one if one.startswith(said) else f"{setting}: {one}" for one in error.problems)
        ) from error


def _projector(path: str, target: str) -> str:
    """Return the path of a projector.

    Raises:
        ConfigurationError: The file can't be used, or is no projector.
    """
    with about(f"targets.{target}.mmproj"):
        projector_header(Path(path), target)
    return path

"""What embedded models can take beside text: as their projectors' files say."""

from pathlib import Path

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.core.target import Capability, Catalog
from gateway.engine.llama.gguf import Header, read_header
from gateway.local.embedded.models.files import model_path
from gateway.settings import Settings
from gateway.settings.targets import EmbeddedTargetConfig

_KEYS = {"clip.has_vision_encoder": Capability.IMAGES, "clip.has_audio_encoder": Capability.AUDIO}


def with_media(settings: Settings, catalog: Catalog) -> Catalog:
    """Return the catalog with what the models of embedded targets see and hear.

    Of a projector whose file is missing or broken nothing is known; the start refuses it.
    """
    targets = dict(catalog.targets)
    for name, config in settings.targets.items():
        if isinstance(config, EmbeddedTargetConfig) and config.mmproj is not None:
            try:
                header = projector_header(model_path(config.mmproj, settings.model_directory), name)
            except ConfigurationError:
                continue
            found = {capability for key, capability in _KEYS.items() if header.metadata.get(key) is True}
            info = targets[name]
            targets[name] = msgspec.structs.replace(info, capabilities=info.capabilities | found)
    return msgspec.structs.replace(catalog, targets=targets)


def projector_header(path: Path, target: str) -> Header:
    """Return the header of a projector's file.

    Raises:
        ConfigurationError: the file can't be used, or is no projector.
    """
    header = read_header(path)
    if header.architecture != "clip" or not any(header.metadata.get(key) is True for key in _KEYS):
        raise ConfigurationError(
            (
                f"targets.{target}.mmproj: {path} is no projector for pictures or sound. Use the file whose name "
                "begins with 'mmproj' that was published together with the model.",
            )
        )
    return header

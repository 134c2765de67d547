"""From the configuration to what speech models take, and why a target that hears or speaks can't be used."""

import importlib.util
import shutil
from collections.abc import Iterator

from gateway.app.models.settings import about
from gateway.core.errors import ConfigurationError
from gateway.local.embedded.models.capacity import ServerNeed
from gateway.local.speech.folders import speech_footprint, speech_model_folder
from gateway.settings import Settings
from gateway.settings.targets import EspeakTargetConfig, SpeechTargetConfig

_PACKAGES = ("faster_whisper", "av")


def speech_need(settings: Settings, name: str, config: SpeechTargetConfig) -> ServerNeed:
    """Return what a speech model takes of the memory for models.

    Raises:
        ConfigurationError: Its folder is missing.
    """
    with about(f"targets.{name}.model"):
        folder = speech_model_folder(config.model, settings.model_directory)
    return ServerNeed(footprint=speech_footprint(folder, gpu=config.device == "cuda"), at_start=config.load == "start")


def speech_problems(settings: Settings) -> Iterator[str]:
    """Explain in sentences which targets can't hear or speak as they are configured. Looks at the file system."""
    for name, config in settings.targets.items():
        if isinstance(config, SpeechTargetConfig):
            if any(importlib.util.find_spec(package) is None for package in _PACKAGES):
                yield f"targets.{name}: hearing needs more packages. Run: aduana extras install speech"
            try:
                speech_model_folder(config.model, settings.model_directory)
            except ConfigurationError as error:
                yield from (f"targets.{name}.model: {problem}" for problem in error.problems)
        elif isinstance(config, EspeakTargetConfig) and shutil.which(config.program) is None:
            yield (
                f"targets.{name}.program: there is no program {config.program!r} that can be run. Install it "
                "(apt install espeak-ng), or write its whole path."
            )

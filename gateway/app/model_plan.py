"""What the embedded models need, read from their files' headers, and whether the configuration can hold at all.

Loads nothing. A file that can't be read has no need here: its target says so when it is asked to load.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.app.rooms import embedded_settings
from gateway.core.errors import ConfigurationError
from gateway.engine.fit import Limits, told, too_large, within
from gateway.engine.gguf import read_header
from gateway.engine.memory import Need, need_of
from gateway.engine.model import can_use_gpu
from gateway.local.embedded_settings import EmbeddedSettings
from gateway.settings import Settings
from gateway.settings.targets import EmbeddedTarget


class ModelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """By target."""

    settings: Mapping[str, EmbeddedSettings]
    needs: Mapping[str, Need]
    limits: Limits

    def problems(self) -> list[str]:
        """Sentences about what can never be loaded, alone or together at start."""
        found = [
            f"targets.{name}: its model {too_large(need, self.limits)}"
            for name, need in self.needs.items()
            if not within(self.limits, [need])
        ]
        together = {name: need for name, need in self.needs.items() if self.settings[name].load == "start"}
        if not found and not within(self.limits, list(together.values())):
            total = sum(need.total for need in together.values())
            found.append(
                f"engine: the models that load at start ({', '.join(sorted(together))}) need {total / 1e9:.1f} GB "
                f"together, and there are {told(self.limits)}. Write 'load: on_demand' for some of them, or turn "
                "down what they need."
            )
        return found


def plan_models(settings: Settings) -> ModelPlan:
    """Raises ConfigurationError for a missing file, and for models that the memory can't hold."""
    plan = planned(settings)
    problems = plan.problems()
    if problems:
        raise ConfigurationError(tuple(problems))
    return plan


def planned(settings: Settings) -> ModelPlan:
    """The same, whether it can hold or not. Raises ConfigurationError for a missing file."""
    rooms = {
        name: embedded_settings(settings, name, config)
        for name, config in settings.targets.items()
        if isinstance(config, EmbeddedTarget)
    }
    gpu = any(room.gpu_layers for room in rooms.values()) and can_use_gpu()
    limits = Limits(memory=settings.engine.memory, gpu_memory=settings.engine.gpu_memory)
    return ModelPlan(settings=rooms, needs={name: _need(room, gpu) for name, room in rooms.items()}, limits=limits)


def _need(room: EmbeddedSettings, gpu: bool) -> Need:
    on_gpu = gpu and room.gpu_layers != 0
    try:
        need = need_of(read_header(Path(room.model)), room, gpu=on_gpu)
        if not room.draft_model:
            return need
        draft = need_of(read_header(Path(room.draft_model)), room, gpu=on_gpu)
        return Need(**{name: getattr(need, name) + getattr(draft, name) for name in Need.__struct_fields__})
    except ConfigurationError:
        return Need()

"""Memory that embedded models need, read from their files' headers, and whether the machine can hold them at all.

Loads nothing. A file that can't be read needs nothing here: its target says so when it is asked to load.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.engine.llama.footprint import MemoryFootprint, embedding_footprint, footprint_of
from gateway.engine.llama.gguf import read_header
from gateway.engine.llama.model import can_use_gpu
from gateway.local.embedded.models.eviction import MemoryLimits, describe, too_large, within
from gateway.local.embedded.settings import EmbeddedSettings


class ModelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Settings and memory footprint of every embedded target, by its name, and the limits for all of them."""

    settings: Mapping[str, EmbeddedSettings]
    footprints: Mapping[str, MemoryFootprint]
    limits: MemoryLimits

    def problems(self) -> list[str]:
        """Explain in sentences what can never be loaded, alone or together at start."""
        found = [
            f"targets.{name}: its model {too_large(footprint, self.limits)}"
            for name, footprint in self.footprints.items()
            if not within(self.limits, [footprint])
        ]
        together = {
            name: footprint for name, footprint in self.footprints.items() if self.settings[name].load == "start"
        }
        if not found and not within(self.limits, list(together.values())):
            total = sum(footprint.total for footprint in together.values())
            found.append(
                f"engine: the models that load at start ({', '.join(sorted(together))}) need {total / 1e9:.1f} GB "
                f"together, and there are {describe(self.limits)}. Write 'load: on_demand' for some of them, or turn "
                "down what they need."
            )
        return found


def plan_models(
    rooms: Mapping[str, EmbeddedSettings],
    *,
    memory: int | None,
    gpu_memory: int | None,
    vectors: Collection[str] = (),
) -> ModelPlan:
    """Estimate what all models need, whether the machine can hold them or not; `problems` says.

    Args:
        rooms: settings by target.
        memory: limit in bytes for all models; None: none.
        gpu_memory: limit in bytes for the part on GPUs; None: none.
        vectors: targets that are meant to make vectors, so that memory for that is planned as well.
    """
    gpu = any(room.gpu_layers for room in rooms.values()) and can_use_gpu()
    return ModelPlan(
        settings=rooms,
        footprints={name: _footprint(room, gpu, vectors=name in vectors) for name, room in rooms.items()},
        limits=MemoryLimits(memory=memory, gpu_memory=gpu_memory),
    )


def _footprint(room: EmbeddedSettings, gpu: bool, *, vectors: bool) -> MemoryFootprint:
    """Estimate a model together with the small one that drafts for it, which has as many slots of the same size."""
    try:
        header = read_header(Path(room.model))
        draft = read_header(Path(room.draft_model)) if room.draft_model else None
    except ConfigurationError:
        return MemoryFootprint()
    gpu = gpu and room.gpu_layers != 0
    footprint = footprint_of(header, room, gpu=gpu)
    if vectors:
        footprint += embedding_footprint(header, room, gpu=gpu)
    if draft is not None:
        footprint += footprint_of(draft, msgspec.structs.replace(room, lora=()), gpu=gpu)
    return footprint

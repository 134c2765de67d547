"""Sizes of embedded models and the memory that they need, read from their files' headers.

Loads nothing. A file that can't be read needs nothing here: its target says so when it is asked to load.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.engine.llama.footprint import MemoryFootprint, embedding_footprint, footprint_of, projector_footprint
from gateway.engine.llama.gguf import Header, read_header
from gateway.engine.llama.memory import SpareMemory, spare_memory
from gateway.local.embedded.models.fit import ModelSize, fitted, kept_limits, sizes, widest_window
from gateway.local.embedded.models.plan import ModelPlan
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.models.eviction import MemoryLimits


class ServerNeed(msgspec.Struct, frozen=True, kw_only=True):
    """What a server takes that the engine does not run, and whether it starts with the gateway."""

    footprint: MemoryFootprint
    at_start: bool


def plan_models(
    rooms: Mapping[str, EmbeddedSettings],
    *,
    memory: int | None,
    gpu_memory: int | None,
    vectors: Collection[str] = (),
    servers: Mapping[str, ServerNeed] = MappingProxyType({}),
    spare: SpareMemory | None = None,
) -> ModelPlan:
    """Choose the sizes that are left to the machine, and estimate what all models need.

    Whether the machine can hold them or not; `problems` says.

    Args:
        rooms: settings by target.
        memory: limit in bytes for all models; None: none.
        gpu_memory: limit in bytes for the part on GPUs; None: none.
        vectors: targets that are meant to make vectors, so that memory for that is planned as well.
        servers: what the servers need that share this memory.
        spare: memory that there is. None: it is measured, if there is something to choose.
    """
    gpu = any(room.gpu_layers for room in rooms.values()) and can_use_gpu()
    if spare is None:
        chooses = any(room.fit_context or room.fit_slots for room in rooms.values())
        spare = spare_memory(gpu=gpu) if chooses else SpareMemory()
    limits = MemoryLimits(memory=memory, gpu_memory=gpu_memory, spare_ram=spare.ram, spare_gpu=spare.gpu)
    models = {
        name: _sizes_of(room, gpu and room.gpu_layers != 0, limits, vectors=name in vectors)
        for name, room in rooms.items()
    }
    models |= {
        name: [ModelSize(settings=None, footprint=need.footprint, at_start=need.at_start)]
        for name, need in servers.items()
    }
    chosen = fitted(models, limits)
    return ModelPlan(
        settings={name: size.settings for name, size in chosen.items() if size.settings is not None},
        footprints={name: size.footprint for name, size in chosen.items()},
        limits=kept_limits(chosen.values(), limits),
        at_start=frozenset(name for name, size in chosen.items() if size.at_start),
    )


def _sizes_of(room: EmbeddedSettings, gpu: bool, limits: MemoryLimits, *, vectors: bool) -> list[ModelSize]:
    """Return the sizes that a model may have, the best first; of a file that can't be read, the usual one."""
    try:
        header = read_header(Path(room.model))
        draft = read_header(Path(room.draft_model)) if room.draft_model else None
    except ConfigurationError:
        return [ModelSize(settings=room, footprint=MemoryFootprint(), at_start=room.load == "start")]
    bounds = (limits.memory, *((limits.spare_gpu, limits.gpu_memory) if gpu else (limits.spare_ram,)))
    known = any(bound is not None for bound in bounds)
    return [
        ModelSize(
            settings=one,
            footprint=_footprint(header, draft, one, gpu, vectors=vectors),
            at_start=room.load == "start",
            roomy=roomy,
        )
        for one, roomy in sizes(room, widest_window(header, gpu=gpu, known=known))
    ]


def _footprint(
    header: Header, draft: Header | None, room: EmbeddedSettings, gpu: bool, *, vectors: bool
) -> MemoryFootprint:
    """Estimate a model together with the small one that drafts for it, which has as many slots of the same size."""
    footprint = footprint_of(header, room, gpu=gpu, draft=draft) + projector_footprint(room, gpu=gpu)
    if vectors:
        footprint += embedding_footprint(header, room, gpu=gpu)
    if draft is not None:
        footprint += footprint_of(draft, msgspec.structs.replace(room, lora=()), gpu=gpu)
    return footprint


def can_use_gpu() -> bool:
    """Tell whether the engine that is installed can use a card."""
    from gateway.engine.llama import model  # loads numpy, which only a gateway with such models needs

    return model.can_use_gpu()

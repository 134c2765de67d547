"""Rule of eviction: whether a model fits beside those that are loaded, and which of them would have to go. Pure.

Idle models go before working ones, the one that was used longest ago first, and no more of them than it takes. When
they may really go is decided by the scheduler; a working one never does.
"""

from collections.abc import Sequence

import msgspec

from gateway.engine.llama.footprint import MemoryFootprint


class MemoryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits in bytes for all models together. None: no limit.

    `memory` and `gpu_memory` (the part of it on GPUs) are configured. `spare_ram` and `spare_gpu` were free when sizes
    were chosen for them: a chosen size fits there alone, and not always beside another one.
    """

    memory: int | None = None
    gpu_memory: int | None = None
    spare_ram: int | None = None
    spare_gpu: int | None = None


class LoadedModel(msgspec.Struct, frozen=True, kw_only=True):
    """Model that has memory."""

    name: str
    footprint: MemoryFootprint
    working: bool
    used: float  # when it was used last, in any clock


class EvictionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of the rule. `possible`: the model fits once all of `evict` have been unloaded."""

    possible: bool
    evict: tuple[str, ...] = ()


def within(limits: MemoryLimits, footprints: Sequence[MemoryFootprint]) -> bool:
    """Say whether these fit together."""
    total, gpu = sum(footprint.total for footprint in footprints), sum(footprint.gpu for footprint in footprints)
    bounds = (
        (total, limits.memory),
        (gpu, limits.gpu_memory),
        (total - gpu, limits.spare_ram),
        (gpu, limits.spare_gpu),
    )
    return all(limit is None or need <= limit for need, limit in bounds)


def plan_eviction(footprint: MemoryFootprint, loaded: Sequence[LoadedModel], limits: MemoryLimits) -> EvictionPlan:
    """Choose which loaded models are evicted for one that needs this much."""
    stays = list(loaded)
    goes: list[LoadedModel] = []
    for candidate in sorted(loaded, key=lambda one: (one.working, one.used)):
        if within(limits, [footprint, *(one.footprint for one in stays)]):
            break
        stays.remove(candidate)
        goes.append(candidate)
    if not within(limits, [footprint, *(one.footprint for one in stays)]):
        return EvictionPlan(possible=False)
    for candidate in tuple(goes):  # one that went early may be too small to matter
        if within(limits, [footprint, candidate.footprint, *(one.footprint for one in stays)]):
            goes.remove(candidate)
            stays.append(candidate)
    return EvictionPlan(possible=True, evict=tuple(one.name for one in goes))


def too_large(need: MemoryFootprint, limits: MemoryLimits) -> str:
    """Return the end of a sentence about a model that does not even fit alone, with what to do."""
    if not need.weights:  # a server, of which only the whole is known
        return (
            f"needs {need.total / 1e9:.1f} GB ({need.gpu / 1e9:.1f} of it on GPUs), and there are {describe(limits)}. "
            "Correct its 'memory' and 'gpu_memory', or give it less to load."
        )
    return (
        f"needs {need.total / 1e9:.1f} GB ({need.weights / 1e9:.1f} weights, {need.cache / 1e9:.1f} KV cache, "
        f"{need.compute / 1e9:.1f} computing; {need.gpu / 1e9:.1f} of it on GPUs), and there are {describe(limits)}. "
        "Turn down 'slots', 'context' or 'gpu_layers', set 'kv_type: q8_0', or take a smaller quantisation."
    )


def describe(limits: MemoryLimits) -> str:
    """Describe the configured limits in words."""
    parts = []
    if limits.memory is not None:
        parts.append(f"{limits.memory / 1e9:.1f} GB (engine.memory)")
    if limits.gpu_memory is not None:
        parts.append(f"{limits.gpu_memory / 1e9:.1f} GB on GPUs (engine.gpu_memory)")
    return " and ".join(parts) or "no limits"

"""The embedded targets as administrators see them: their memory, loading and unloading."""

import time
from collections.abc import Mapping

from gateway.local.embedded.models.scheduler import ModelScheduler
from gateway.local.embedded.target import EmbeddedTarget
from gateway.server import ModelReport, ModelsReport


class ModelAdmin:
    """Asks the owners; owns nothing."""

    def __init__(self, targets: Mapping[str, EmbeddedTarget], memory: ModelScheduler) -> None:
        self._targets = targets
        self._memory = memory

    def report(self) -> ModelsReport:
        """All of them."""
        limits = self._memory.limits
        taken = [target.residency.footprint for target in self._targets.values() if target.residency.resident]
        return ModelsReport(
            models=tuple(self._one(name, target) for name, target in self._targets.items()),
            memory=limits.memory,
            gpu_memory=limits.gpu_memory,
            memory_used=sum(footprint.total for footprint in taken),
            gpu_memory_used=sum(footprint.gpu for footprint in taken),
        )

    async def load(self, target: str, deadline: float) -> None:
        """Returns when it is loaded. Raises TargetUnavailable."""
        await self._targets[target].load(deadline)

    async def unload(self, target: str) -> None:
        """Returns when its memory is back. Raises TargetBusy while it works."""
        await self._targets[target].unload()

    def keep_alive(self, target: str, seconds: float | None) -> None:
        """Unload it after so long without work; None: not by itself."""
        if target in self._targets:
            self._memory.keep_alive(self._targets[target].residency, seconds)

    def _one(self, name: str, target: EmbeddedTarget) -> ModelReport:
        state, model = target.state(), target.residency
        idle = time.monotonic() - model.idle_since if model.resident and not model.leases else None
        plan = self._memory.plan_eviction(model)
        return ModelReport(
            target=name,
            model=target.info.model,
            state=_word(target),
            progress=state.loading,
            memory=model.footprint.total,
            gpu_memory=model.footprint.gpu,
            busy=model.leases,
            waiting=len(model.waiting),
            load=target.starts,
            load_seconds=self._memory.load_seconds(model),
            idle_seconds=idle,
            unloads_in=None if idle is None or model.keep_alive is None else max(0.0, model.keep_alive - idle),
            gives_way=plan.evict if plan.possible else None,
            problem=target.problem,
        )


def _word(target: EmbeddedTarget) -> str:
    state = target.state()
    if target.problem:
        return "failed"
    if target.residency.leaving is not None:
        return "unloading"
    if state.loaded:
        return "loaded"
    return "unloaded" if state.loading is None else "loading"

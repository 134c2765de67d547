"""The embedded targets as administrators see them: their memory, loading and unloading."""

import time
from collections.abc import Mapping

from gateway.local.embedded import EmbeddedTarget
from gateway.local.embedded_memory import ModelMemory
from gateway.server import ModelReport, ModelsReport


class EmbeddedModels:
    """Asks the owners; owns nothing."""

    def __init__(self, targets: Mapping[str, EmbeddedTarget], memory: ModelMemory) -> None:
        self._targets = targets
        self._memory = memory

    def report(self) -> ModelsReport:
        """All of them."""
        limits = self._memory.limits
        taken = [target.seat.need for target in self._targets.values() if target.seat.resident]
        return ModelsReport(
            models=tuple(self._one(name, target) for name, target in self._targets.items()),
            memory=limits.memory,
            gpu_memory=limits.gpu_memory,
            memory_used=sum(need.total for need in taken),
            gpu_memory_used=sum(need.gpu for need in taken),
        )

    async def load(self, target: str, deadline: float) -> None:
        """Returns when it is loaded. Raises TargetUnavailable."""
        await self._targets[target].load(deadline)

    async def unload(self, target: str) -> None:
        """Returns when its memory is back. Raises TargetBusy while it works."""
        await self._targets[target].unload()

    def keep(self, target: str, seconds: float | None) -> None:
        """Unload it after so long without work; None: not by itself."""
        if target in self._targets:
            self._memory.keep(self._targets[target].seat, seconds)

    def _one(self, name: str, target: EmbeddedTarget) -> ModelReport:
        state, seat = target.state(), target.seat
        idle = time.monotonic() - seat.idle_since if seat.resident and not seat.leases else None
        plan = self._memory.fit(seat)
        return ModelReport(
            target=name,
            model=target.info.model,
            state=_word(target),
            progress=state.loading,
            memory=seat.need.total,
            gpu_memory=seat.need.gpu,
            busy=seat.leases,
            waiting=len(seat.waiting),
            load=target.starts,
            load_seconds=self._memory.load_seconds(seat),
            idle_seconds=idle,
            unloads_in=None if idle is None or seat.keep is None else max(0.0, seat.keep - idle),
            gives_way=plan.gives_way if plan.possible else None,
            problem=target.problem,
        )


def _word(target: EmbeddedTarget) -> str:
    state = target.state()
    if target.problem:
        return "failed"
    if target.seat.leaving is not None:
        return "unloading"
    if state.loaded:
        return "loaded"
    return "unloaded" if state.loading is None else "loading"

"""Head start of the engine: a model loads in its own process while this one still imports the rest of the gateway.

Imports little, for whatever this file needs delays the model.
"""

import asyncio
import contextlib
from collections.abc import Mapping

from gateway.app.models.settings import embedded_settings
from gateway.core.errors import AduanaError
from gateway.ledger.lock import OwnerLock
from gateway.local.embedded.models.plan import ModelPlan
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.settings import Settings
from gateway.settings.targets import EmbeddedTargetConfig


def _plan(settings: Settings) -> ModelPlan:
    from gateway.app.models.plan import holding  # loads llama.cpp, so not before the worker's process has begun

    return holding(settings)


class HeadStart:
    """Worker of the first embedded target that loads at start, and lock of the state directory, both taken early.

    Where no such target is configured, neither is taken. A problem found here is not reported: the start of the gateway
    meets it again and reports it.
    """

    def __init__(self, settings: Settings, locked: int | None = None) -> None:
        """Begin nothing yet. `locked`: descriptor of the lock, where somebody holds it for this process already."""
        self.lock = OwnerLock(settings.state_dir, locked)
        self._settings = settings
        self._workers: dict[str, WorkerSupervisor] = {}
        self._planning: asyncio.Task[ModelPlan] | None = None
        self._sizing: asyncio.Task[None] | None = None

    async def plan(self) -> ModelPlan:
        """Return the sizes of all models: made once, so that worker and gateway have the same numbers.

        Raises:
            ConfigurationError: A model file is missing, or the memory can't hold the models.
        """
        if self._planning is None:
            self._planning = asyncio.create_task(asyncio.to_thread(_plan, self._settings), name="sizes of models")
        return await asyncio.shield(self._planning)

    @property
    def workers(self) -> Mapping[str, WorkerSupervisor]:
        """Return the worker by its target's name. Whoever takes it over may close it, too."""
        return self._workers

    def begin(self) -> None:
        """Take the lock and start the worker; return at once."""
        targets = self._settings.targets.items()
        embedded = ((name, target) for name, target in targets if isinstance(target, EmbeddedTargetConfig))
        first = next(((name, target) for name, target in embedded if target.load == "start"), None)
        if first is None:
            return
        name, target = first
        with contextlib.suppress(AduanaError, OSError):
            sized: asyncio.Future[EmbeddedSettings] = asyncio.get_running_loop().create_future()
            worker = WorkerSupervisor(name, embedded_settings(self._settings, name, target), sized=sized)
            self.lock.take()  # INVARIANT: before the worker begins, which erases what another's has in this directory
            worker.begin()
            self._workers[name] = worker
            self._sizing = asyncio.create_task(self._size(name, sized), name="size of the first model")

    async def _size(self, name: str, sized: asyncio.Future[EmbeddedSettings]) -> None:
        """Give the worker the size of its model; without one (a file is missing) it waits until it is closed."""
        with contextlib.suppress(AduanaError, OSError):
            plan = await self.plan()
            if not sized.done():
                sized.set_result(plan.settings[name])

    async def stop(self) -> None:
        """End the worker, whoever has it by now, and what still chooses sizes. Safe to call twice."""
        for worker in self._workers.values():
            await worker.close()
        tasks = [task for task in (self._sizing, self._planning) if task is not None]
        self._sizing = self._planning = None
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """End the worker and let the lock go. Safe to call twice."""
        await self.stop()
        self.lock.release()

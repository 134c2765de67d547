"""Head start of the engine: a model loads in its own process while this one still imports the rest of the gateway.

Imports little, for whatever this file needs delays the model.
"""

import contextlib
from collections.abc import Mapping

from gateway.app.embedded_settings import embedded_settings
from gateway.core.errors import AduanaError
from gateway.ledger.lock import OwnerLock
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.settings import Settings
from gateway.settings.targets import EmbeddedTargetConfig


class HeadStart:
    """Worker of the first embedded target that loads at start, and the state directory's lock, both taken early.

    Nothing of either where no such target is configured. What is wrong here is left to the start, which finds it again
    and says so.
    """

    def __init__(self, settings: Settings) -> None:
        self.lock = OwnerLock(settings.state_dir)
        self._settings = settings
        self._workers: dict[str, WorkerSupervisor] = {}

    @property
    def workers(self) -> Mapping[str, WorkerSupervisor]:
        """Return the worker by its target's name. Whoever takes it over may close it, too."""
        return self._workers

    def begin(self) -> None:
        """Take the lock and start the worker; return at once."""
        chosen = next(
            (
                (name, target)
                for name, target in self._settings.targets.items()
                if isinstance(target, EmbeddedTargetConfig) and target.load == "start"
            ),
            None,
        )
        if chosen is None:
            return
        name, target = chosen
        with contextlib.suppress(AduanaError, OSError):
            worker = WorkerSupervisor(name, embedded_settings(self._settings, name, target))
            self.lock.take()  # INVARIANT: before the worker begins, which erases what another's has in this directory
            worker.begin()
            self._workers[name] = worker

    async def stop(self) -> None:
        """End the worker, whoever has it by now. Safe to call twice."""
        for worker in self._workers.values():
            await worker.close()

    async def close(self) -> None:
        """End the worker and let the lock go. Safe to call twice."""
        await self.stop()
        self.lock.release()

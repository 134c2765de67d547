"""Carry out what the scheduler of models decides: start and end what holds them, wake requests, keep the timer."""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol, assert_never

from gateway.core.errors import TargetUnavailable
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.models.effects import (
    EvictModel,
    LoadModel,
    ModelEffect,
    RefuseRequest,
    SetTimer,
    WakeRequest,
)
from gateway.local.models.eviction import MemoryLimits
from gateway.local.models.residency import ModelResidency
from gateway.local.models.scheduler import ModelScheduler


class ModelWorker(Protocol):
    """What holds a model in memory."""

    def begin(self) -> None:
        """Start loading; return at once."""

    def close(self) -> Awaitable[None]:
        """Return when the memory is back. Nothing happens to a worker that never began or was closed before."""


class ModelPool:
    """Pool of models in one memory: a request leases its model from its first step to its last.

    `turn` and `grace` (seconds): see `ModelScheduler`. `clock` gives monotonic seconds.
    """

    def __init__(
        self,
        limits: MemoryLimits | None = None,
        *,
        turn: float = 10.0,
        grace: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scheduler = ModelScheduler(limits, turn=turn, grace=grace)
        self._clock = clock
        self._workers: dict[str, ModelWorker] = {}
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[RefuseRequest | None]] = {}  # by request; None: it may work
        self._unloading: dict[str, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limits(self) -> MemoryLimits:
        """Bytes for all models together."""
        return self._scheduler.limits

    def add(
        self, name: str, worker: ModelWorker, footprint: MemoryFootprint, *, unload_after: float | None = None
    ) -> None:
        """Add a model that is not loaded yet. `unload_after`: idle seconds; None: only when another needs the room."""
        self._workers[name] = worker
        self._scheduler.add(name, footprint, unload_after=unload_after)

    def start(self, name: str) -> None:
        """Load a model now, without evicting another."""
        self._carry_out(self._scheduler.start(name, self._clock()))

    @asynccontextmanager
    async def lease(self, name: str, until: float) -> AsyncGenerator[None, None]:
        """Keep a model in memory; it may still be loading. `until`: how long to wait for that, in the loop's clock.

        Raises:
            TargetUnavailable: its turn does not come in time, or it can't fit at all.
        """
        loop = asyncio.get_running_loop()
        request = next(self._numbers)
        answer = self._waiting[request] = loop.create_future()
        try:
            self._carry_out(self._scheduler.request(request, name, self._clock()))
            if not answer.done():
                await asyncio.wait([answer], timeout=max(0.0, until - loop.time()))
            if not answer.done():
                self._carry_out(self._scheduler.expired(request, self._clock()))
            refusal = answer.result()
            if refusal is not None:
                raise TargetUnavailable(refusal.reason, retry_after=refusal.retry_after)
            yield
        finally:
            del self._waiting[request]
            self._carry_out(self._scheduler.released(request, self._clock()))

    async def unload(self, name: str) -> None:
        """Unload a model now; return when its memory is back.

        Raises:
            TargetBusy: requests work with it or wait for it.
        """
        self._carry_out(self._scheduler.unload(name))
        await self._unloaded(name)

    async def close(self, name: str) -> None:
        """Unload a model for good, at work or not; return when its memory is back."""
        self._carry_out(self._scheduler.closed(name, self._clock()))
        await self._unloaded(name)
        await self._workers[name].close()  # a person's retry may have begun it again

    def keep_alive(self, name: str, seconds: float | None) -> None:
        """Unload a model once it was idle for so long; None: only when another needs the room. Until its next load."""
        self._carry_out(self._scheduler.keep_alive(name, seconds, self._clock()))

    def load_finished(self, name: str, *, seconds: float | None) -> None:
        """Note that a model is loaded, after `seconds`. None: it could not be; nothing, if it was loaded before."""
        self._carry_out(self._scheduler.load_finished(name, seconds, self._clock()))

    def tick(self) -> None:
        """Do what is due now."""
        self._carry_out(self._scheduler.tick(self._clock()))

    def residency(self, name: str) -> ModelResidency:
        """Return how a model stands now."""
        return self._scheduler.residency(name, self._clock())

    def _carry_out(self, effects: Iterable[ModelEffect]) -> None:
        for effect in effects:
            match effect:
                case LoadModel():
                    self._workers[effect.model].begin()
                case EvictModel():
                    task = asyncio.get_running_loop().create_task(
                        self._unload(effect.model), name=f"unloading {effect.model}"
                    )
                    self._unloading[effect.model] = task
                case WakeRequest():
                    self._waiting[effect.request].set_result(None)
                case RefuseRequest():
                    self._waiting[effect.request].set_result(effect)
                case SetTimer():
                    self._set_timer(effect.at)
                case _:
                    assert_never(effect)

    async def _unload(self, name: str) -> None:
        try:
            await self._workers[name].close()
        finally:
            del self._unloading[name]
            self._carry_out(self._scheduler.unloaded(name, self._clock()))

    async def _unloaded(self, name: str) -> None:
        task = self._unloading.get(name)
        if task is not None:
            await asyncio.wait([task])

    def _set_timer(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            self._timer = asyncio.get_running_loop().call_later(at - self._clock(), self.tick)

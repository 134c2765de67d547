"""Target that hears: a speech model that this machine runs itself, in a process of its own. Local always."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

from gateway.core.delta import Delta, Finish, FinishReason, Text, Transcript, UsageReport
from gateway.core.progress import Progress
from gateway.core.request import AnyMediaRequest, TranscriptionRequest
from gateway.core.target import TargetInfo, TargetState
from gateway.core.usage import Usage
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.models.events import WorkerEvent, WorkerEventKind, WorkerListener
from gateway.local.models.pool import ModelPool
from gateway.local.models.residency import ModelResidency
from gateway.local.speech.orders import order_of, transcript_fields
from gateway.local.speech.process import SpeechWorker
from gateway.local.speech.settings import SpeechTargetSettings
from gateway.local.timely import timely
from gateway.local.wordless import WordlessTarget
from gateway.speech.messages import Hear
from gateway.speech.transcript import Hearing, Segment


class SpeechTarget(WordlessTarget):
    """One speech model. Owns its worker and the queue before it; its memory is leased from the pool of all models."""

    def __init__(
        self,
        info: TargetInfo,
        settings: SpeechTargetSettings,
        *,
        listener: WorkerListener | None = None,
        models: ModelPool | None = None,
        footprint: MemoryFootprint | None = None,
        worker: SpeechWorker | None = None,
    ) -> None:
        """Make the target; nothing is loaded yet.

        Args:
            info: What the rest of the gateway knows about it.
            settings: Its model, queue and worker.
            listener: Hears every change in the life of the worker.
            models: The memory that it shares with other models.
            footprint: What the model takes of that memory.
            worker: One that has the model; None: a process of its own.
        """
        super().__init__(info, "hears", slots=settings.slots, queue=settings.queue, queue_wait=settings.queue_wait)
        self._settings = settings
        self._listener = listener
        self._worker = worker or SpeechWorker(info.name, settings, self.happened)
        self._models = models or ModelPool()
        self._models.add(info.name, self._worker, footprint or MemoryFootprint(), unload_after=settings.unload_after)

    async def start(self) -> None:
        """Begin to load, unless that waits for the first recording; return at once."""
        if self._settings.load == "start":
            self._models.start(self._info.name)

    async def close(self) -> None:
        """End the worker and give all memory back."""
        await self._models.close(self._info.name)

    @property
    def residency(self) -> ModelResidency:
        """How its model stands in the memory that all models share."""
        return self._models.residency(self._info.name)

    @property
    def starts(self) -> str:
        """When the model is loaded: start, on_demand."""
        return self._settings.load

    @property
    def problem(self) -> str:
        """Why it can't hear, for whoever runs the gateway; empty: it can, or is about to."""
        return self._worker.problem

    async def load(self, deadline: float) -> None:
        """Load the model, as a recording would; return when it can hear. `deadline` is in the loop's clock.

        Raises:
            TargetUnavailable: It can't be loaded, or not in time.
        """
        async with self._models.lease(self._info.name, deadline):
            await self._worker.wait_ready(deadline)

    async def unload(self) -> None:
        """Give the memory back; the next recording loads the model again.

        Raises:
            TargetBusy: Recordings are heard with it or wait for it.
        """
        await self._models.unload(self._info.name)

    def state(self) -> TargetState:
        """Say how the target is doing."""
        residency = self.residency
        worker, ready = self._worker, self._worker.ready is not None
        wait, to_load = self._slots.expected_wait(), 0.0 if ready and residency.open else residency.expected_wait
        retry_in = None if worker.retry_at is None else max(0.0, worker.retry_at - time.monotonic())
        return TargetState(
            healthy=not worker.problem,
            queue_depth=self._slots.waiting,
            queue_wait_seconds=None if wait is None or to_load is None else wait + to_load,
            slots_busy=self._slots.busy,
            slots_total=self._settings.slots,
            loaded=ready,
            load_seconds=None if ready else residency.load_seconds,
            loading=0.0 if residency.resident and not ready and not worker.problem else None,
            memory=residency.footprint.total or None,
            latency_seconds=self._throughput.latency_seconds,
            problem=worker.public_problem,
            retry_in=retry_in,
        )

    async def exchange(
        self,
        request: AnyMediaRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the transcript of a recording, segment by segment. `deadline` is in the loop's clock.

        Raises:
            BadRequest: The recording can't be heard.
            TargetBusy: There is no place in the queue.
            TargetError: The model can't be loaded, or fails.
            TargetTimeout: It took longer than the deadline.
        """
        if not isinstance(request, TranscriptionRequest):
            raise self.unable()
        order = await asyncio.to_thread(order_of, request, self._settings.language)
        segments: list[Segment] = []
        heard = self.hear(order, deadline=deadline, isolation=isolation, priority=priority)
        async with contextlib.aclosing(heard) as items:
            async for item in items:
                if isinstance(item, Segment):
                    segments.append(item)
                    yield Text(text=item.text)
                    continue
                yield Transcript(fields=transcript_fields(segments, item))
                yield Finish(reason=FinishReason.STOP)
                tokens = sum(len(segment.tokens) for segment in segments)
                yield UsageReport(usage=Usage(output=tokens, heard_seconds=item.seconds))

    async def hear(
        self, order: Hear, *, deadline: float, isolation: str, priority: int = 0
    ) -> AsyncGenerator[Segment | Hearing, None]:
        """Yield what a recording says, segment by segment, and at last what is known of it; raises as `exchange`.

        `deadline` is in the loop's clock.
        """
        until = min(deadline, asyncio.get_running_loop().time() + self._settings.load_wait)
        late = f"The recording took {self._info.name!r} too long."
        async with (
            self._slots.slot(isolation, priority, deadline),
            self._models.lease(self._info.name, until),
        ):
            await self._worker.wait_ready(until)
            begun, first = time.monotonic(), True
            async with contextlib.aclosing(timely(self._worker.hear(order), deadline, late)) as heard:
                async for item in heard:
                    if first:
                        self._throughput.started(time.monotonic() - begun)
                        first = False
                    yield item

    def happened(self, event: WorkerEvent) -> None:
        """Tell the pool and the listener what happens to the worker."""
        match event.kind:
            case WorkerEventKind.READY:
                self._models.load_finished(event.target, seconds=event.seconds)
            case WorkerEventKind.DIED | WorkerEventKind.FAILED:
                self._models.load_finished(event.target, seconds=None)
            case _:
                pass
        if self._listener is not None:
            self._listener(event)

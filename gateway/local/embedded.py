"""The embedded target: a model that this machine runs itself. Local always; it takes requests, never clearances."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec
import structlog

from gateway.core.delta import Delta, Embeddings, FinishReason, Ranking, UsageReport
from gateway.core.errors import (
    AduanaError,
    BadRequest,
    ConfigurationError,
    ContextLengthExceeded,
    TargetError,
    TargetTimeout,
    TargetUnavailable,
)
from gateway.core.progress import Progress
from gateway.core.request import AnyRequest, EmbeddingsRequest, GenerateRequest, RerankRequest
from gateway.core.target import TargetInfo, TargetState
from gateway.engine.messages import Embed, End, Ready, Submit, Vectors, pack_tokens
from gateway.engine.vocabulary import Vocabulary
from gateway.local.embedded_admission import Admission
from gateway.local.embedded_answer import Choice, Count, joined_texts
from gateway.local.embedded_events import WorkerEvent, WorkerEventKind, WorkerListener
from gateway.local.embedded_link import Item, Mailbox
from gateway.local.embedded_pace import Pace
from gateway.local.embedded_prompts import Prepared, Prompts, characters_of
from gateway.local.embedded_settings import EmbeddedSettings
from gateway.local.embedded_submit import choices_of, echoes, submits_of
from gateway.local.embedded_vectors import refuse_unable, usage_of, vector_of
from gateway.local.embedded_worker import EngineWorker

LOG = structlog.get_logger("aduana.engine")


class EmbeddedTarget:
    """A target whose model runs in a worker process of its own.

    `EmbeddedTarget(info, settings, listener=None)`: `info` as the policy sees it; `settings.model` is the path of a
    GGUF file (see `gateway.local.embedded_models.model_path`); `listener` hears every `WorkerEvent` (for metrics:
    kind DIED or FAILED with `cause`, `restarts`). What happens to the worker is logged here already.

    `start` returns at once and never raises: while the model loads, and after a failure, `state` says so and requests
    get 503. `worker_restarts` and `last_cause` can be read at any time.
    """

    def __init__(self, info: TargetInfo, settings: EmbeddedSettings, *, listener: WorkerListener | None = None) -> None:
        self.info = info
        self._settings = settings
        self._listener = listener
        self._pace = Pace()
        self._admission = Admission(info.name, settings, self._pace)
        self._worker = EngineWorker(info.name, settings, self._heard, self._admission.crashed_with)
        self._prompts = Prompts(Path(settings.model), settings.context)
        self._opening = asyncio.Lock()
        self._shown = -1
        self._opened: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to load; returns at once."""
        await self._worker.start()

    async def close(self) -> None:
        """Stops the worker and gives all memory back; running requests get an error."""
        await self._worker.close()
        if self._opened is not None:
            await asyncio.wait([self._opened])
        self._prompts.close()

    @property
    def worker_restarts(self) -> int:
        """How often the worker had to be started again."""
        return self._worker.restarts

    @property
    def last_cause(self) -> str:
        """Why it had to, the last time: `signal_9`, `exit_3`, `load`; empty: never."""
        return self._worker.last_cause

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while there is one."""
        return self._worker.pid

    def state(self) -> TargetState:
        """Facts for the policy. `healthy`: a request that comes now is answered, perhaps after a short wait."""
        worker, slots = self._worker, self._settings.slots
        ready = worker.ready is not None
        waiting = max(0, worker.outstanding - slots)
        return TargetState(
            healthy=not worker.problem,
            queue_depth=waiting,
            queue_wait_seconds=self._pace.expected_wait(worker.outstanding, slots),
            slots_busy=min(worker.outstanding, slots),
            slots_total=slots,
            loaded=ready,
            load_seconds=None if ready else self._pace.load_seconds,
            tokens_per_second=self._pace.tokens_per_second,
            latency_seconds=self._pace.latency_seconds,
        )

    async def prompt_tokens(self, request: AnyRequest) -> int | None:
        """Exact length of the prompt (the longest, where a request has several). None while the model loads.

        What is far too long is not tokenised: it counts by its characters.
        """
        try:
            if self._prompts.vocabulary is None:
                if self._worker.ready is None:
                    return None
                await self._open(self._worker.ready)
            prepared = await self._prompts.prepare(request)
        except ContextLengthExceeded:
            return max(self._settings.context, characters_of(request) // 4)
        except (BadRequest, TargetUnavailable):
            return None  # the answer to the request itself says what is wrong
        return max(len(prompt) for prompt in prepared.prompts)

    async def generate(
        self,
        request: GenerateRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """The answer. Closing the generator cancels within one step. A higher `priority` waits less for a slot.

        Raises TargetError and its kin, ContextLengthExceeded, BadRequest.
        """
        prepared, vocabulary = await self._prepared(request, deadline)
        self._prompts.forget(request)
        box = Mailbox()
        choices = choices_of(request, prepared, vocabulary)
        submits = submits_of(
            request,
            prepared,
            self._settings,
            vocabulary,
            isolation=isolation,
            seed=secrets.randbits(62),
            next_id=self._worker.next_id,
        )
        if priority:
            submits = [msgspec.structs.replace(submit, priority=priority) for submit in submits]
        self._admission.admit(submits, self._worker.outstanding)
        loop = asyncio.get_running_loop()
        late = TargetTimeout(f"The embedded target {self.info.name!r} did not finish in time.")
        timer = loop.call_at(deadline, box.put, late)
        began = time.monotonic()
        usage = Count([len(prompt) for prompt in prepared.prompts], request.sampling.n)
        try:
            self._worker.send(submits, box)
            running = {submit.id: choice for submit, choice in zip(submits, choices, strict=True)}
            for text in echoes(request, prepared, choices, vocabulary):
                yield text
            while running:
                for delta in self._deltas(await box.take(), running, usage, began):
                    yield delta
            yield UsageReport(usage=usage.usage(choices))
        finally:
            timer.cancel()
            self._release(submits)

    async def embed(self, request: EmbeddingsRequest, *, deadline: float) -> Embeddings:
        """Normalised vectors, cut to `dimensions` where asked for."""
        prepared, raw = await self._pooled(request, deadline)
        return Embeddings(vectors=tuple(vector_of(one, request.dimensions) for one in raw), usage=usage_of(prepared))

    async def rerank(self, request: RerankRequest, *, deadline: float) -> Ranking:
        """How well each text answers the query, 0 to 1. Raises BadRequest where the model can't rank."""
        prepared, raw = await self._pooled(request, deadline)
        return Ranking(scores=tuple(vector_of(one)[0] for one in raw), usage=usage_of(prepared))

    async def _pooled(
        self, request: EmbeddingsRequest | RerankRequest, deadline: float
    ) -> tuple[Prepared, tuple[bytes, ...]]:
        """What the model made of each prompt."""
        prepared, _ = await self._prepared(request, deadline)
        self._prompts.forget(request)
        box = Mailbox()
        number = self._worker.next_id()
        message = Embed(id=number, inputs=tuple(pack_tokens(prompt) for prompt in prepared.prompts))
        self._admission.admit([message], self._worker.outstanding)
        try:
            async with asyncio.timeout_at(deadline):
                self._worker.send([message], box)
                (answer,) = await box.take()
        except TimeoutError:
            raise TargetTimeout(f"The embedded target {self.info.name!r} did not finish in time.") from None
        finally:
            self._release([message])
        if isinstance(answer, AduanaError):
            raise answer
        assert isinstance(answer, Vectors)
        if answer.error is not None:
            raise TargetError(answer.error)
        return prepared, answer.vectors

    # Preparing

    async def _prepared(self, request: AnyRequest, deadline: float) -> tuple[Prepared, Vocabulary]:
        ready = await self._worker.wait_ready(deadline)
        refuse_unable(request, ready, self.info.name)
        await self._open(ready)
        prepared = await self._prompts.prepare(request)
        longest = max(len(prompt) for prompt in prepared.prompts)
        if longest >= ready.context:
            raise ContextLengthExceeded(
                f"The prompt has {longest} tokens; the window of {self.info.model!r} here is {ready.context} tokens, "
                "prompt and answer together."
            )
        assert self._prompts.vocabulary is not None
        return prepared, self._prompts.vocabulary

    async def _open_early(self) -> None:
        with contextlib.suppress(TargetUnavailable):  # logged where it was raised
            if self._worker.ready is not None:
                await self._open(self._worker.ready)

    async def _open(self, ready: Ready) -> None:
        if self._prompts.vocabulary is None:
            async with self._opening:
                try:
                    await self._prompts.open(ready.context)
                except ConfigurationError as error:
                    LOG.error("the vocabulary can't be read", target=self.info.name, reason=error.message)
                    raise TargetUnavailable(
                        f"The vocabulary of {self.info.model!r} can't be read; the gateway's log says why."
                    ) from error

    def _release(self, messages: Sequence[Submit | Embed]) -> None:
        self._worker.cancel([message.id for message in messages])
        self._admission.release(messages)

    # Answering

    def _deltas(self, items: list[Item], running: dict[int, Choice], usage: Count, began: float) -> list[Delta]:
        deltas: list[Delta] = []
        for item in items:
            match item:
                case (int(number), int(token), log) if number in running:
                    choice = running[number]
                    deltas += choice.token(token, log)
                    if choice.stopped:
                        del running[number]
                        deltas += choice.finish(FinishReason.STOP)
                        self._worker.cancel([number])
                case (int(number), int(cached)) if number in running:
                    usage.cached.setdefault(running[number].index, cached)
                    self._pace.started(time.monotonic() - began)
                case End() if item.id in running:
                    choice = running.pop(item.id)
                    self._worker.finished(item.id)
                    if item.error is not None:
                        raise TargetError(item.error)
                    self._pace.ended(item)
                    deltas += choice.finish(item.reason)
                case AduanaError():
                    raise item
                case _:
                    pass  # tokens of a sequence that was cancelled meanwhile
        return joined_texts(deltas)

    def _heard(self, event: WorkerEvent) -> None:
        match event.kind:
            case WorkerEventKind.READY:
                self._pace.load_seconds = event.seconds
                if self._opened is None:  # so that the first request need not wait for it
                    self._opened = asyncio.get_running_loop().create_task(self._open_early())
                LOG.info("model ready", target=event.target, model=self.info.model, seconds=event.seconds)
            case WorkerEventKind.LOADING:
                if int(event.fraction * 10) != self._shown:
                    self._shown = int(event.fraction * 10)
                    LOG.info("model loading", target=event.target, percent=round(event.fraction * 100))
            case WorkerEventKind.DIED:
                LOG.error("engine worker died", target=event.target, cause=event.detail, restart_in=event.seconds)
            case WorkerEventKind.FAILED:
                LOG.error("model can't be loaded", target=event.target, reason=event.detail, retry_in=event.seconds)
            case WorkerEventKind.STOPPED:
                LOG.info("engine stopped", target=event.target)
        if self._listener is not None:
            self._listener(event)

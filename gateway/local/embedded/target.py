"""Embedded target: a model that this machine runs itself. Local always; it takes requests, never clearances."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from gateway.core.delta import Decisions, Delta, Embeddings, Ranking, Tokenized, UsageReport
from gateway.core.errors import (
    AduanaError,
    BadRequest,
    ConfigurationError,
    ContextLengthExceeded,
    TargetBusy,
    TargetError,
    TargetLacksEndpoint,
    TargetTimeout,
    TargetUnavailable,
)
from gateway.core.progress import Progress
from gateway.core.request import (
    AnyMediaRequest,
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    GenerateRequest,
    RerankRequest,
    TokenizeRequest,
)
from gateway.core.route import Room
from gateway.core.target import TargetInfo, TargetState
from gateway.engine.llama.footprint import MemoryFootprint
from gateway.engine.llama.vocabulary import Vocabulary
from gateway.engine.messages import Embed, Ready, Submit, Vectors, pack_tokens
from gateway.local.embedded.admission import Admission
from gateway.local.embedded.media import MediaMeter
from gateway.local.embedded.pooling import refuse_unable, usage_of, vector_of
from gateway.local.embedded.process.mailbox import Mailbox
from gateway.local.embedded.process.stream import ResponseStream
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.status import state_of
from gateway.local.embedded.text.chat_template import ChatTemplate
from gateway.local.embedded.text.input import choices_of, echoes, number_of_choices, submits_of
from gateway.local.embedded.text.output import Count
from gateway.local.embedded.text.prompts import Prepared, Prompts, characters_of
from gateway.local.embedded.worker_log import LOG, WorkerLog
from gateway.local.models.events import WorkerEvent, WorkerEventKind, WorkerListener
from gateway.local.models.pool import ModelPool
from gateway.local.models.residency import ModelResidency
from gateway.local.throughput import Throughput
from gateway.upstream.fast_path import FastPath


class EmbeddedTarget:
    """Target whose model runs in a worker process of its own.

    `start` returns at once and never raises: while the model loads, and after a failure, `state` says so and requests
    get 503.
    """

    def __init__(
        self,
        info: TargetInfo,
        settings: EmbeddedSettings,
        *,
        listener: WorkerListener | None = None,
        models: ModelPool | None = None,
        footprint: MemoryFootprint | None = None,
        worker: WorkerSupervisor | None = None,
    ) -> None:
        """Make the target; nothing is loaded yet, but by `worker`.

        Args:
            info: what the rest of the gateway knows about it.
            settings: `model` is the path of a GGUF file (`gateway.local.embedded.models.files.model_path`).
            listener: hears every `WorkerEvent`, for metrics; the log is written here.
            models: the memory that it shares with the other embedded targets.
            footprint: what this model takes of that memory.
            worker: one with the same name and settings that has begun already. From `start` on it is this target's.
        """
        self.info = info
        self._settings = settings
        self._listener = listener
        self._log = WorkerLog(info.model, settings.slots, settings.context)
        self._throughput = Throughput()
        self._admission = Admission(info.name, settings, self._throughput)
        self._worker = worker or WorkerSupervisor(info.name, settings)
        self._prompts = Prompts(Path(settings.model), settings.context, info.model)
        self._media = MediaMeter(self._worker, self._admission)
        self._opening = asyncio.Lock()
        self._opened: asyncio.Task[None] | None = None
        self._models = models or ModelPool()
        self._models.add(info.name, self._worker, footprint or MemoryFootprint(), unload_after=settings.unload_after)
        if worker is None:
            self._follow()

    async def start(self) -> None:
        """Begin to load, unless that waits for the first request; return at once."""
        if self._settings.load == "start":
            self._models.start(self.info.name)
        self._follow()

    async def close(self) -> None:
        """Stop the worker and give all memory back; running requests get an error."""
        await self._models.close(self.info.name)
        if self._opened is not None:
            await asyncio.wait([self._opened])
        self._prompts.close()

    @property
    def residency(self) -> ModelResidency:
        """How its model stands in the memory that all embedded targets share."""
        return self._models.residency(self.info.name)

    @property
    def context(self) -> int:
        """Window of one conversation in tokens: as it is loaded, else as it will be."""
        return self._worker.ready.context if self._worker.ready is not None else self._settings.context

    @property
    def ready(self) -> Ready | None:
        """What its worker said of the model; None: it is not loaded."""
        return self._worker.ready

    @property
    def thinks(self) -> bool:
        """Whether the model's template has a place for thoughts; False as long as nobody has loaded it."""
        return self.template is not None and self.template.format.thinks

    @property
    def template(self) -> ChatTemplate | None:
        """The model's chat template; None as long as nobody has loaded it."""
        return self._prompts.template

    @property
    def starts(self) -> str:
        """When the model is loaded: start, on_demand."""
        return self._settings.load

    @property
    def problem(self) -> str:
        """Why it can't answer, for whoever runs the gateway; empty: it can, or is about to."""
        return self._worker.problem

    async def load(self, deadline: float) -> None:
        """Load the model, as a request would; one that has failed is tried again. Return when it can answer.

        Raises:
            TargetUnavailable: it can't be loaded, or not before `deadline` (seconds of the loop's clock).
        """
        async with self._leased(deadline, retry=True):
            pass

    async def unload(self) -> None:
        """Give the memory back; the next request loads the model again.

        Raises:
            TargetBusy: requests work with it or wait for it.
        """
        await self._models.unload(self.info.name)

    def state(self) -> TargetState:
        """Return facts for the policy. `healthy`: a request that comes now is answered, perhaps after a load."""
        return state_of(self._worker, self._settings.slots, self._throughput, self.residency, time.monotonic())

    async def prompt_tokens(self, request: AnyRequest, *, isolation: str = "") -> int | None:
        """Count the tokens of the prompt (the longest, where a request has several). None while the model loads.

        What is far too long is not tokenised: it counts by its characters.
        """
        if isinstance(request, TokenizeRequest):
            return 0
        try:
            ready = self._worker.ready
            if ready is None and (self._prompts.vocabulary is None or request.media):
                return None
            prepared = await self._prepare(request, ready, isolation)
        except ContextLengthExceeded:
            return max(self._settings.context, characters_of(request) // 4)
        except (BadRequest, TargetError):
            return None  # the answer to the request itself says what is wrong
        return max(len(prompt) for prompt in prepared.prompts)

    def refusal(self, request: AnyRequest, *, isolation: str, priority: int = 0) -> TargetBusy | None:
        """Return why there is no place for a request now; None: there is one, or another error says more."""
        try:
            count = number_of_choices(request) if isinstance(request, ChatRequest | CompletionRequest) else 1
        except BadRequest:
            return None
        return self._admission.refusal(isolation, count, priority=priority)

    def room(self, isolation: str) -> Room:
        """Return the places that a key has left here."""
        return self._admission.room(isolation)

    async def generate(
        self,
        request: GenerateRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
        fast: FastPath | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer. Closing the generator cancels it within one step.

        Args:
            request: what to answer.
            deadline: when it must have ended, in seconds of the loop's clock.
            isolation: only requests with the same key share cached prompts.
            priority: a higher one waits less for a slot.
            progress: counts tokens as they are read and written.
            fast: is not used.

        Raises:
            TargetError: the worker failed; also its kin, such as TargetUnavailable, TargetBusy and TargetTimeout.
            ContextLengthExceeded: the prompt does not fit the window.
            BadRequest: this model can't do what was asked for.
        """
        async with self._placed(isolation, number_of_choices(request), priority, deadline) as ready:
            prepared, vocabulary = await self._prepared(request, ready, isolation)
            self._prompts.forget(request)
            mailbox = Mailbox()
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
            self._admission.admit(submits)
            loop = asyncio.get_running_loop()
            late = TargetTimeout(f"The embedded target {self.info.name!r} did not finish in time.")
            timer = loop.call_at(deadline, mailbox.put, late)
            usage = Count([len(prompt) for prompt in prepared.prompts], request.sampling.n)
            numbers = [number for submit in submits for number in submit.ids]
            running = dict(zip(numbers, choices, strict=True))
            stream = ResponseStream(running, usage, self._throughput, self._worker, progress or Progress())
            try:
                self._worker.send(submits, mailbox)
                for text in echoes(request, prepared, choices, vocabulary):
                    yield text
                while running:
                    for delta in stream.deltas(await mailbox.take()):
                        yield delta
                if any(choice.unreadable for choice in choices):
                    LOG.warning("a tool call could not be read; it stays text", target=self.info.name)
                yield UsageReport(usage=usage.usage(choices))
            finally:
                timer.cancel()
                self._release(submits)

    def exchange(
        self,
        request: AnyMediaRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Refuse: llama.cpp makes no pictures and no sound.

        Raises:
            TargetLacksEndpoint: always.
        """
        raise TargetLacksEndpoint(f"The embedded target {self.info.name!r} makes no pictures and no sound.")

    async def embed(
        self,
        request: EmbeddingsRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Embeddings:
        """Return normalised vectors, cut to `dimensions` where asked for.

        Raises:
            TargetError: the worker failed; also its kin.
            BadRequest: the model makes no vectors.
        """
        prepared, raw = await self._pooled(request, deadline, isolation, priority)
        return Embeddings(vectors=tuple(vector_of(one, request.dimensions) for one in raw), usage=usage_of(prepared))

    async def rerank(
        self,
        request: RerankRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Ranking:
        """Return how well each text answers the query, 0 to 1.

        Raises:
            TargetError: the worker failed; also its kin.
            BadRequest: the model can't rank.
        """
        prepared, raw = await self._pooled(request, deadline, isolation, priority)
        return Ranking(scores=tuple(vector_of(one)[0] for one in raw), usage=usage_of(prepared))

    async def decide(
        self,
        request: DecisionsRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Decisions:
        """Refuse: decision models run on servers of their own.

        Raises:
            TargetLacksEndpoint: always.
        """
        raise TargetLacksEndpoint(f"The target {self.info.name!r} can't be asked for decisions.")

    async def tokenize(self, request: TokenizeRequest, *, deadline: float, isolation: str = "") -> Tokenized:
        """Put a text, token ids or a conversation through the model's vocabulary or template; the model is not asked.

        Raises:
            TargetError: the model can't be loaded.
            BadRequest: this vocabulary or template can't do it.
        """
        async with self._leased(deadline) as ready:
            await self._open(ready)
            return await self._prompts.tokenized(request)

    async def _pooled(
        self, request: EmbeddingsRequest | RerankRequest, deadline: float, isolation: str, priority: int
    ) -> tuple[Prepared, tuple[bytes, ...]]:
        """Return what the model made of each prompt: little-endian float32 vectors.

        Raises:
            TargetError: the worker failed.
            TargetTimeout: it did not finish in time.
            AduanaError: what else the worker's side said.
        """
        async with self._placed(isolation, 1, priority, deadline) as ready:
            prepared, _ = await self._prepared(request, ready, isolation)
            self._prompts.forget(request)
            mailbox = Mailbox()
            number = self._worker.next_id()
            message = Embed(id=number, inputs=tuple(pack_tokens(prompt) for prompt in prepared.prompts))
            self._admission.admit([message])
            try:
                async with asyncio.timeout_at(deadline):
                    self._worker.send([message], mailbox)
                    (answer,) = await mailbox.take()
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

    @asynccontextmanager
    async def _placed(self, isolation: str, count: int, priority: int, deadline: float) -> AsyncGenerator[Ready, None]:
        """Hold places in the queue, and the model in memory.

        The place comes first, so that no crowd waits for a load, and a refusal costs nothing.
        """
        with self._admission.place(isolation, count, priority=priority):
            async with self._leased(deadline) as ready:
                yield ready

    @asynccontextmanager
    async def _leased(self, deadline: float, *, retry: bool = False) -> AsyncGenerator[Ready, None]:
        """Load the model, if it is not, and keep it loaded. `retry`: start it anew where it has failed."""
        now = asyncio.get_running_loop().time()
        patient = min(deadline, now + self._settings.load_wait)
        async with self._models.lease(self.info.name, patient):
            if retry:
                await self._worker.retry()
            until = patient if self.residency.on_demand else min(deadline, now + self._settings.ready_wait)
            waits = self._worker.ready is None
            ready = await self._worker.wait_ready(until)
            if waits:
                seconds = asyncio.get_running_loop().time() - now
                self._heard(WorkerEvent(target=self.info.name, kind=WorkerEventKind.WAITED, seconds=seconds))
            yield ready

    async def _prepared(self, request: AnyRequest, ready: Ready, isolation: str) -> tuple[Prepared, Vocabulary]:
        refuse_unable(request, ready, self.info.name)
        prepared = await self._prepare(request, ready, isolation)
        longest = max(len(prompt) for prompt in prepared.prompts)
        answers = isinstance(request, ChatRequest | CompletionRequest)
        if longest + answers > ready.context:
            together = ", prompt and answer together" if answers else ""
            raise ContextLengthExceeded(
                f"The prompt has {longest} tokens; the window of {self.info.model!r} here is {ready.context} tokens"
                f"{together}."
            )
        assert self._prompts.vocabulary is not None
        return prepared, self._prompts.vocabulary

    async def _prepare(self, request: AnyRequest, ready: Ready | None, isolation: str) -> Prepared:
        """Return tokens and pictures of a request. `ready` None: the worker is gone, and the vocabulary is open.

        Raises:
            BadRequest: this model can't do what was asked for.
            TargetError: the vocabulary can't be read, or the worker failed; also its kin.
        """
        if ready is not None:
            await self._open(ready)
        if ready is None or self._prompts.knows(request):
            return await self._prompts.prepare(request)
        return await self._prompts.prepare(request, await self._media.measured(request, ready, isolation))

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
        self._worker.cancel([number for message in messages for number in message.ids])
        self._admission.release(messages)

    def _follow(self) -> None:
        self._worker.follow(self._heard, self._admission.crashed_with)

    def _heard(self, event: WorkerEvent) -> None:
        match event.kind:
            case WorkerEventKind.READY:
                if self._opened is None:  # so that the first request need not wait for it
                    self._opened = asyncio.get_running_loop().create_task(self._open_early())
                self._models.load_finished(self.info.name, seconds=self._worker.load_seconds)
            case WorkerEventKind.FAILED | WorkerEventKind.DIED:
                self._models.load_finished(self.info.name, seconds=None)
            case _:
                pass
        self._log.write(event)
        if self._listener is not None:
            self._listener(event)

"""Loop of the worker process: read messages, carry out the scheduler's steps, send what came of them.

One thread owns the model. Compiling grammars and encoding pictures happen in others. The process ends when its socket
closes, which also happens when the gateway dies; idle, it sleeps in select.
"""

import array
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gateway.core.delta import FinishReason
from gateway.engine.llama.faults import EngineFault
from gateway.engine.llama.model import Model, can_use_gpu
from gateway.engine.llama.projector import Projector
from gateway.engine.media import without_media
from gateway.engine.messages import (
    Cancel,
    Embed,
    End,
    Load,
    Measure,
    PromptLogs,
    Read,
    Submit,
    Tokens,
    ToWorker,
    unpack_tokens,
)
from gateway.engine.prompt_store.store import PromptCacheStore
from gateway.engine.sampling.grammar import Constraint, GrammarCompiler, GrammarFault
from gateway.engine.sampling.sampler import Floats, Sampler
from gateway.engine.sampling.thought_budget import BudgetedThought
from gateway.engine.sampling.verify import RequestState, SampledToken, TokenConstraint, sample_and_verify, score
from gateway.engine.scheduler.scheduler import Scheduler
from gateway.engine.scheduler.sequence import Sequence
from gateway.engine.scheduler.step import Restore, Row, Step
from gateway.engine.sequence_memory import SequenceMemory
from gateway.engine.settings import EngineSettings
from gateway.engine.speculative.speculator import Speculator
from gateway.engine.tuning.batch_split import BatchSplitter
from gateway.engine.tuning.threads import tuner_of
from gateway.engine.worker.cache_ops import CacheOperator
from gateway.engine.worker.channel import Channel, PeerClosed
from gateway.engine.worker.media import MediaJobs
from gateway.engine.worker.pooling import EmbeddingJobs


class Worker:
    """Loop of a worker. Owns model, scheduler and the state of every request."""

    def __init__(
        self,
        model: Model,
        channel: Channel,
        threads: int,
        prompt_store: PromptCacheStore,
        cache_token_bytes: int,
        splitter: BatchSplitter,
        speculator: Speculator | None = None,
        projector: Projector | None = None,
    ) -> None:
        settings, memory = model.settings, model.sequence_memory
        self._model = model
        self._channel = channel
        self._threads = threads
        self._tuner = tuner_of(settings, threads, gpu=can_use_gpu())
        self._ends = model.vocabulary.ends()
        self._scheduler = Scheduler(
            slots=settings.slots,
            context=model.context,
            batch=settings.batch,
            between_decodes=settings.prefill_between_decodes,
            prefix_minimum=settings.prefix_minimum,
            ends=self._ends,
            outputs=settings.outputs,
            cache_ram=settings.spill_memory * 2**20 // cache_token_bytes,
            cache_disk=settings.spill_disk * 2**20 // cache_token_bytes,
            memory=memory,
            checkpoints=_room_for_checkpoints(settings, memory),
            checkpoint_tokens=memory.checkpoint_bytes // cache_token_bytes,
            checkpoint_every=settings.checkpoint_every,
        )
        self._prompt_store = prompt_store
        self._cache = CacheOperator(model, prompt_store)
        self._splitter = splitter
        self._speculator = speculator
        self._request_states: dict[int, RequestState] = {}
        self._embeds = EmbeddingJobs(model, threads)
        self._media = MediaJobs(projector, channel.wake)
        self._grammars = GrammarCompiler(model.vocabulary)
        self._compiler = ThreadPoolExecutor(1, "grammar")
        self._compiling: dict[int, tuple[Submit, Future[Constraint]]] = {}

    def run(self) -> None:
        """Work until the gateway closes the socket.

        Raises:
            PeerClosed: it has.
        """
        try:
            while True:
                self._turn()
        finally:
            self._compiler.shutdown(wait=False, cancel_futures=True)

    def _turn(self) -> None:
        for message in self._channel.receive():
            self._take(message)
        self._take_encoded()
        self._take_compiled()
        self._take_states()
        step = self._scheduler.plan()
        self._prompt_store.fetch(self._scheduler.prompt_cache.wanted())
        if step is None or step.prefill or self._embeds:
            self._channel.flush()  # what comes now takes long
        if step is not None:
            self._carry_out(step)
        if self._embeds:
            answer = self._embeds.work()
            if answer is not None:
                self._channel.send(answer)
        elif step is None:
            self._channel.wait()

    def _take(self, message: ToWorker) -> None:
        match message:
            case Submit():
                for sequence in message.sequences():
                    if message.media:
                        self._media.add(sequence)
                    else:
                        self._compile(sequence)
            case Measure():
                answer = self._media.measure(message)
                if answer is not None:
                    self._channel.send(answer)
            case Cancel():
                self._embeds.cancel(message.ids)
                for request in message.ids:
                    self._media.forget(request)
                    _, compiling = self._compiling.pop(request, (None, None))
                    if compiling is not None:
                        compiling.cancel()
                    self._forget(request)
                    self._scheduler.cancel(request)
            case Embed():
                self._embeds.add(message)
            case Load():
                raise PeerClosed  # a second model in one worker is a bug of the gateway

    def _compile(self, message: Submit) -> None:
        if message.grammar:
            future = self._compiler.submit(self._grammars.compile, message.grammar)
            self._compiling[message.id] = (message, future)
            future.add_done_callback(lambda _: self._channel.wake())
        else:
            self._add(message, None)

    def _take_encoded(self) -> None:
        for answer in self._media.measured():
            self._channel.send(answer)
        for message, problem in self._media.encoded():
            if problem:
                self._end_failed(message.id, problem, refused=True)
            else:
                self._compile(message)

    def _take_compiled(self) -> None:
        for request, (message, future) in list(self._compiling.items()):
            if future.done():
                del self._compiling[request]
                try:
                    self._add(message, future.result())
                except GrammarFault as error:
                    self._end_failed(request, f"The JSON schema can't be enforced: {error}")

    def _take_states(self) -> None:
        """Take the states that the disk has read, and hear of those that it lost."""
        for key, state in self._prompt_store.take():
            if state is None:
                self._scheduler.prompt_cache.lost(key)
            else:
                self._prompt_store.put(key, state)
                for op in self._scheduler.prompt_cache.arrived(key):
                    self._cache.apply(op)

    def _add(self, message: Submit, constraint: Constraint | None) -> None:
        tokens = unpack_tokens(message.tokens)
        words = without_media(tokens, message.spans)
        if not self._fits(tokens, words):
            self._end_failed(message.id, "The prompt does not fit this model.")
            return
        sampler = Sampler(message.sampling, words, banned=tuple(self._ends))
        scored = message.prompt_logs
        held: TokenConstraint | None = constraint
        if message.thought is not None:
            held = BudgetedThought(message.thought, self._model.vocabulary, constraint)
        self._request_states[message.id] = RequestState(
            sampler=sampler, constraint=held, began=time.perf_counter(), scored=0 if scored else -1
        )
        limit = max(1, message.max_tokens)
        self._scheduler.add(
            message.id,
            tokens,
            limit,
            message.isolation,
            priority=message.priority,
            scored=scored,
            spans=message.spans,
        )

    def _fits(self, tokens: "array.array[int]", words: "array.array[int]") -> bool:
        fits = 0 < len(tokens) < self._model.context
        return fits and tokens[-1] >= 0 and self._model.generates and self._model.vocabulary.has_all(words)

    def _carry_out(self, step: Step) -> None:
        sampled: list[SampledToken] = []
        try:
            if not self._apply(step):
                return
            began = time.perf_counter()
            if self._speculator is not None:
                step = self._speculator.extend(step, self._scheduler.sequence)
            for rows in self._split(step):
                if rows[0].span is not None:
                    self._model.decode_embeddings(rows[0].slot, self._media.rows(rows[0], rows[0].span))
                    continue
                logits = self._model.decode(rows)
                self._sample(rows, logits, sampled)
        except EngineFault as error:
            self._fail_step(error)
            return
        if not step.prefill:
            self._timed(step, time.perf_counter() - began)
        self._scheduler.computed(step)
        reads = tuple([Read(id=row.request, tokens=len(row.tokens)) for row in step.rows]) if step.prefill else ()
        if sampled:
            self._accept(sampled, reads)
        elif reads:
            self._tell(reads=reads)
        if self._speculator is not None and self._speculator.drafted:
            self._drop_rejected(self._speculator, step)

    def _timed(self, step: Step, seconds: float) -> None:
        """Tell whoever learns from it how many seconds a decode step took: draft tokens, batch splitting, threads."""
        if self._speculator is not None:
            self._speculator.took(step, seconds)
            if self._speculator.drafted:
                return
        rows = len(step.rows)
        self._splitter.took(rows, seconds)
        tuner = self._tuner
        if tuner is None:
            return
        before = tuner.threads
        tuner.took(rows, seconds)
        if tuner.threads != before:
            self._model.set_threads(tuner.threads)
            if self._speculator is not None:
                self._speculator.set_threads(tuner.threads)

    def _apply(self, step: Step) -> bool:
        """Carry out a step's operations on cached sequences.

        False: they lost sequences. These slots are empty, and the steps to come read them from their beginning.
        """
        lost: list[int] = []
        for op in step.cache_ops:
            slots = self._cache.apply(op, lost)
            if slots and isinstance(op, Restore):
                self._scheduler.prompt_cache.lost(op.key)
                self._prompt_store.drop(op.key)
            lost += slots
        if not lost:
            return True
        self._recompute(lost)
        return False

    def _recompute(self, slots: list[int]) -> None:
        """Empty slots, whose sequences are read from their beginning by the steps to come."""
        for slot in slots:
            self._model.trim(slot, 0)
        for op in self._scheduler.lose(slots):
            self._cache.apply(op)

    def _split(self, step: Step) -> Iterable[tuple[Row, ...]]:
        if step.prefill:
            return (step.rows,)
        drafted = self._speculator is not None and self._speculator.drafted
        return self._splitter.with_drafts(step.rows) if drafted else self._splitter.of(step.rows)

    def _sample(self, rows: tuple[Row, ...], logits: Floats, sampled: list[SampledToken]) -> None:
        """Sample tokens for the rows with outputs, from their lines of `logits`, `(n_outputs, n_vocab)`."""
        at = 0
        for row in rows:
            if row.outputs:
                request_state, lines = self._request_states[row.request], logits[at : at + row.outputs]
                at += row.outputs
                if request_state.scored < 0 or self._score(request_state, row, lines):
                    sample_and_verify(request_state, row, lines[-1 - row.drafted :], self._ends, sampled)

    def _score(self, request_state: RequestState, row: Row, lines: Floats) -> bool:
        """Send log-probabilities of the prompt.

        True: the last token of the prompt was read, so the next one is to be sampled.
        """
        sequence = self._scheduler.sequence(row.request)
        assert sequence is not None
        unknown = request_state.scored < sequence.prompt - 1
        logs = score(request_state, row, lines, sequence.tokens[: sequence.prompt]) if unknown else ()
        if logs:
            self._channel.send(PromptLogs(id=row.request, logs=logs))
        return row.position + len(row.tokens) - row.drafted == len(sequence.tokens)

    def _drop_rejected(self, speculator: Speculator, step: Step) -> None:
        """Drop rejected draft tokens from the KV memory."""
        for row in step.rows:
            if row.drafted:
                held = self._scheduler.held(row.slot)
                speculator.checked(row, held - row.position - 1)
                if held < row.position + len(row.tokens) and not self._model.trim(row.slot, held - row.shift):
                    self._recompute([row.slot])

    def _accept(self, sampled: list[SampledToken], reads: tuple[Read, ...]) -> None:
        """Add the sampled tokens to their sequences and send them in one message."""
        given: list[SampledToken] = []
        starts: list[tuple[int, int]] = []
        ends: list[End] = []
        for one in sampled:
            request = one.request
            sequence = self._scheduler.sequence(request)
            assert sequence is not None
            if one.first:
                starts.append((request, sequence.cached))
            if one.error is not None:
                self._scheduler.cancel(request)
                ends.append(self._end(request, sequence, FinishReason.STOP, one.error))
                continue
            reason = self._scheduler.accept(request, one.token, computed=one.drafted)
            if reason is not FinishReason.STOP:
                given.append(one)
            if one.complete and reason is None:
                self._scheduler.cancel(request)
                reason = FinishReason.STOP
            if reason is not None:
                ends.append(self._end(request, sequence, reason))
        self._tell(
            ids=tuple([one.request for one in given]),
            tokens=tuple([one.token for one in given]),
            logs=tuple([one.log for one in given]) if any(one.log for one in given) else (),
            starts=tuple(starts),
            ends=tuple(ends),
            reads=reads,
        )

    def _tell(self, **what: Any) -> None:
        """Send news of sequences, and how things stand after them. First and last tokens are sent at once."""
        scheduler = self._scheduler
        news = Tokens(busy=scheduler.busy, waiting=scheduler.waiting, cells=scheduler.cells, **what)
        self._channel.send(news, patient=not (news.starts or news.ends))

    def _end(self, request: int, sequence: Sequence, reason: FinishReason, error: str | None = None) -> End:
        request_state = self._forget(request)
        assert request_state is not None
        now = time.perf_counter()
        return End(
            id=request,
            reason=reason,
            prompt=sequence.prompt,
            cached=sequence.cached,
            generated=sequence.generated,
            prefill_seconds=(request_state.first or now) - request_state.began,
            decode_seconds=now - request_state.first if request_state.first else 0.0,
            error=error,
        )

    def _forget(self, request: int) -> RequestState | None:
        if self._speculator is not None:
            self._speculator.forget(request)
        self._media.forget(request)
        return self._request_states.pop(request, None)

    def _end_failed(self, request: int, error: str, *, refused: bool = False) -> None:
        self._media.forget(request)
        self._tell(ends=(End(id=request, reason=FinishReason.STOP, error=error, refused=refused),))

    def _fail_step(self, error: EngineFault) -> None:
        requests, cache_ops = self._scheduler.fail()
        for slot in range(self._model.settings.slots):
            self._model.trim(slot, 0)
        for op in cache_ops:
            self._cache.apply(op)
        for request in requests:
            self._forget(request)
        problem = f"The engine failed: {error}."
        self._tell(ends=tuple(End(id=r, reason=FinishReason.STOP, error=problem) for r in requests))


def _room_for_checkpoints(settings: EngineSettings, memory: SequenceMemory) -> int:
    """Return how many checkpoints may be kept."""
    return settings.checkpoint_memory * 2**20 // memory.checkpoint_bytes if memory.checkpoint_bytes else 0

"""The worker process: reads messages, carries out the scheduler's steps, sends what came of them.

One thread owns the model. Only compiling grammars happens in another one. The process ends when its socket closes,
which also happens when the gateway dies; idle, it sleeps in select.
"""

import array
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, assert_never

import msgspec

from gateway.core.delta import FinishReason
from gateway.engine.embedding_jobs import EmbeddingJobs
from gateway.engine.grammar import Constraint, GrammarBook, GrammarFault
from gateway.engine.line import Gone, Line
from gateway.engine.messages import (
    Cancel,
    Embed,
    End,
    Load,
    Read,
    Submit,
    TokenLog,
    Tokens,
    unpack_tokens,
)
from gateway.engine.model import EngineFault, Model, can_use_gpu
from gateway.engine.pieces import Pieces
from gateway.engine.sampling import Floats, Sampler, log_of
from gateway.engine.scheduler import Scheduler
from gateway.engine.sequence import Sequence
from gateway.engine.shelf import Shelf
from gateway.engine.steps import Copy, Drop, Move, Restore, Save, Step, Stow, Swap, Trim
from gateway.engine.threads import tuner_of


class _Job(msgspec.Struct, kw_only=True):
    """What the worker knows of a request besides its tokens."""

    sampler: Sampler
    constraint: Constraint | None = None
    began: float = 0.0
    first: float = 0.0


class _Drawn(msgspec.Struct, frozen=True):
    """A token that was drawn for a request, or why none could be."""

    request: int
    token: int
    first: bool
    complete: bool = False
    log: TokenLog | None = None
    error: str | None = None


class Worker:
    """The loop. Owns model, scheduler and the state of every request."""

    def __init__(
        self, model: Model, line: Line, threads: int, shelf: Shelf, spill_token_bytes: int, pieces: Pieces
    ) -> None:
        settings = model.settings
        self._model = model
        self._line = line
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
            spill=settings.spill_memory * 2**20 // spill_token_bytes,
            spill_disk=settings.spill_disk * 2**20 // spill_token_bytes,
        )
        self._shelf = shelf
        self._pieces = pieces
        self._jobs: dict[int, _Job] = {}
        self._embeds = EmbeddingJobs(model, threads)
        self._book = GrammarBook(model.vocabulary)
        self._compiler = ThreadPoolExecutor(1, "grammar")
        self._compiling: dict[int, tuple[Submit, Future[Constraint]]] = {}

    def run(self) -> None:
        """Until the gateway is gone."""
        while True:
            for message in self._line.receive():
                self._take(message)
            self._take_compiled()
            self._take_states()
            step = self._scheduler.plan()
            self._shelf.fetch(self._scheduler.spill.wanted())
            if step is not None:
                self._carry_out(step)
            if self._embeds:
                answer = self._embeds.work()
                if answer is not None:
                    self._line.send(answer)
            elif step is None:
                self._line.wait()

    def _take(self, message: Load | Submit | Cancel | Embed) -> None:
        match message:
            case Submit():
                if message.grammar:
                    future = self._compiler.submit(self._book.compile, message.grammar)
                    self._compiling[message.id] = (message, future)
                    future.add_done_callback(lambda _: self._line.wake())
                else:
                    self._add(message, None)
            case Cancel():
                self._embeds.cancel(message.ids)
                for request in message.ids:
                    self._compiling.pop(request, None)
                    self._jobs.pop(request, None)
                    self._scheduler.cancel(request)
            case Embed():
                self._embeds.add(message)
            case Load():
                raise Gone  # a second model in one worker is a bug of the gateway

    def _take_compiled(self) -> None:
        for request, (message, future) in list(self._compiling.items()):
            if future.done():
                del self._compiling[request]
                try:
                    self._add(message, future.result())
                except GrammarFault as error:
                    self._end_failed(request, f"The JSON schema can't be enforced: {error}")

    def _take_states(self) -> None:
        """States that came from disk, or that it lost."""
        for came in self._shelf.take():
            if came.state is None:
                self._scheduler.spill.lost(came.key)
            else:
                self._shelf.put(came.key, came.state)
                for move in self._scheduler.spill.arrived(came.key):
                    self._move(move)

    def _add(self, message: Submit, constraint: Constraint | None) -> None:
        tokens = unpack_tokens(message.tokens)
        if not self._fits(tokens):
            self._end_failed(message.id, "The prompt does not fit this model.")
            return
        sampler = Sampler(message.sampling, tokens, banned=tuple(self._ends))
        self._jobs[message.id] = _Job(sampler=sampler, constraint=constraint, began=time.perf_counter())
        self._scheduler.add(
            message.id, tokens, max(1, message.max_tokens), message.isolation, priority=message.priority
        )

    def _fits(self, tokens: "array.array[int]") -> bool:
        fits = 0 < len(tokens) < self._model.context
        return fits and self._model.generates and self._model.vocabulary.has_all(tokens)

    def _carry_out(self, step: Step) -> None:
        drawn: list[_Drawn] = []
        try:
            for move in step.moves:
                self._move(move)
            began = time.perf_counter()
            for rows in (step.rows,) if step.prefill else self._pieces.of(step.rows):
                logits = self._model.decode(rows)
                self._draw([row.request for row in rows if row.outputs], logits, drawn)
        except EngineFault as error:
            self._fail_step(error)
            return
        if not step.prefill:
            self._timed(len(step.rows), time.perf_counter() - began)
        self._scheduler.computed(step)
        reads = tuple([Read(id=row.request, tokens=len(row.tokens)) for row in step.rows]) if step.prefill else ()
        if drawn:
            self._accept(drawn, reads)
        elif reads:
            self._tell(reads=reads)

    def _timed(self, rows: int, seconds: float) -> None:
        """A decode step took so long: next time pieces and threads may be others."""
        self._pieces.took(rows, seconds)
        tuner = self._tuner
        if tuner is None:
            return
        before = tuner.threads
        tuner.took(rows, seconds)
        if tuner.threads != before:
            self._model.set_threads(tuner.threads)

    def _move(self, move: Move) -> None:
        match move:
            case Trim():
                if not self._model.trim(move.slot, move.length):
                    raise EngineFault("this model can't drop part of a sequence")
            case Copy():
                self._model.copy(move.source, move.destination, move.length)
            case Swap():
                self._model.swap(move.one, move.other)
            case Save():
                self._shelf.put(move.key, self._model.save(move.slot))
            case Restore():
                state = self._shelf.get(move.key)
                if state is None:  # its step had failed
                    self._scheduler.spill.lost(move.key)
                    raise EngineFault("a kept sequence is missing")
                self._model.restore(move.slot, state)
                if not self._model.trim(move.slot, move.length):
                    raise EngineFault("this model can't drop part of a sequence")
            case Drop():
                self._shelf.drop(move.key)
            case Stow():
                self._shelf.stow(move.key)
            case _:
                assert_never(move)

    def _draw(self, requests: list[int], logits: Floats, drawn: list[_Drawn]) -> None:
        """A token for each of `requests`, from its line of `logits`."""
        for number, request in enumerate(requests):
            job = self._jobs[request]
            line = logits[number]
            first = not job.first
            if first:
                job.first = time.perf_counter()
            try:
                token, complete = self._choose(job, line)
            except GrammarFault as error:
                drawn.append(_Drawn(request, -1, first, error=f"The JSON schema became too complex: {error}"))
                continue
            count = job.sampler.spec.logprobs
            log = log_of(line, token, count) if count >= 0 else None
            drawn.append(_Drawn(request, token, first, complete, log))

    def _accept(self, drawn: list[_Drawn], reads: tuple[Read, ...]) -> None:
        """The tokens become part of their sequences, and are sent in one message."""
        given: list[_Drawn] = []
        starts: list[tuple[int, int]] = []
        ends: list[End] = []
        for one in drawn:
            request = one.request
            sequence = self._scheduler.sequence(request)
            assert sequence is not None
            if one.first:
                starts.append((request, sequence.cached))
            if one.error is not None:
                self._scheduler.cancel(request)
                ends.append(self._end(request, sequence, FinishReason.STOP, one.error))
                continue
            reason = self._scheduler.accept(request, one.token)
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
        """News of sequences, and how things stand after them."""
        scheduler = self._scheduler
        self._line.send(Tokens(busy=scheduler.busy, waiting=scheduler.waiting, cells=scheduler.cells, **what))

    @staticmethod
    def _choose(job: _Job, logits: Floats) -> tuple[int, bool]:
        """The next token, and whether the grammar is complete with it."""
        sampler, constraint = job.sampler, job.constraint
        if constraint is None:
            return sampler.choose(logits), False
        token = sampler.choose(logits, remember=False)
        if not constraint.permits(token):  # seldom: masking every time would cost more than drawing twice
            token = sampler.choose(logits, allowed=constraint.allowed(), remember=False)
        sampler.took(token)
        return token, constraint.took(token)

    def _end(self, request: int, sequence: Sequence, reason: FinishReason, error: str | None = None) -> End:
        job = self._jobs.pop(request)
        now = time.perf_counter()
        return End(
            id=request,
            reason=reason,
            prompt=sequence.prompt,
            cached=sequence.cached,
            generated=sequence.generated,
            prefill_seconds=(job.first or now) - job.began,
            decode_seconds=now - job.first if job.first else 0.0,
            error=error,
        )

    def _end_failed(self, request: int, error: str) -> None:
        self._tell(ends=(End(id=request, reason=FinishReason.STOP, error=error),))

    def _fail_step(self, error: EngineFault) -> None:
        requests = self._scheduler.fail()
        for slot in range(self._model.settings.slots):
            self._model.trim(slot, 0)
        for request in requests:
            self._jobs.pop(request, None)
        problem = f"The engine failed: {error}."
        self._tell(ends=tuple(End(id=r, reason=FinishReason.STOP, error=problem) for r in requests))

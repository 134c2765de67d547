"""The worker process: reads messages, carries out the scheduler's steps, sends what came of them.

One thread owns the model. Only compiling grammars happens in another one. The process ends when its socket closes,
which also happens when the gateway dies; idle, it sleeps in select.
"""

import array
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, assert_never

from gateway.core.delta import FinishReason
from gateway.engine.drawing import Drawn, Job, draw, score
from gateway.engine.embedding_jobs import EmbeddingJobs
from gateway.engine.grammar import Constraint, GrammarBook, GrammarFault
from gateway.engine.guessing import Guessing
from gateway.engine.line import Gone, Line
from gateway.engine.messages import (
    Cancel,
    Embed,
    End,
    Load,
    PromptLogs,
    Read,
    Submit,
    Tokens,
    unpack_tokens,
)
from gateway.engine.model import EngineFault, Model, can_use_gpu
from gateway.engine.pieces import Pieces
from gateway.engine.sampling import Floats, Sampler
from gateway.engine.scheduler import Scheduler
from gateway.engine.sequence import Sequence
from gateway.engine.shelf import Shelf
from gateway.engine.steps import Copy, Drop, Move, Restore, Row, Save, Step, Stow, Swap, Trim
from gateway.engine.threads import tuner_of


class Worker:
    """The loop. Owns model, scheduler and the state of every request."""

    def __init__(
        self,
        model: Model,
        line: Line,
        threads: int,
        shelf: Shelf,
        spill_token_bytes: int,
        pieces: Pieces,
        guessing: Guessing | None = None,
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
            outputs=settings.outputs,
            spill=settings.spill_memory * 2**20 // spill_token_bytes,
            spill_disk=settings.spill_disk * 2**20 // spill_token_bytes,
        )
        self._shelf = shelf
        self._pieces = pieces
        self._guessing = guessing
        self._jobs: dict[int, Job] = {}
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
            if step is None or step.prefill or self._embeds:
                self._line.flush()  # what comes now takes long
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
                    self._forget(request)
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
        scored = message.prompt_logs
        self._jobs[message.id] = Job(
            sampler=sampler, constraint=constraint, began=time.perf_counter(), scored=0 if scored else -1
        )
        limit = max(1, message.max_tokens)
        self._scheduler.add(message.id, tokens, limit, message.isolation, priority=message.priority, scored=scored)

    def _fits(self, tokens: "array.array[int]") -> bool:
        fits = 0 < len(tokens) < self._model.context
        return fits and self._model.generates and self._model.vocabulary.has_all(tokens)

    def _carry_out(self, step: Step) -> None:
        drawn: list[Drawn] = []
        try:
            for move in step.moves:
                self._move(move)
            began = time.perf_counter()
            if self._guessing is not None:
                step = self._guessing.extend(step, self._scheduler.sequence)
            for rows in self._in_pieces(step):
                logits = self._model.decode(rows)
                self._draw(rows, logits, drawn)
        except EngineFault as error:
            self._fail_step(error)
            return
        if not step.prefill:
            self._timed(step, time.perf_counter() - began)
        self._scheduler.computed(step)
        reads = tuple([Read(id=row.request, tokens=len(row.tokens)) for row in step.rows]) if step.prefill else ()
        if drawn:
            self._accept(drawn, reads)
        elif reads:
            self._tell(reads=reads)
        if self._guessing is not None and self._guessing.guessed:
            self._drop_wrong(self._guessing, step)

    def _timed(self, step: Step, seconds: float) -> None:
        """A decode step took so long: next time guesses, pieces and threads may be others."""
        if self._guessing is not None:
            self._guessing.took(step, seconds)
            if self._guessing.guessed:
                return
        rows = len(step.rows)
        self._pieces.took(rows, seconds)
        tuner = self._tuner
        if tuner is None:
            return
        before = tuner.threads
        tuner.took(rows, seconds)
        if tuner.threads != before:
            self._model.set_threads(tuner.threads)
            if self._guessing is not None:
                self._guessing.set_threads(tuner.threads)

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

    def _in_pieces(self, step: Step) -> Iterable[tuple[Row, ...]]:
        if step.prefill:
            return (step.rows,)
        guessed = self._guessing is not None and self._guessing.guessed
        return self._pieces.with_guesses(step.rows) if guessed else self._pieces.of(step.rows)

    def _draw(self, rows: tuple[Row, ...], logits: Floats, drawn: list[Drawn]) -> None:
        """Tokens for the rows with outputs, from their lines of `logits`."""
        at = 0
        for row in rows:
            if row.outputs:
                job, lines = self._jobs[row.request], logits[at : at + row.outputs]
                at += row.outputs
                if job.scored < 0 or self._score(job, row, lines):
                    draw(job, row, lines[-1 - row.guessed :], self._ends, drawn)

    def _score(self, job: Job, row: Row, lines: Floats) -> bool:
        """Tells log-probabilities of the prompt. True: its last token was read, so the next one is to be drawn."""
        sequence = self._scheduler.sequence(row.request)
        assert sequence is not None
        unknown = job.scored < sequence.prompt - 1
        logs = score(job, row, lines, sequence.tokens[: sequence.prompt]) if unknown else ()
        if logs:
            self._line.send(PromptLogs(id=row.request, logs=logs))
        return row.position + len(row.tokens) - row.guessed == len(sequence.tokens)

    def _drop_wrong(self, guessing: Guessing, step: Step) -> None:
        """Wrong guesses leave the KV memory."""
        for row in step.rows:
            if row.guessed:
                held = self._scheduler.held(row.slot)
                guessing.checked(row, held - row.position - 1)
                if held < row.position + len(row.tokens):
                    self._model.trim(row.slot, held)

    def _accept(self, drawn: list[Drawn], reads: tuple[Read, ...]) -> None:
        """The tokens become part of their sequences, and are sent in one message."""
        given: list[Drawn] = []
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
            reason = self._scheduler.accept(request, one.token, computed=one.guessed)
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
        """News of sequences, and how things stand after them. First and last tokens don't wait."""
        scheduler = self._scheduler
        news = Tokens(busy=scheduler.busy, waiting=scheduler.waiting, cells=scheduler.cells, **what)
        self._line.send(news, patient=not (news.starts or news.ends))

    def _end(self, request: int, sequence: Sequence, reason: FinishReason, error: str | None = None) -> End:
        job = self._forget(request)
        assert job is not None
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

    def _forget(self, request: int) -> Job | None:
        if self._guessing is not None:
            self._guessing.forget(request)
        return self._jobs.pop(request, None)

    def _end_failed(self, request: int, error: str) -> None:
        self._tell(ends=(End(id=request, reason=FinishReason.STOP, error=error),))

    def _fail_step(self, error: EngineFault) -> None:
        requests = self._scheduler.fail()
        for slot in range(self._model.settings.slots):
            self._model.trim(slot, 0)
        for request in requests:
            self._forget(request)
        problem = f"The engine failed: {error}."
        self._tell(ends=tuple(End(id=r, reason=FinishReason.STOP, error=problem) for r in requests))

"""The queue of batches: checked when they come, answered line by line when there is room, ended with their files.

INVARIANT: a line's result and the batch's counts are durable together, before the next line begins. A line that was
begun and has no result, as after a crash, is asked again, under a receipt of its own. Where gateways share the table,
one of them at a time works on a batch (`open_batches.py`).
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

import msgspec
import structlog

from gateway.batches.batch import Batch, LineProblem, Status
from gateway.batches.checking import checked
from gateway.batches.files import FileStore
from gateway.batches.lines import Told
from gateway.batches.message_batch import is_message_batch
from gateway.batches.open_batches import PREFIX, OpenBatches, decoded
from gateway.batches.results import CANCELLED, EXPIRED, Result, Results, part, result_of
from gateway.core.errors import (
    AduanaError,
    BadRequest,
    NotFound,
    RateLimited,
    ShuttingDown,
    TargetBusy,
    TargetUnavailable,
    TooLarge,
    Unavailable,
)
from gateway.stored import LeaseLost, SealedTable
from gateway.wire.openai.batches import (
    WINDOW_SECONDS,
    BatchLine,
    NewBatch,
    parse_line,
)

LOG = structlog.get_logger("aduana.batches")
_MOST_OPEN = 100  # batches of one owner that have not ended
_TRIES = 6  # of a line that found no place
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_LOOK_SECONDS = 1.0  # between looks whether there is room
_FAULT_SECONDS = 30.0  # until a store that failed is tried again


class Answers(Protocol):
    """What answers a line."""

    async def answer(self, batch: Batch, body: bytes) -> Told:
        """Answer a line's body. Whatever fails is told in the answer."""


class _Work:
    """One batch that is being answered: where in its file it stands."""

    def __init__(self, lines: AsyncGenerator[bytes, None], done: set[int]) -> None:
        self.lines = lines
        self.done = done
        self.number = 0
        self.held: bytes | None = None  # a line that a limit had no room for
        self.rests_until = 0.0  # in the loop's clock


class BatchQueue:
    """Owner of all batches. `run` answers them until it is cancelled; everything else may be called meanwhile."""

    def __init__(
        self,
        table: SealedTable,
        files: FileStore,
        answers: Answers,
        *,
        room: Callable[[], bool],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Keep the parts.

        Args:
            table: Where batches and their results are kept.
            files: Where their files are.
            answers: Answers a line.
            room: Returns whether a line may begin now.
            wall: Unix time in seconds.
        """
        self._table = table
        self._files = files
        self._results = Results(table, files)
        self._answers = answers
        self._room = room
        self._wall = wall
        self._open = OpenBatches(table)
        self._work: dict[str, _Work] = {}
        self._news = asyncio.Event()

    async def create(
        self, owner: str, new: NewBatch, tags: frozenset[str], headers: tuple[tuple[str, str], ...]
    ) -> Batch:
        """Queue a batch; durable when it returns.

        Raises:
            BadRequest: Its file is for something else, or too many batches wait.
            NotFound: This owner has no such file.
        """
        file = await self._files.find(owner, new.input_file)
        if file is None:
            raise NotFound(f"No such file: {new.input_file[:100]!r}.", param="input_file_id", code="file_not_found")
        if file.purpose != "batch":
            raise BadRequest(
                "The file's purpose must be 'batch'.", param="input_file_id", code="invalid_input_file_purpose"
            )
        if sum(batch.owner == owner for batch in self._open.all()) >= _MOST_OPEN:
            raise BadRequest(f"{_MOST_OPEN} batches of this key wait already.", code="too_many_batches", status=429)
        now = int(self._wall())
        batch = Batch(
            id=PREFIX + secrets.token_hex(12), owner=owner, endpoint=new.endpoint, input_file=file.id, created=now,
            expires=now + WINDOW_SECONDS, tags=tags, handed=file.tags, headers=headers, metadata=new.metadata,
            output_seconds=new.output_seconds, total=new.total,
        )  # fmt: skip
        await self._open.keep(batch)
        self._news.set()
        return batch

    async def find(self, owner: str, batch_id: str) -> Batch | None:
        """Return a batch as it is now; None: this owner has none of this id.

        Raises:
            StoreDamaged: It can't be opened.
            StoreUnavailable: The store can't be read.
        """
        found = await self._table.get(owner, batch_id) if _is_id(batch_id) else None
        return None if found is None else decoded(found)

    async def all(self, owner: str) -> list[Batch]:
        """Return this owner's batches, newest first.

        Raises:
            StoreDamaged: One of them can't be opened.
            StoreUnavailable: The store can't be read.
        """
        found = [decoded(content) for _, content in await self._table.listed(PREFIX, owner)]
        return sorted(found, key=lambda batch: (batch.created, batch.id), reverse=True)

    async def cancel(self, owner: str, batch_id: str) -> Batch | None:
        """Begin no further line of a batch, and return it; None: this owner has none of this id.

        Raises:
            BadRequest: It has ended.
        """

        def cancelling(batch: Batch) -> Batch:
            if batch.ended:
                raise BadRequest(f"The batch is {batch.status.value} already.", code="batch_not_cancellable")
            if batch.status in (Status.CANCELLING, Status.FINALIZING):
                return batch
            return batch.at(Status.CANCELLING, self._wall())

        if not _is_id(batch_id):
            return None
        batch = await self._open.change(owner, batch_id, cancelling, leased=False)
        self._news.set()
        return batch

    async def delete(self, owner: str, batch_id: str) -> None:
        """Delete a batch that has ended; its files stay. It is gone from the disk when this returns.

        Raises:
            StoreUnavailable: It can't be written.
        """
        await self._table.delete(owner, batch_id)

    async def run(self) -> None:
        """Answer batches, a line of each in turn. Runs until cancelled."""
        renewing = asyncio.create_task(self._open.renew())
        try:
            while True:
                try:
                    await self._open.load()
                    await self._open.look()
                    await self._turn()
                except AduanaError as error:  # of the store: nothing is lost, and nothing goes on without it
                    LOG.error("batches.stopped", code=error.code, retry_in=_FAULT_SECONDS)
                    await self._forget_work()
                    self._open.forget()
                    await asyncio.sleep(_FAULT_SECONDS)
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])
            await self._forget_work()
            with contextlib.suppress(AduanaError):  # then others wait until the leases have ended
                await self._open.release()

    async def _forget_work(self) -> None:
        for work in self._work.values():
            await work.lines.aclose()
        self._work.clear()

    async def _turn(self) -> None:
        """Do the next piece of work, or wait until there is some, or room for it."""
        self._news.clear()
        waiting = self._open.all()
        if not waiting and not self._table.shared:
            await self._news.wait()
            return
        wanted = [batch for batch in waiting if self._needs_no_room(batch)]
        room = self._room()
        if room:
            wanted += [batch for batch in waiting if not self._needs_no_room(batch) and not self._rests(batch)]
        taken = await self._open.take(wanted)
        if taken is None:
            if not room:
                await self._open.release()  # another gateway may have some
            await self._look_later()
            return
        batch, same = taken
        if not same:
            await self._forget(batch.id)
        try:
            await self._go_on(batch)
        except LeaseLost:  # another gateway has gone on with it meanwhile
            self._open.lose(batch.id)
            await self._forget(batch.id)
        await self._open.pass_on(batch.id, rests=self._rests(batch))

    async def _go_on(self, batch: Batch) -> None:
        if batch.status is Status.VALIDATING and self._wall() < batch.expires:
            await self._check(batch)
        elif self._needs_no_room(batch):
            await self._end(batch)
        else:
            await self._next_line(batch)

    async def _look_later(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._news.wait()  # one that is cancelled need not wait for room

    def _rests(self, batch: Batch) -> bool:
        """Return whether a batch waits until a limit of its key or user has room again; others go on meanwhile."""
        work = self._work.get(batch.id)
        return work is not None and work.rests_until > asyncio.get_running_loop().time()

    def _needs_no_room(self, batch: Batch) -> bool:
        return batch.status is not Status.IN_PROGRESS or self._wall() >= batch.expires

    async def _check(self, batch: Batch) -> None:
        """Read the whole file once, and begin the batch or let it fail with what is wrong in the file."""
        total = 0
        try:
            async with contextlib.aclosing(await self._lines(batch)) as lines:
                total, problems = await checked(lines, batch.endpoint)
        except BadRequest as error:
            problems = (LineProblem(code=error.code, message=error.message),)
        now = self._wall()
        await self._change(
            batch,
            lambda found: (
                msgspec.structs.replace(found, problems=problems).at(Status.FAILED, now)
                if problems
                else msgspec.structs.replace(found, total=total).at(Status.IN_PROGRESS, now)
            ),
        )

    async def _lines(self, batch: Batch) -> AsyncGenerator[bytes, None]:
        """Return the lines of a batch's file.

        Raises:
            BadRequest: The file is not there any more.
        """
        file = await self._files.find(batch.owner, batch.input_file)
        if file is None:
            raise BadRequest("The file was deleted meanwhile.", code="file_deleted")
        return self._files.lines(batch.owner, file)

    async def _next_line(self, batch: Batch) -> None:
        try:
            work = self._work.get(batch.id)
            if work is None:
                done = {int(number) for number in await self._table.parts(batch.owner, batch.id)}
                work = self._work[batch.id] = _Work(await self._lines(batch), done)
            text = await anext(work.lines, None) if work.held is None else work.held
            work.held = None
            while text is not None and work.number in work.done:
                work.number += 1
                text = await anext(work.lines, None)
        except BadRequest as error:  # the file is gone
            await self._give_up(batch, error)
            return
        if text is None:
            await self._change(batch, lambda found: found.at(Status.FINALIZING, self._wall()))
            return
        line = parse_line(text, batch.endpoint)
        told = await self._told(batch, line)
        if told is None:
            await self._forget(batch.id)
            return
        wait = told.error.retry_after if isinstance(told.error, RateLimited) else None
        if wait is not None and wait <= _LONGEST_PAUSE:
            work.held, work.rests_until = text, asyncio.get_running_loop().time() + wait
            return
        try:
            await self._count(batch, work.number, result_of(batch, work.number, line, told))
        except TooLarge as error:  # no room for further results
            await self._give_up(batch, error)
        work.number += 1

    async def _give_up(self, batch: Batch, error: AduanaError) -> None:
        """End a batch with what it has; its errors say why."""
        problem = LineProblem(code=error.code, message=error.message)
        now = self._wall()
        await self._change(
            batch,
            lambda found: msgspec.structs.replace(found, problems=(*found.problems, problem)).at(
                Status.FINALIZING, now
            ),
        )

    async def _told(self, batch: Batch, line: BatchLine) -> Told | None:
        """Ask about a line; one that finds no place is asked again later. None: it was not asked to its end."""
        pause = _FIRST_PAUSE
        for attempt in range(1, _TRIES + 1):
            told = await self._answers.answer(batch, line.body)
            error = told.error
            if isinstance(error, ShuttingDown):
                await asyncio.sleep(_FIRST_PAUSE)
                return None
            if not isinstance(error, TargetBusy | TargetUnavailable | Unavailable) or attempt == _TRIES:
                return told
            await asyncio.sleep(min(max(pause, error.retry_after or 0.0), _LONGEST_PAUSE))
            pause *= 2
            current = await self.find(batch.owner, batch.id)
            if current is None or current.status is not Status.IN_PROGRESS or self._wall() >= batch.expires:
                return None
        return None

    async def _count(self, batch: Batch, number: int, result: Result) -> None:
        await self._open.change(
            batch.owner,
            batch.id,
            lambda found: msgspec.structs.replace(
                found, completed=found.completed + result.good, failed=found.failed + (not result.good)
            ),
            {part(batch, number): msgspec.msgpack.encode(result)},
        )

    async def _end(self, batch: Batch) -> None:
        """Write the files of what was answered, and of what was not, and end the batch."""
        expired = batch.status in (Status.VALIDATING, Status.IN_PROGRESS)
        status = Status.EXPIRED if expired else Status.COMPLETED
        if Status.CANCELLING in batch.times:
            status = Status.CANCELLED
        elif batch.problems:
            status = Status.FAILED
        untold = EXPIRED if expired else CANCELLED if _tells_all(batch, status) else None
        late: AsyncGenerator[bytes, None] | None = None
        with contextlib.suppress(BadRequest):  # the file is gone
            late = await self._lines(batch) if untold is not None else None
        output, errors = await self._results.write(batch, late, untold or EXPIRED)
        await self._change(
            batch,
            lambda found: msgspec.structs.replace(found, output_file=output, error_file=errors).at(
                status, self._wall()
            ),
        )
        await self._table.delete_parts(batch.owner, batch.id)
        await self._forget(batch.id)
        await self._open.release((batch.id,))

    async def _change(self, batch: Batch, change: Callable[[Batch], Batch]) -> None:
        """Change a batch that has not ended; a cancelled one does not begin or end otherwise."""

        def changed(found: Batch) -> Batch:
            after = change(found)
            if Status.CANCELLING in found.times and not after.ended:
                return msgspec.structs.replace(after, status=Status.CANCELLING)
            return after

        await self._open.change(batch.owner, batch.id, changed)

    async def _forget(self, batch_id: str) -> None:
        work = self._work.pop(batch_id, None)
        if work is not None:
            await work.lines.aclose()


def _tells_all(batch: Batch, status: Status) -> bool:
    """Say whether results name also what was not asked because its batch was cancelled, as Anthropic's do."""
    return status is Status.CANCELLED and is_message_batch(batch)


def _is_id(text: str) -> bool:
    return text.startswith(PREFIX) and "/" not in text

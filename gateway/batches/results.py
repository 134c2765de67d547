"""What came of a batch's lines, and the files that are made of it at the batch's end."""

import contextlib
from collections.abc import AsyncGenerator

import msgspec

from gateway.batches.batch import Batch
from gateway.batches.files import FileStore
from gateway.batches.lines import Told
from gateway.core.errors import AduanaError, BadRequest
from gateway.stored import SealedTable
from gateway.wire.openai.batches import BatchLine, answered_line, parse_line, unanswered_line

EXPIRED = AduanaError("This line was not asked within the batch's 24 hours.", code="batch_expired")
CANCELLED = AduanaError("The batch was cancelled before this line was asked.", code="batch_cancelled")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a line, as its file says it."""

    good: bool
    line: bytes


def part(batch: Batch, number: int) -> str:
    """Return the id under which a line's result is kept. Lines count from 0."""
    return f"{batch.id}/{number:06}"


def result_of(batch: Batch, number: int, line: BatchLine, told: Told) -> Result:
    """Return what came of a line that was asked."""
    content = answered_line(_line_id(batch, number), line.custom_id, told.request_id, told.status, told.body)
    return Result(good=told.error is None, line=content)


class Results:
    """Maker of the two files of a batch. Holds no state but its parts."""

    def __init__(self, table: SealedTable, files: FileStore) -> None:
        self._table = table
        self._files = files

    async def write(
        self, batch: Batch, late: AsyncGenerator[bytes, None] | None, why: AduanaError = EXPIRED
    ) -> tuple[str | None, str | None]:
        """Keep the file of what was answered and that of what was not, and return their ids; None: it has no line.

        Their ids follow from the batch's, so that what is written again takes its own place.

        Args:
            batch: The batch, which has ended.
            late: All lines of its file, where those without a result are to be in the second file.
            why: What is said of these.

        Raises:
            LeaseLost: Another gateway ends the batch.
            StoreDamaged: A result can't be opened.
            StoreUnavailable: The store can't be used.
        """
        numbers = [int(number) for number in await self._table.parts(batch.owner, batch.id)]
        output = await self._written(batch, self._kept(batch, sorted(numbers), good=True), "output")
        errors = self._kept(batch, sorted(numbers), good=False)
        if late is not None:
            errors = _chained(errors, _unasked(batch, late, frozenset(numbers), why))
        return output, await self._written(batch, errors, "error")

    async def _written(self, batch: Batch, content: AsyncGenerator[bytes, None], word: str) -> str | None:
        async with contextlib.aclosing(content):
            first = await anext(content, None)
            if first is None:
                return None

            async def lines() -> AsyncGenerator[bytes, None]:
                yield first + b"\n"
                async for line in content:
                    yield line + b"\n"

            def about() -> tuple[str, str, int | None]:
                return f"{batch.id}_{word}.jsonl", "batch_output", batch.output_seconds

            name = f"{batch.id.rpartition('_')[2]}{word}"
            return (await self._files.write(batch.owner, lines(), about, made=name, lease=batch.id)).id

    async def _kept(self, batch: Batch, numbers: list[int], *, good: bool) -> AsyncGenerator[bytes, None]:
        for number in numbers:
            content = await self._table.get(batch.owner, part(batch, number))
            if content is not None:
                result = msgspec.msgpack.decode(content, type=Result)
                if result.good is good:
                    yield result.line


async def _unasked(
    batch: Batch, lines: AsyncGenerator[bytes, None], done: frozenset[int], error: AduanaError
) -> AsyncGenerator[bytes, None]:
    """Yield what is said of lines that were not asked."""
    number = 0
    async with contextlib.aclosing(lines):
        with contextlib.suppress(BadRequest):  # the file is gone, or was never looked at and is none
            async for text in lines:
                if number not in done:
                    name = parse_line(text, batch.endpoint).custom_id
                    yield unanswered_line(_line_id(batch, number), name, error)
                number += 1


async def _chained(*parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    for one in parts:
        async with contextlib.aclosing(one):
            async for line in one:
                yield line


def _line_id(batch: Batch, number: int) -> str:
    return f"batch_req_{batch.id.rpartition('_')[2]}_{number}"

"""The queue answers each line once, in turns, when there is room, within its time, and keeps what it has."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from gateway.batches import Batch, BatchQueue, FileStore, Status
from gateway.batches.lines import Told
from gateway.core.errors import BadRequest, BudgetSpent, NotFound, RateLimited, TargetBusy
from gateway.ledger.encryption import Seal
from gateway.stored import SealedTable, TableSettings
from gateway.wire.openai.batches import NewBatch
from tests.standins.shelf import Clock, Shelf

URL = "/v1/chat/completions"
DAY = 24 * 60 * 60
ENDED = {Status.COMPLETED, Status.FAILED, Status.EXPIRED, Status.CANCELLED}


class Answering:
    """What answers lines: notes whose they are, and fails as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.errors: list[Exception] = []
        self.before: Callable[[], None] = lambda: None
        self.size = 2
        self.go = asyncio.Event()  # for tests that hold answers back

    async def answer(self, batch: Batch, body: bytes) -> Told:
        self.asked.append((batch.owner, msgspec.json.decode(body)["text"]))
        self.before()
        if self.errors:
            error = self.errors.pop(0)
            return Told(request_id="req_1", status=error.status, body=b"{}", error=error)
        return Told(request_id="req_1", status=200, body=b'"' + b"x" * self.size + b'"')


class Desk:
    """A queue with its parts."""

    def __init__(self, shelf: Shelf, clock: Clock, most_bytes: int) -> None:
        settings = TableSettings(
            file=shelf.file, setting="batches", shared=shelf.place("batches"), days=30, most_bytes=most_bytes
        )
        self.clock = clock
        self.table = SealedTable(settings, Seal(b"k" * 32, b"test"), wall=clock)
        self.files = FileStore(self.table, file_bytes=5_000_000, line_bytes=100_000, wall=clock)
        self.answers = Answering()
        self.open = True
        self.queue = BatchQueue(self.table, self.files, self.answers, room=lambda: self.open, wall=clock)

    async def upload(self, owner: str, *texts: str) -> str:
        lines = [
            msgspec.json.encode({"custom_id": text.split()[0], "method": "POST", "url": URL, "body": {"text": text}})
            for text in texts
        ]

        async def content() -> AsyncIterator[bytes]:
            for line in lines:
                yield line + b"\n"

        return (await self.files.write(owner, content(), lambda: ("in.jsonl", "batch", None))).id

    async def begin(self, owner: str, *texts: str) -> Batch:
        new = NewBatch(input_file=await self.upload(owner, *texts), endpoint=URL, metadata=None, output_seconds=None)
        return await self.queue.create(owner, new, frozenset(), ())

    async def end(self, *batches: Batch) -> list[Batch]:
        """Run until these batches have ended."""
        running = asyncio.create_task(self.queue.run())
        try:
            async with asyncio.timeout(20):
                while True:
                    found = [await self.queue.find(batch.owner, batch.id) for batch in batches]
                    if all(one is not None and one.status in ENDED for one in found):
                        return found
                    await asyncio.sleep(0.01)
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def lines(self, owner: str, file_id: str | None) -> list[str]:
        """Return the ids of a result's lines."""
        file = await self.files.find(owner, file_id) if file_id else None
        if file is None:
            return []
        return [msgspec.json.decode(line)["custom_id"] async for line in self.files.lines(owner, file)]


@asynccontextmanager
async def desk(shelf: Shelf, clock: Clock | None = None, most_bytes: int = 10**9) -> AsyncIterator[Desk]:
    """Open a desk, as one more gateway."""
    made = Desk(shelf, clock or Clock(), most_bytes)
    await made.table.open()
    try:
        yield made
    finally:
        await made.table.close()


async def test_batches_take_turns(shelf):
    """A small batch does not wait for the end of a large one."""
    async with desk(shelf) as its:
        large, small = await its.begin("ana", *"abcdef"), await its.begin("ben", "x", "y")
        ended = await its.end(large, small)
        assert [batch.status for batch in ended] == [Status.COMPLETED] * 2
        assert {text for _, text in its.answers.asked[:4]} == {"a", "b", "x", "y"}
        assert await its.lines("ana", ended[0].output_file) == list("abcdef")
        assert (ended[0].total, ended[0].completed, ended[0].failed) == (6, 6, 0)


async def test_no_line_begins_without_room_but_a_batch_can_be_cancelled(shelf):
    """While the card works for others no line begins; a cancelled batch ends all the same."""
    async with desk(shelf) as its:
        its.open = False
        waiting, cancelled = await its.begin("ana", "a"), await its.begin("ana", "b")
        await its.queue.cancel("ana", cancelled.id)
        (ended,) = await its.end(cancelled)
        assert (ended.status, its.answers.asked) == (Status.CANCELLED, [])
        assert Status.CANCELLING in ended.times
        with pytest.raises(BadRequest):
            await its.queue.cancel("ana", cancelled.id)
        assert await its.queue.cancel("ben", waiting.id) is None


@pytest.mark.parametrize(
    ("error", "asked", "failed"),
    [(TargetBusy("Full."), 2, 0), (BudgetSpent("Spent."), 1, 1), (BadRequest("No."), 1, 1)],
)
async def test_a_line_without_a_place_is_asked_again_and_no_other(shelf, monkeypatch, error, asked, failed):
    """A full queue passes; a spent budget or a mistake does not, so the line has failed, and its error is kept."""
    monkeypatch.setattr("gateway.batches.queue._FIRST_PAUSE", 0.0)
    async with desk(shelf) as its:
        its.answers.errors = [error]
        (ended,) = await its.end(await its.begin("ana", "a"))
        assert (len(its.answers.asked), ended.failed) == (asked, failed)
        assert await its.lines("ana", ended.error_file) == ["a"] * failed


async def test_a_batch_whose_limit_has_no_room_rests_while_others_go_on(shelf):
    """Its line is asked again when there is room; a wait until tomorrow has failed it."""
    async with desk(shelf) as its:
        its.answers.errors = [RateLimited("No.", retry_after=0.2), RateLimited("No.", retry_after=9_000.0)]
        limited = await its.begin("ana", "a")
        other = await its.begin("ben", "x", "y")
        ended = await its.end(limited, other)
        assert [batch.status for batch in ended] == [Status.COMPLETED] * 2
        assert [text for _, text in its.answers.asked] == ["a", "x", "y", "a"]
        assert await its.lines("ben", ended[1].error_file) == ["x"]


async def test_what_is_not_answered_in_time_is_said(shelf):
    """After its 24 hours a batch has expired: what was answered is there, every other line is an error."""
    async with desk(shelf) as its:
        batch = await its.begin("ana", "a", "b", "c")

        def too_late() -> None:
            its.clock.now += DAY

        its.answers.before = too_late
        (ended,) = await its.end(batch)
        assert ended.status is Status.EXPIRED
        assert await its.lines("ana", ended.output_file) == ["a"]
        assert await its.lines("ana", ended.error_file) == ["b", "c"]


async def test_a_stopped_queue_goes_on_where_it_was(shelf):
    """After a restart the lines with a result are not asked again, and the one that was under way is."""
    clock = Clock()
    async with desk(shelf, clock) as its:
        batch = await its.begin("ana", *"abcd")
        reached = asyncio.Event()

        async def hang(_: Batch, body: bytes) -> Told:
            if msgspec.json.decode(body)["text"] == "c":
                reached.set()
                await asyncio.Event().wait()
            return Told(request_id="req_1", status=200, body=b"{}")

        its.answers.answer = hang
        running = asyncio.create_task(its.queue.run())
        async with asyncio.timeout(10):
            await reached.wait()
        running.cancel()
        await asyncio.wait([running])
    async with desk(shelf, clock) as its:
        (ended,) = await its.end(batch)
        assert [text for _, text in its.answers.asked] == ["c", "d"]
        assert await its.lines("ana", ended.output_file) == list("abcd")
        assert ended.completed == 4


@pytest.mark.parametrize("when", ["before", "while"])
async def test_a_deleted_file_ends_its_batch(shelf, when):
    """Without its file a batch fails and says so, with what it has."""
    async with desk(shelf) as its:
        batch = await its.begin("ana", *[f"{number} {'x' * 50_000}" for number in range(60)])
        if when == "before":
            await its.files.delete("ana", batch.input_file)
        else:
            deleting: list[asyncio.Task[None]] = []
            its.answers.before = lambda: deleting.append(
                asyncio.get_running_loop().create_task(its.files.delete("ana", batch.input_file))
            )
        (ended,) = await its.end(batch)
        assert (ended.status, ended.problems[0].code) == (Status.FAILED, "file_deleted")
        assert (ended.completed > 0) is (when == "while")


async def test_a_batch_without_room_for_its_results_ends_with_what_it_has(shelf):
    """Where the store is full a batch fails and says so; its results so far are there."""
    async with desk(shelf, most_bytes=30_000) as its:
        its.answers.size = 10_000
        (ended,) = await its.end(await its.begin("ana", *"abcdef"))
        assert (ended.status, ended.problems[0].code) == (Status.FAILED, "storage_full")
        assert await its.lines("ana", ended.output_file) == ["a", "b"]


async def test_a_batch_needs_a_file_of_its_owner_for_batches(shelf):
    """Another owner's file is not there, and a result is no input."""
    async with desk(shelf) as its:
        (ended,) = await its.end(await its.begin("ana", "a"))
        for owner, file, error in (("ben", ended.input_file, NotFound), ("ana", ended.output_file, BadRequest)):
            new = NewBatch(input_file=file or "", endpoint=URL, metadata=None, output_seconds=None)
            with pytest.raises(error):
                await its.queue.create(owner, new, frozenset(), ())


async def test_a_file_expires_when_it_was_asked_to(shelf):
    """A file that is to be kept for an hour is gone after it, also from the disk."""
    async with desk(shelf) as its:

        async def content() -> AsyncIterator[bytes]:
            yield b"x" * 3_000_000

        file = await its.files.write("ana", content(), lambda: ("in.jsonl", "batch", 3600))
        its.clock.now += 3601
        assert await its.files.find("ana", file.id) is None
        assert await its.files.all("ana") == []
        expiring = asyncio.create_task(its.files.expire())
        async with asyncio.timeout(10):
            while await its.table.parts("ana", file.id):  # noqa: ASYNC110 - a table has no event
                await asyncio.sleep(0.01)
        expiring.cancel()
        await asyncio.wait([expiring])


async def test_half_a_file_leaves_nothing(shelf):
    """An upload that breaks off is not there, and its pieces are deleted."""
    async with desk(shelf) as its:

        async def content() -> AsyncIterator[bytes]:
            yield b"x" * 2_500_000
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            await its.files.write("ana", content(), lambda: ("in.jsonl", "batch", None))
        await its.table.put("ana", {"file-crashed/0": b"x"})
    clock = Clock()
    clock.now += DAY  # others could still be writing it, where the table is shared
    async with desk(shelf, clock) as its:
        assert await its.files.all("ana") == []
        assert await its.table.parts("ana", "file-crashed") == []

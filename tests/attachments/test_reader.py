"""The real worker process: what it reads, what is remembered, and what happens when it is late or dies."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.attachments.reader import AttachmentReader, ReaderSettings
from gateway.attachments.worker.parts import Limits
from gateway.core.attachment import FileKind


@pytest_asyncio.fixture
async def reader() -> AsyncIterator[AttachmentReader]:
    """A reader with one process."""
    one = AttachmentReader(ReaderSettings())
    yield one
    await one.close()


def children() -> list[int]:
    """Worker processes of this test."""
    return [
        int(line)
        for line in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        if re.search(rb"attachments.worker|hostile_reader", Path(f"/proc/{line}/cmdline").read_bytes())
    ]


async def test_a_text_is_read_whole(reader: AttachmentReader) -> None:
    """A plain text comes back as it stands."""
    reading = await reader.read("María, DNI 12345678Z\n".encode(), name="note.txt")
    assert reading.kind is FileKind.TEXT
    assert reading.whole
    assert [piece.text for piece in reading.pieces] == ["María, DNI 12345678Z\n"]


async def test_nothing_starts_before_the_first_file(reader: AttachmentReader) -> None:
    """A gateway that no file ever reaches has no process for them."""
    assert children() == []
    await reader.read(b"hello")
    assert len(children()) == 1


async def test_what_is_known_needs_no_process(reader: AttachmentReader) -> None:
    """The same bytes are answered from memory, also while the process is gone."""
    first = await reader.read(b"hello")
    os.kill(children()[0], 9)
    assert await reader.read(b"hello") is first


async def test_a_process_that_died_is_started_again(reader: AttachmentReader) -> None:
    """Whatever killed it between two files, the next file is read."""
    await reader.read(b"first")
    os.kill(children()[0], 9)
    readings = [await reader.read(b"second"), await reader.read(b"third")]
    assert readings[-1].whole


async def test_a_name_that_lies_is_not_whole(reader: AttachmentReader) -> None:
    """Whoever opens the file by its name would see something else than was read."""
    reading = await reader.read(b"<html><p>hello</p></html>", name="scan.pdf")
    assert not reading.whole
    assert reading.reasons == ("extension",)


async def test_files_that_come_together_are_all_read(reader: AttachmentReader) -> None:
    """They take turns at one process."""
    readings = await asyncio.gather(*(reader.read(f"file {number}".encode()) for number in range(8)))
    assert [reading.pieces[0].text for reading in readings] == [f"file {number}" for number in range(8)]
    assert len(children()) == 1


@pytest.mark.parametrize(
    ("bug", "reason"),
    [
        ("abort", "reader_failed"),
        ("exit", "reader_failed"),
        ("garbage", "reader_failed"),
        ("length", "reader_failed"),
        ("place", "reader_failed"),
        ("hang", "time"),
        ("memory", "memory"),
        ("recursion", "broken"),
    ],
)
async def test_a_bug_costs_one_file(bug: str, reason: str) -> None:
    """A reader that crashes, hangs or eats memory leaves a file that is not whole, with what was read before it."""
    settings = ReaderSettings(module="tests.standins.hostile_reader", limits=Limits(seconds=0.5), memory_bytes=2**28)
    reader = AttachmentReader(settings)
    try:
        reading = await reader.read(f"bug: {bug}".encode())
        assert not reading.whole
        assert reading.reasons == (reason,)
        assert [piece.text for piece in reading.pieces] == ["before the bug"]
        after = await reader.read(b"the next file")
        assert after.whole
        assert [piece.text for piece in after.pieces] == ["the next file"]
    finally:
        await reader.close()


async def test_a_worker_that_was_taken_over_cannot_fill_memory() -> None:
    """Pieces without end are cut off at a number, and the process is ended."""
    settings = ReaderSettings(module="tests.standins.hostile_reader", limits=Limits(seconds=60))
    reader = AttachmentReader(settings)
    async with asyncio.timeout(60):
        reading = await reader.read(b"bug: flood")
    assert reading.reasons == ("reader_failed",)
    assert len(reading.pieces) == 50_000
    assert children() == []
    await reader.close()


async def test_a_caller_that_leaves_takes_nothing_with_it() -> None:
    """What it asked for ends within the time limit, and whoever comes next gets an answer of its own."""
    settings = ReaderSettings(module="tests.standins.hostile_reader", limits=Limits(seconds=0.5))
    reader = AttachmentReader(settings)
    try:
        left = asyncio.create_task(reader.read(b"bug: hang"))
        await asyncio.sleep(0)
        left.cancel()
        assert [piece.text for piece in (await reader.read(b"mine")).pieces] == ["mine"]
        assert left.cancelled()
    finally:
        await reader.close()


async def test_a_reader_that_cannot_start_says_so() -> None:
    """Readings fail at once instead of waiting, and none is remembered."""
    reader = AttachmentReader(ReaderSettings(module="tests.no_such_module"))
    readings = [await reader.read(b"hello") for _ in range(3)]
    assert {reading.reasons for reading in readings} == {("reader_failed",)}
    await reader.close()


async def test_closing_ends_the_process_and_what_it_reads() -> None:
    """Whoever waits for a reading gets one that is not whole."""
    reader = AttachmentReader(ReaderSettings(module="tests.standins.hostile_reader"))
    await reader.read(b"hello")
    waiting = asyncio.create_task(reader.read(b"bug: hang"))
    await asyncio.sleep(0)
    await reader.close()
    assert (await waiting).reasons == ("reader_failed",)
    assert children() == []


async def test_a_process_without_files_ends() -> None:
    """After a while without one; and the next file starts it again."""
    reader = AttachmentReader(ReaderSettings(idle_seconds=0.01))
    await reader.read(b"first")
    async with asyncio.timeout(30):
        while children():  # noqa: ASYNC110 - processes can only be looked at
            await asyncio.sleep(0.01)
    assert (await reader.read(b"second")).whole
    await reader.close()


async def test_the_process_knows_nothing_of_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key that stands in the gateway's environment is in the worker's, and no descriptor but its pipes."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    reader = AttachmentReader(ReaderSettings())
    await reader.read(b"hello")
    try:
        (worker,) = children()
        assert b"sk-secret" not in Path(f"/proc/{worker}/environ").read_bytes()
        open_files = {os.readlink(entry) for entry in Path(f"/proc/{worker}/fd").iterdir()}
        assert not [name for name in open_files if not name.startswith("pipe:") and name != "/dev/null"]
    except PermissionError:
        pytest.skip("only root may look into the worker: it can't be inspected from outside")
    finally:
        await reader.close()


async def test_what_holds_the_process_is_known() -> None:
    """On Linux at least its limits hold, and the owner is told which walls stand."""
    reader = AttachmentReader(ReaderSettings())
    assert reader.protection is None
    reader.start()
    await reader.read(b"hello")
    assert reader.protection is not None
    assert "limits" in reader.protection
    await reader.close()

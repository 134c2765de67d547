"""How readers of files are put together: whose file comes next."""

import asyncio

import pytest

from gateway.app.attachments import turns
from gateway.attachments.reader import AttachmentReader, ReaderSettings, Turn


async def order_of_turns(turn: Turn, *keys: str) -> list[str]:
    """Return whose files were read one after the other, where all came at once."""
    done: list[str] = []

    async def read(key: str) -> None:
        async with turn(key):
            await asyncio.sleep(0)
            done.append(key)

    await asyncio.gather(*map(read, keys))
    return done


async def test_many_files_of_one_key_keep_nobody_waiting() -> None:
    """Where one key has sent fifty scans, the letter of another is read next."""
    order = await order_of_turns(turns(1), *["scans"] * 50, "letter")
    assert order.index("letter") <= 1
    assert len(order) == 51


async def test_files_of_one_key_come_in_their_order() -> None:
    """Nobody overtakes within a key."""
    reader = AttachmentReader(ReaderSettings(), turns(1))
    done: list[int] = []

    async def read(number: int, key: str) -> None:
        reading = await reader.read(f"file {number}".encode(), key=key)
        assert reading.whole
        done.append(number)

    try:
        await asyncio.gather(*(read(number, "scans") for number in range(6)), read(6, "letter"))
    finally:
        await reader.close()
    assert [number for number in done if number < 6] == list(range(6))
    assert done.index(6) <= 2


async def test_who_leaves_while_waiting_leaves_no_gap() -> None:
    """A turn that nobody takes any more goes to the next one."""
    turn = turns(1)
    async with turn("first"):
        gone = asyncio.create_task(order_of_turns(turn, "gone"))
        after = asyncio.create_task(order_of_turns(turn, "after"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
    async with asyncio.timeout(10):
        assert await after == ["after"]


async def test_a_flood_is_refused_and_others_still_get_in() -> None:
    """One key can't have every place: what is too much is a file that is not read, never an endless wait."""
    turn = turns(1)

    async def passing(key: str) -> None:
        async with turn(key):
            pass

    async with turn("first"):
        waiting = [asyncio.create_task(passing("flood")) for _ in range(1_024)]
        await asyncio.sleep(0)
        refused = [task for task in waiting if task.done()]
        assert refused
        with pytest.raises(TimeoutError):
            refused[0].result()
        other = asyncio.create_task(passing("other"))
        await asyncio.sleep(0)
        assert not other.done()
        for task in waiting:
            task.cancel()
    async with asyncio.timeout(10):
        await other

"""Gateways that share a database see what each of them keeps, in turns, and no two of them do the same work."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from gateway.core.errors import ConfigurationError, TooLarge
from gateway.ledger.encryption import Seal
from gateway.stored import (
    Conversation,
    LeaseLost,
    ResponseStore,
    SealedTable,
    StoreSettings,
    TableSettings,
    erase_shared,
)
from gateway.stored.database_thread import StoreUnavailable
from tests.standins.postgresql import Postgresql
from tests.standins.shelf import Clock, Shelf
from tests.stored.test_store import opened, record

KEY = b"k" * 32


@asynccontextmanager
async def table(shelf: Shelf, clock: Clock | None = None, most_bytes: int = 10**9) -> AsyncIterator[SealedTable]:
    """A table of files, as one more gateway uses it."""
    kept = TableSettings(
        file=shelf.file, setting="batches", shared=shelf.place("batches"), days=30, most_bytes=most_bytes
    )
    made = SealedTable(kept, Seal(KEY, b"batches"), wall=clock or Clock())
    await made.open()
    try:
        yield made
    finally:
        await made.close()


async def test_what_one_keeps_another_continues(shared: Shelf) -> None:
    """A response is read and continued at the other gateway, and is gone at both when one deletes it."""
    async with opened(shared) as one, opened(shared) as two:
        await one.keep("ana", record(1))
        await two.keep("ana", record(2, previous="resp_1"), renewed=("resp_1",))
        turns = await one.turns("ana", "resp_2")
        assert turns is not None
        assert [turn.id for turn in turns] == ["resp_1", "resp_2"]
        assert turns[0].inherited == record().inherited
        await two.delete("ana", "resp_1")
        assert await one.turns("ana", "resp_2") is None


async def test_a_conversation_keeps_what_both_add_at_once(shared: Shelf) -> None:
    """Two gateways lengthen one conversation at the same time: nothing of either is lost."""
    async with opened(shared) as one, opened(shared) as two:
        await one.keep("ana", Conversation(id="conv_1", created=1, metadata={}))
        async with asyncio.timeout(60):
            await asyncio.gather(
                *(
                    (one, two)[number % 2].keep(
                        "ana", msgspec.structs.replace(record(number, conversation="conv_1"), items=(b"%d" % number,))
                    )
                    for number in range(20)
                )
            )
        grown = await one.conversation("ana", "conv_1")
        assert grown is not None
        assert set(grown.items) >= {b"%d" % number for number in range(20)}
        assert len(grown.items) == 40


async def test_the_size_is_that_of_all_gateways(shared: Shelf) -> None:
    """Room is made, and refused, for what all of them have stored together."""
    clock = Clock()
    async with opened(shared, clock, most_bytes=7000) as one, opened(shared, clock, most_bytes=7000) as two:
        for number in range(4):
            clock.now += 1
            await (one, two)[number % 2].keep("ana", record(number, size=2000))
        assert await two.response("ana", "resp_0") is None
        assert await one.response("ana", "resp_1") is not None
    async with table(shared, most_bytes=1000) as one, table(shared, most_bytes=1000) as two:
        await one.put("ana", {"file-1": b"x" * 300, "file-1/0": b"x" * 300})
        for _ in range(3):  # what takes another's place counts once
            await one.put("ana", {"file-1": b"x" * 300}, bounded=False)
        with pytest.raises(TooLarge):
            await two.put("ana", {"file-2": b"x" * 600})
        await two.delete("ana", "file-1")
        await two.put("ana", {"file-2": b"x" * 600})
    assert shared.run("SELECT store, owner, bytes FROM stored_sizes ORDER BY store") == shared.run(
        "SELECT store, owner, sum(bytes)::bigint FROM {0} GROUP BY store, owner ORDER BY store"
    )


async def test_a_gateway_with_another_key_does_not_start(shared: Shelf) -> None:
    """One that could not open what others have sealed says so and what to do, and changes nothing."""
    async with opened(shared) as store:
        await store.keep("ana", record(1))
    with pytest.raises(ConfigurationError, match=r"'taint\.key' in this state directory") as told:
        async with opened(shared, secret=b"x" * 32):
            pass
    assert "responses: {store: off}" in str(told.value)
    async with opened(shared) as store:
        assert await store.response("ana", "resp_1") == record(1)


async def test_what_others_use_is_not_erased(shared: Shelf) -> None:
    """A gateway where nothing is to be stored erases everything, unless another one stores there now."""
    unused = shared.place(using=False)
    assert unused is not None
    async with opened(shared) as store:
        await store.keep("ana", record(1))
        assert erase_shared(unused, "responses") is None
        assert await store.response("ana", "resp_1") is not None
    assert erase_shared(unused, "responses") is True
    assert erase_shared(unused, "responses") is False
    unused.close()
    assert shared.rows("id") == []
    async with opened(shared, secret=b"x" * 32) as store:  # nothing is left that another key has sealed
        assert await store.response("ana", "resp_1") is None


async def test_a_lease_is_one_gateways(shared: Shelf) -> None:
    """Of two gateways one has a lease, until it is released or has ended; nothing is written without it."""
    async with table(shared) as one, table(shared) as two:
        await one.put("ana", {"batch_1": b"0"})
        assert await one.take(("batch_1", "batch_2"), 60) == ("batch_1", False)
        assert await one.take(("batch_1",), 60) == ("batch_1", True)
        assert await two.take(("batch_1", "batch_2"), 60) == ("batch_2", False)
        assert await two.take(("batch_1",), 60) is None
        with pytest.raises(LeaseLost):
            await two.put("ana", {"batch_1": b"1"}, lease="batch_1")
        with pytest.raises(LeaseLost):
            await two.change("ana", "batch_1", lambda _: {"batch_1": b"1"}, lease="batch_1")
        assert await one.change("ana", "batch_1", lambda found: {"batch_1": found + b"1"}, lease="batch_1")
        assert await two.get("ana", "batch_1") == b"01"
        await one.release(("batch_1",))
        assert await two.take(("batch_1",), 60) == ("batch_1", False)
        assert await one.renew(("batch_1", "batch_2"), 60) == []
        assert await two.take(("batch_2",), 0.0) == ("batch_2", True)
        assert await one.take(("batch_2",), 60) == ("batch_2", False)
        with pytest.raises(LeaseLost):
            await two.put("ana", {"batch_2": b"1"}, lease="batch_2")


async def test_what_another_gateway_is_writing_stays(shared: Shelf) -> None:
    """A start deletes parts without their record only when nobody can be writing that any more."""
    clock = Clock()
    async with table(shared, clock) as one:
        await one.put("ana", {"file-1/0": b"x"})
        async with table(shared, clock):
            assert await one.get("ana", "file-1/0") == b"x"
        clock.now += 3 * 60 * 60
        async with table(shared, clock):
            assert await one.get("ana", "file-1/0") is None


async def test_a_server_that_is_gone_is_told_and_found_again(shared: Shelf, postgresql) -> None:
    """While the database is away reads and writes say so at once; when it is back they work, without a restart."""
    async with opened(shared) as store:
        await store.keep("ana", record(1))
        postgresql.stop(signal.SIGQUIT)
        try:
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await store.response("ana", "resp_1")
                with pytest.raises(StoreUnavailable):
                    await store.keep("ana", record(2))
        finally:
            postgresql.start()
        async with asyncio.timeout(30):
            while True:
                try:
                    assert await store.response("ana", "resp_1") == record(1)
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.05)
        postgresql.stop(signal.SIGQUIT)
        postgresql.start()
        await store.keep("ana", record(3))  # a restart between two requests costs nobody one
        assert await store.response("ana", "resp_2") is None


async def test_a_server_that_stands_still_keeps_nobody_from_stopping(
    shared: Shelf, postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections stay open and it says nothing: whoever asks is told so, and the store can be closed."""
    monkeypatch.setattr("gateway.stored.store._SECONDS", 0.5)
    async with opened(shared) as store:
        await store.keep("ana", record(1))
        with postgresql.frozen():
            async with asyncio.timeout(30):
                with pytest.raises(StoreUnavailable):
                    await store.keep("ana", record(2))
                await store.close()
    async with opened(shared) as store:
        assert await store.response("ana", "resp_1") == record(1)


async def test_a_store_that_can_not_be_reached_does_not_start(shared: Shelf, postgresql) -> None:
    """The error says where the database is, and what is wrong."""
    place = shared.place()
    postgresql.stop(signal.SIGQUIT)
    try:
        store = ResponseStore(StoreSettings(directory=shared.folder, shared=place), Seal(KEY, b"responses"))
        with pytest.raises(ConfigurationError, match="can't be reached"):
            await store.open()
    finally:
        postgresql.start()


async def test_what_a_file_had_is_taken_over(shared: Shelf) -> None:
    """A gateway that stood alone brings what it stored; the file is gone then, and the other gateways have it."""
    alone = Shelf(shared.folder)
    async with opened(alone) as store:
        for number in range(40):
            await store.keep("ana", record(number))
    async with opened(Shelf(shared.folder / "other", shared.address)) as two:
        await two.keep("ana", record(7, size=99))  # as after a take-over that was broken off, and changed since
        async with opened(shared):
            assert not alone.file.exists()
            assert await two.response("ana", "resp_39") == record(39)
            assert await two.response("ana", "resp_7") == record(7, size=99)


async def test_what_can_not_be_read_stays_in_the_file(shared: Shelf) -> None:
    """What was sealed under another key than the gateways' own is neither taken over nor deleted."""
    alone = Shelf(shared.folder)
    async with opened(alone, secret=b"x" * 32) as store:
        await store.keep("ana", record(1))
    async with opened(alone) as store:
        await store.keep("ana", record(2))
    async with opened(shared) as store:
        assert await store.response("ana", "resp_2") == record(2)
        assert await store.response("ana", "resp_1") is None
    assert alone.rows("id") == [("resp_1",)]


async def test_a_file_that_is_damaged_is_left_as_it_is(shared: Shelf) -> None:
    """The gateway does not start, and the error says what can be done."""
    Shelf(shared.folder).file.write_bytes(b"rubbish" * 1000)
    with pytest.raises(ConfigurationError, match="move it away"):
        async with opened(shared):
            pass

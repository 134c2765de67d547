"""The store keeps what it acknowledged, for its owner alone, within its bounds, and uses nothing that was changed."""

import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import AduanaError, ConfigurationError, TooLarge
from gateway.core.labels import Label
from gateway.core.request import Inherited
from gateway.ledger.encryption import Seal
from gateway.stored import FILE_NAME, Conversation, ResponseStore, StoredResponse, StoreSettings, erase_store
from gateway.stored.database_thread import StoreDamaged, StoreUnavailable
from tests.standins.shelf import Clock, Shelf

DAY = 24 * 60 * 60.0
PRIVATE = Inherited(label=Label.SENSITIVE, causes=frozenset({"id.national"}), tags=frozenset({"health"}))


def record(number: int = 1, size: int = 10, **fields: object) -> StoredResponse:
    return StoredResponse(
        id=f"resp_{number}", items=(b'{"id":"in"}',), output=(b'{"id":"out"}',), body=b"x" * size,
        inherited=fields.pop("inherited", PRIVATE), **fields,
    )  # fmt: skip


@asynccontextmanager
async def opened(
    shelf: Shelf, clock: Callable[[], float] | None = None, secret: bytes = b"k" * 32, **bounds: int
) -> AsyncIterator[ResponseStore]:
    kept = StoreSettings(directory=shelf.folder, shared=shelf.place(), **bounds)
    store = ResponseStore(kept, Seal(secret, b"responses"), wall=clock or Clock())
    await store.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        yield store


async def test_what_was_kept_is_there_after_a_restart(shelf: Shelf) -> None:
    """A record comes back as it was, with what it hands down; the file is its owner's alone and shows no text."""
    kept = msgspec.structs.replace(record(), body=b"Marker-text")
    async with opened(shelf) as store:
        await store.keep("ana", kept)
    assert shelf.rows("id") == [(kept.id,)]
    assert not any(b"Marker-text" in sealed for (sealed,) in shelf.rows("sealed"))
    if shelf.address is None:
        assert stat.S_IMODE(shelf.file.stat().st_mode) == 0o600
        assert b"Marker-text" not in shelf.file.read_bytes()
    async with opened(shelf) as store:
        assert await store.response("ana", kept.id) == kept
        assert await store.response("ben", kept.id) is None
        await store.delete("ben", kept.id)
        assert await store.response("ana", kept.id) == kept


async def test_a_deleted_record_is_overwritten(tmp_path: Path) -> None:
    """What is deleted is not in the file any more, not even sealed, and neither in its journal."""
    async with opened(Shelf(tmp_path)) as store:
        await store.keep("ana", record(size=50_000))
        with sqlite3.connect(tmp_path / FILE_NAME) as database:
            sealed = database.execute("SELECT sealed FROM records").fetchone()[0]
        database.close()
        piece = sealed[20_000:20_100]
        assert piece in (tmp_path / FILE_NAME).read_bytes()
        await store.delete("ana", "resp_1")
        assert await store.response("ana", "resp_1") is None
        for file in tmp_path.iterdir():
            assert piece not in file.read_bytes()


async def test_turns_are_given_whole_or_not_at_all(shelf: Shelf) -> None:
    """The turns that a response continues come in their order; where one is missing, nothing does."""
    async with opened(shelf) as store:
        for number in (1, 2, 3):
            await store.keep("ana", record(number, previous=f"resp_{number - 1}" if number > 1 else None))
        turns = await store.turns("ana", "resp_3")
        assert turns is not None
        assert [turn.id for turn in turns] == ["resp_1", "resp_2", "resp_3"]
        assert await store.turns("ben", "resp_3") is None
        await store.delete("ana", "resp_2")
        assert await store.turns("ana", "resp_3") is None
        assert await store.turns("ana", "resp_1") is not None


async def test_turns_that_are_longer_than_a_request_are_refused(shelf: Shelf) -> None:
    """All that is continued together is bounded like a body."""
    async with opened(shelf, chain_bytes=3000) as store:
        await store.keep("ana", record(1, size=2000))
        await store.keep("ana", record(2, size=2000, previous="resp_1"))
        assert await store.turns("ana", "resp_1") is not None
        with pytest.raises(TooLarge):
            await store.turns("ana", "resp_2")


async def test_what_is_old_expires_and_what_is_continued_stays(shelf: Shelf) -> None:
    """A record goes after its days; being continued renews it, so that a running conversation keeps its beginning."""
    clock = Clock()
    async with opened(shelf, clock, days=30) as store:
        for number in (1, 2):
            await store.keep("ana", record(number))
        clock.now += 20 * DAY
        await store.keep("ana", record(3, previous="resp_2"), renewed=("resp_2",))
        clock.now += 20 * DAY
        assert await store.response("ana", "resp_1") is None
        assert await store.turns("ana", "resp_3") is not None
    async with opened(shelf, clock, days=30):
        assert set(shelf.rows("id")) == {("resp_2",), ("resp_3",)}


async def test_beyond_its_size_the_oldest_go(shelf: Shelf) -> None:
    """All records together are bounded; those that were not continued for the longest time make room."""
    clock = Clock()
    async with opened(shelf, clock, most_bytes=7000, record_bytes=6000) as store:
        for number in (1, 2, 3):
            clock.now += 1
            await store.keep("ana", record(number, size=2000), renewed=("resp_1",))
        clock.now += 1
        await store.keep("ana", record(4, size=2000))
        there = [number for number in (1, 2, 3, 4) if await store.response("ana", f"resp_{number}")]
        assert there == [1, 3, 4]
        with pytest.raises(TooLarge):
            await store.keep("ana", record(5, size=6000))
        assert await store.response("ana", "resp_5") is None


async def test_beyond_the_size_of_its_key_its_own_oldest_go(shelf: Shelf) -> None:
    """What one key stores makes no room at the cost of another's, however much it is."""
    clock = Clock()
    async with opened(shelf, clock, most_bytes=50_000, owner_bytes=7000, record_bytes=6000) as store:
        await store.keep("ben", record(9, size=2000))
        for number in (1, 2, 3, 4):
            clock.now += 1
            await store.keep("ana", record(number, size=2000))
        assert [number for number in (1, 2, 3, 4) if await store.response("ana", f"resp_{number}")] == [2, 3, 4]
        assert await store.response("ben", "resp_9") is not None


HARMS = {
    "altered": "UPDATE {} SET sealed = substr(sealed, 1, 40) WHERE id = 'resp_1'",
    "cut short": "UPDATE {} SET sealed = substr(sealed, 1, 0) WHERE id = 'resp_1'",
    "exchanged": "UPDATE {0} SET sealed = (SELECT sealed FROM {0} WHERE id = 'resp_2') WHERE id = 'resp_1'",
}


@pytest.mark.parametrize("harm", HARMS)
async def test_what_was_changed_is_not_used(shelf: Shelf, harm: str) -> None:
    """A record that was altered or put in another's place is refused, and so is a chain."""
    async with opened(shelf) as store:
        await store.keep("ana", record(1))
        await store.keep("ana", record(2, inherited=Inherited()))
        await store.keep("ana", record(3, previous="resp_1"))
    shelf.run(HARMS[harm])
    async with opened(shelf) as store:
        with pytest.raises(StoreDamaged):
            await store.response("ana", "resp_1")
        with pytest.raises(StoreDamaged):
            await store.turns("ana", "resp_3")


async def test_what_another_key_has_sealed_is_not_used(tmp_path: Path) -> None:
    """A record in a file that was sealed under another key is refused."""
    async with opened(Shelf(tmp_path)) as store:
        await store.keep("ana", record(1))
    async with opened(Shelf(tmp_path), secret=b"x" * 32) as store:
        with pytest.raises(StoreDamaged):
            await store.response("ana", "resp_1")


async def test_a_conversation_grows_with_its_responses(shelf: Shelf) -> None:
    """A response in a conversation is kept with it; the conversation hands down the highest label it ever had."""
    held = Conversation(id="conv_1", created=1, metadata={}, items=(b'{"id":"a"}',))
    async with opened(shelf) as store:
        await store.keep("ana", held)
        await store.keep("ana", record(1, conversation="conv_1"))
        await store.keep("ana", record(2, conversation="conv_1", inherited=Inherited()))
        grown = await store.conversation("ana", "conv_1")
        assert grown is not None
        assert grown.items == (b'{"id":"a"}', *(b'{"id":"in"}', b'{"id":"out"}') * 2)
        assert grown.inherited == PRIVATE
        emptied = await store.change("ana", "conv_1", lambda one: msgspec.structs.replace(one, items=()))
        assert emptied is not None
        assert emptied.inherited == PRIVATE
        assert await store.change("ben", "conv_1", lambda one: one) is None
        await store.delete("ana", "conv_1")
        with pytest.raises(StoreUnavailable):
            await store.keep("ana", record(3, conversation="conv_1"))
        assert await store.response("ana", "resp_3") is None


async def test_a_foreign_file_is_left_as_it_is(tmp_path: Path) -> None:
    """A file of another program is not written to, and the error says what can be done."""
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(ConfigurationError, match=r"responses: \{store: off\}"):
        async with opened(Shelf(tmp_path)):
            pass
    assert (tmp_path / FILE_NAME).read_bytes() == before


async def test_a_store_that_fails_says_so(tmp_path: Path) -> None:
    """A write that the disk refuses is an error, never a silent loss."""
    async with opened(Shelf(tmp_path)) as store:
        (tmp_path / FILE_NAME).write_bytes(b"rubbish" * 1000)
        with pytest.raises(AduanaError):
            await store.keep("ana", record())


def test_erasing_takes_every_file(tmp_path: Path) -> None:
    """Nothing of the store is left, and nothing else is touched."""
    for name in (FILE_NAME, f"{FILE_NAME}-journal", "ledger.sqlite3"):
        (tmp_path / name).write_bytes(b"x")
    assert erase_store(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.sqlite3"]
    assert not erase_store(tmp_path)

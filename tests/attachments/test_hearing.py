"""Recordings in attachments: what is heard joins what is read, once for each recording."""

import asyncio

from gateway.attachments.hearing import HearingReader
from gateway.core.attachment import FileKind, Piece, Reading

TAGS = Piece(place="tags", text="An interview")
SAID = Piece(place="0:00–0:05", text="My name is Anna.", recognised=True)
WHOLE = Reading(kind=FileKind.SOUND, pieces=(SAID,), whole=True)


class Reader:
    """A reader of files that knows recordings by their first letter."""

    async def read(self, data: bytes, *, name: str = "", key: str = "") -> Reading:
        """Return what stands in it."""
        kind = {b"s": FileKind.SOUND, b"v": FileKind.VIDEO}.get(data[:1], FileKind.TEXT)
        if kind is FileKind.TEXT:
            return Reading(kind=kind, pieces=(Piece(place="", text="Hello"),), whole=True)
        return Reading(kind=kind, pieces=(TAGS,), reasons=("recording",))


class Ear:
    """A hearer that waits until it may answer."""

    def __init__(self, *answers: Reading) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []
        self.asked = asyncio.Event()
        self.may = asyncio.Event()
        self.may.set()

    async def hear(self, data: bytes) -> Reading:
        """Return the next answer."""
        self.heard.append(data)
        self.asked.set()
        await self.may.wait()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_what_is_heard_joins_what_is_read() -> None:
    """A recording that was heard surely is read whole; it is heard once."""
    ear = Ear(WHOLE)
    reader = HearingReader(Reader(), ear.hear)
    for _ in range(2):
        assert await reader.read(b"sound") == Reading(kind=FileKind.SOUND, pieces=(TAGS, SAID), whole=True)
    assert ear.heard == [b"sound"]
    assert (await reader.read(b"text")).whole
    await reader.close()


async def test_a_film_is_never_whole() -> None:
    """What it shows stays unread."""
    reading = await HearingReader(Reader(), Ear(WHOLE).hear).read(b"video")
    assert (reading.pieces, reading.whole, reading.reasons) == ((TAGS, SAID), False, ("recording",))


async def test_why_a_recording_is_not_whole_is_told() -> None:
    """In the hearer's words, in place of the reader's."""
    heard = Reading(pieces=(SAID,), reasons=("low_confidence", "numbers"))
    reading = await HearingReader(Reader(), Ear(heard).hear).read(b"sound")
    assert (reading.whole, reading.reasons) == (False, ("low_confidence", "numbers"))


async def test_what_failed_is_heard_again() -> None:
    """A model that was busy or still loading is no fact about the recording."""
    ear = Ear(Reading(reasons=("time",)), WHOLE)
    reader = HearingReader(Reader(), ear.hear)
    assert not (await reader.read(b"sound")).whole
    assert (await reader.read(b"sound")).whole


async def test_requests_with_the_same_recording_share_its_hearing() -> None:
    """One who goes away leaves the others what they wait for."""
    ear = Ear(WHOLE)
    ear.may.clear()
    reader = HearingReader(Reader(), ear.hear)
    first, second = (asyncio.create_task(reader.read(b"sound")) for _ in range(2))
    await ear.asked.wait()
    first.cancel()
    ear.may.set()
    assert (await second).whole
    assert ear.heard == [b"sound"]


async def test_closing_ends_what_is_heard() -> None:
    """Whoever waits gets what was read."""
    ear = Ear(WHOLE)
    ear.may.clear()
    reader = HearingReader(Reader(), ear.hear)
    waiting = asyncio.create_task(reader.read(b"sound"))
    await ear.asked.wait()
    await reader.close()
    assert (await waiting).reasons == ("recording",)

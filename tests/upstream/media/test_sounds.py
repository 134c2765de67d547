"""Speech as servers send it: bytes that go on as they come."""

from itertools import chain

import pytest

from gateway.core.delta import Delta, Finish, Sound, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import TargetProtocolError
from gateway.upstream.body import BodyShape
from gateway.upstream.media.sounds import SoundBody, speech_wanted

DOCUMENT = freeze_object({"model": "tts-1", "input": "Good morning.", "stream_format": "sse", "voice": "ash"})


def body(media_type: str = "audio/mpeg", most_bytes: int = 1000) -> SoundBody:
    """Return the reader of an answer."""
    return SoundBody("mouth", DOCUMENT, BodyShape(content_type=media_type, content_encoding="", most_bytes=most_bytes))


def test_bytes_go_on_as_they_come() -> None:
    """Each piece is one delta; the end counts the characters that were spoken."""
    reader = body()
    pieces: list[Delta] = [*chain(*reader.feed(b"ID3")), *chain(*reader.feed(b"more"))]
    assert pieces == [Sound(data=b"ID3", media_type="audio/mpeg"), Sound(data=b"more", media_type="audio/mpeg")]
    assert not reader.done
    finish, report = reader.end()
    assert isinstance(finish, Finish)
    assert isinstance(report, UsageReport)
    assert (report.usage.spoken_characters, report.usage.output_audio, reader.done) == (13, 19, True)


def test_events_are_made_here() -> None:
    """A server is asked for plain bytes."""
    assert speech_wanted(DOCUMENT) == {"model": "tts-1", "input": "Good morning.", "voice": "ash"}


@pytest.mark.parametrize("media_type", ["application/json", "text/html; charset=utf-8"])
def test_what_is_no_sound_is_refused(media_type: str) -> None:
    """A proxy's page is no recording."""
    with pytest.raises(TargetProtocolError):
        body(media_type)


def test_an_empty_recording_is_a_fault() -> None:
    """No client can play it."""
    with pytest.raises(TargetProtocolError, match="empty"):
        list(body().end())


def test_an_endless_recording_ends() -> None:
    """Behind the limit of size nothing more is taken."""
    reader = body(most_bytes=100)
    with pytest.raises(TargetProtocolError):
        for _ in range(3):
            list(reader.feed(bytes(60)))

"""Requests for speech: what is understood of them, and what an answer looks like."""

import json
from typing import Any

import pytest

from gateway.core.delta import Delta, Finish, FinishReason, Sound, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import BadRequest, TargetProtocolError
from gateway.core.target import Voice
from gateway.core.usage import Usage
from gateway.wire.openai.speech import SpeechBytes, SpeechEvents, parse_speech, voices_body, wants_events

END: tuple[Delta, ...] = (Finish(reason=FinishReason.STOP), UsageReport(usage=Usage(spoken_characters=5)))


def spoken(**fields: Any) -> Any:
    """Return the request of a document."""
    return parse_speech(freeze_object({"model": "tts-1", "input": "Good morning."} | fields))


def test_a_request_for_speech_is_understood() -> None:
    """Whatever it asks for comes as it is made; MP3 where nothing is said."""
    request = spoken(voice={"id": "voice_1"}, speed=2, stream_format="sse")
    assert (request.text, request.voice, request.response_format, request.speed) == (
        "Good morning.", "voice_1", "mp3", 2.0,
    )  # fmt: skip
    assert request.stream
    assert wants_events(request)
    assert spoken().voice == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"input": ""},
        {"input": " \n"},
        {"input": "a" * 100_001},
        {"response_format": "midi"},
        {"speed": 9},
        {"voice": "a\nb"},
        {"stream_format": "ws"},
    ],
)
def test_what_is_wrong_with_a_text_is_said(fields: dict[str, Any]) -> None:
    """A client error that names the field."""
    with pytest.raises(BadRequest) as refused:
        spoken(**fields)
    assert refused.value.param == next(iter(fields))


def test_speech_is_its_bytes_or_events() -> None:
    """Bytes as they are, or in base64; neither ends well before its end."""
    sound = Sound(data=b"ID3", media_type="audio/mpeg")
    plain, events = SpeechBytes(), SpeechEvents()
    assert plain.encode(sound) == b"ID3"
    assert b'"audio":"SUQz"' in events.encode(sound)
    for stream in (plain, events):
        with pytest.raises(TargetProtocolError):
            stream.end()
        assert [stream.encode(delta) for delta in END] == [b"", b""]
    assert plain.end() == b""
    assert b"speech.audio.done" in events.end()


def test_voices_are_listed_as_apps_read_them() -> None:
    """A name to ask by, and a name to show."""
    body = json.loads(voices_body([Voice(id="es", name="Spanish", language="es")]))
    assert body == {"object": "list", "voices": [{"id": "es", "name": "Spanish", "language": "es"}]}

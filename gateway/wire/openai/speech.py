"""Parse and answer `/v1/audio/speech`: the bytes of a recording as they come, or events with base64 in them. Pure.

Source: OpenAI's API reference ("Audio", "Speech streaming"). Fields that are not known stay in the document, are
inspected with it, and go on to targets that know them.
"""

import base64
from collections.abc import Iterable, Mapping

from gateway.core.delta import Delta, Sound, UsageReport
from gateway.core.document import Json, JsonObject
from gateway.core.errors import AduanaError
from gateway.core.request import Dialect, MediaWork, SpeechRequest
from gateway.core.target import Voice
from gateway.core.usage import Usage
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.dialect import AnswerAssembly
from gateway.wire.encoding import encode_json, incomplete
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.openai.answer_fields import error_event, named_event

FORMATS = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""Formats of a recording, and how HTTP names them."""
_LONGEST_MODEL = 256
_LONGEST_VOICE = 200
_LONGEST_TEXT = 100_000  # characters, about two hours
_SLOWEST, _FASTEST = 0.25, 4.0


def parse_speech(document: JsonObject) -> SpeechRequest:
    """Parse the document of a request for speech.

    Raises:
        BadRequest: A field is missing, has the wrong type or is not served here.
    """
    refuse_overrides(document)
    fields = Fields(document)
    model = fields.required_string("model", longest=_LONGEST_MODEL)
    if not model.isprintable():
        raise bad_field("model", "has control characters.")
    text = fields.required_string("input", longest=_LONGEST_TEXT)
    if not text.strip():
        raise bad_field("input", "says nothing.")
    fields.string("instructions")
    fields.choice("stream_format", ("audio", "sse"))
    return SpeechRequest(
        dialect=Dialect.OPENAI,
        model=model,
        document=document,
        stream=True,  # whatever comes of it goes on at once
        work=MediaWork.SPEECH,
        text=text,
        voice=_voice(fields),
        response_format=fields.choice("response_format", tuple(FORMATS)) or "mp3",
        speed=fields.number("speed", _SLOWEST, _FASTEST) or 1.0,
    )


def _voice(fields: Fields) -> str:
    """Return the name of the voice; one of the client's own at its provider has an object with its id."""
    given: Json = fields.document.get("voice")
    if isinstance(given, Mapping):
        return Fields(given, "voice").required_string("id", longest=_LONGEST_VOICE)
    voice = fields.string("voice", longest=_LONGEST_VOICE) or ""
    if not voice.isprintable():
        raise bad_field("voice", "has control characters.")
    return voice


def wants_events(request: SpeechRequest) -> bool:
    """Say whether the recording is wanted as events."""
    return request.document.get("stream_format") == "sse"


class SpeechBytes:
    """Encoder of a recording's bytes. An error behind the first of them can't be told: the connection is cut."""

    def __init__(self) -> None:
        self._complete = False

    def start(self) -> bytes:
        """Return nothing: a recording has no words before it."""
        return b""

    def encode(self, delta: Delta) -> bytes:
        """Return the bytes that a delta has."""
        self._complete = self._complete or isinstance(delta, UsageReport)
        return delta.data if isinstance(delta, Sound) else b""

    def end(self) -> bytes:
        """Return nothing: the recording is complete.

        Raises:
            TargetProtocolError: The answer did not come to its end.
        """
        if not self._complete:
            raise incomplete()
        return b""

    def error(self, error: AduanaError) -> bytes:
        """Return nothing: there is no place for words in a recording."""
        return b""


class SpeechEvents:
    """Encoder of a recording as events: pieces in base64, then its end with the usage."""

    def __init__(self) -> None:
        self._usage: Usage | None = None

    def start(self) -> bytes:
        """Return nothing: events begin with the first piece."""
        return b""

    def encode(self, delta: Delta) -> bytes:
        """Return the event for one delta; empty where it has none."""
        match delta:
            case Sound(data=data):
                return named_event({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode("ascii")})
            case UsageReport(usage=usage):
                self._usage = usage
        return b""

    def end(self) -> bytes:
        """Return the clean end.

        Raises:
            TargetProtocolError: The answer did not come to its end.
        """
        if self._usage is None:
            raise incomplete()
        given, made = self._usage.prompt_tokens, self._usage.completion_tokens
        usage = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
        return named_event({"type": "speech.audio.done", "usage": usage})

    def error(self, error: AduanaError) -> bytes:
        """Return the end of an answer that failed."""
        return error_event(error)


def unassembled() -> AnswerAssembly:
    """Raise: a recording is always sent as it comes.

    Raises:
        AssertionError: Always.
    """
    raise AssertionError("a request for speech is always streamed")


def voices_body(voices: Iterable[Voice]) -> bytes:
    """Return the list of voices, as Open WebUI and others read it."""
    return encode_json(
        {"object": "list", "voices": [{"id": one.id, "name": one.name, "language": one.language} for one in voices]}
    )

"""Read speech from the answers of OpenAI-compatible servers: the bytes of a recording, as they come. Pure."""

from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gateway.core.delta import Delta, Finish, FinishReason, Sound, UsageReport
from gateway.core.document import Json, JsonObject
from gateway.core.errors import TargetProtocolError
from gateway.core.usage import Usage
from gateway.upstream.body import BodyShape
from gateway.upstream.framing.decompression import Inflater
from gateway.upstream.usage import CHARACTERS_PER_TOKEN

# About 1,250 tokens a minute, in which 900 characters are spoken. Source: OpenAI's prices of gpt-4o-mini-tts, by token
# and by minute.
_CHARACTERS_A_SOUND_TOKEN = 0.72
_NO_SOUND = ("text/", "application/json", "application/problem+json")


def speech_wanted(document: JsonObject) -> JsonObject:
    """Return the document that asks for the recording's bytes: events with base64 in them are made here."""
    fields: dict[str, Json] = {
        name: value for name, value in document.items() if name not in ("stream_format", "stream")
    }
    return MappingProxyType(fields)


class SoundBody:
    """Body of an answer that is a recording."""

    def __init__(self, target: str, document: JsonObject, shape: BodyShape) -> None:
        """Begin with nothing.

        Raises:
            TargetProtocolError: It is no recording.
        """
        if shape.media_type.startswith(_NO_SOUND):
            raise TargetProtocolError(f"The target {target!r} answered with something else than sound.")
        self._target = target
        self._document = document
        self._media_type = shape.media_type or "application/octet-stream"
        self._inflater = Inflater(shape.content_encoding, shape.most_bytes)
        self._begun = False
        self.done = False

    @property
    def ended(self) -> bool:
        """Whether the answer is complete but for its usage: never, for only its end tells."""
        return False

    def feed(self, chunk: bytes) -> Iterator[deque[Delta]]:
        """Yield the pieces that a chunk brings, each by itself: they may be large.

        Raises:
            TargetProtocolError: There are too many bytes, or they can't be unpacked.
        """
        for piece in self._inflater.feed(chunk):
            if not piece:
                continue
            self._begun = True
            yield deque((Sound(data=piece, media_type=self._media_type),))

    def end(self) -> Iterator[Delta]:
        """Yield what ends the answer.

        Raises:
            TargetProtocolError: There was none.
        """
        self._inflater.finish()
        if not self._begun:
            raise TargetProtocolError(f"The target {self._target!r} sent an empty recording.")
        self.done = True
        yield Finish(reason=FinishReason.STOP)
        yield UsageReport(usage=spoken_usage(self._document))


def spoken_usage(document: Mapping[str, Json]) -> Usage:
    """Return what speaking a document's text used: its characters, and an estimate of its tokens and the sound's."""
    text = document.get("input")
    count = len(text) if isinstance(text, str) else 0
    given, made = (int(count / each) + 1 if count else 0 for each in (CHARACTERS_PER_TOKEN, _CHARACTERS_A_SOUND_TOKEN))
    return Usage(input=given, output=made, output_audio=made, spoken_characters=count, estimated=True)

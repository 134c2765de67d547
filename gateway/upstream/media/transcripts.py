"""Read transcripts from the answers of OpenAI-compatible servers: one JSON, or events with pieces of the text. Pure.

Sources: OpenAI's API reference ("Audio", "Transcription streaming"), whisper.cpp's `examples/server`. A server is asked
for JSON, whatever form the client wants: its subtitles are made here, of the segments.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.attachment import content_of
from gateway.core.delta import Delta, Finish, FinishReason, Text, Transcript, UsageReport
from gateway.core.document import Json, JsonObject, freeze_object
from gateway.core.errors import TargetProtocolError
from gateway.core.usage import Usage
from gateway.upstream.errors import complaint, fault_in_stream
from gateway.upstream.usage import estimated_usage, reported_usage

_WITH_TIMES = frozenset({"verbose_json", "srt", "vtt"})
_PIECE = "transcript.text.delta"
_END = "transcript.text.done"
_USUAL_BYTES_A_SECOND = 4000
_MOST_SECONDS = 7 * 24 * 3600.0  # far beyond any recording; a longer one is a fault, not a fact


class _Answer(msgspec.Struct):
    type: str = ""
    delta: str | None = None
    text: str | None = None
    language: str | None = None
    duration: Any = None
    segments: list[dict[str, Any]] | None = None
    words: list[dict[str, Any]] | None = None
    usage: Any = None
    error: Any = None


_ANSWERS = msgspec.json.Decoder(_Answer, strict=False)


def transcript_wanted(document: JsonObject) -> JsonObject:
    """Return the document that asks for JSON: with times where the client's form has them."""
    timed = document.get("response_format") in _WITH_TIMES
    fields: dict[str, Json] = {
        name: value for name, value in document.items() if timed or name != "timestamp_granularities"
    }
    fields["response_format"] = "verbose_json" if timed else "json"
    if timed:
        fields.pop("stream", None)
    return MappingProxyType(fields)


class TranscriptEvents:
    """Reader of one answer: pieces of the text and then its end, or everything at once."""

    def __init__(self, target: str, document: JsonObject) -> None:
        self._target = target
        self._document = document
        self._said = 0  # characters
        self.done = False

    def event(self, data: bytes) -> Iterator[Delta]:
        """Yield the deltas of one event's JSON, or of an answer that came whole; of other events none.

        Raises:
            AduanaError: The answer reports an error.
            TargetProtocolError: It can't be read.
        """
        try:
            answer = _ANSWERS.decode(data)
        except (ValueError, RecursionError) as error:
            raise TargetProtocolError(f"The target {self._target!r} sent a transcript that can't be read.") from error
        if answer.error or answer.type == "error":
            raise fault_in_stream(self._target, complaint(answer.error or msgspec.json.decode(data)))
        if answer.type == _PIECE:
            yield from self._text(answer.delta)
        elif answer.text is not None and answer.type in ("", _END):
            self.done = True
            if not self._said:  # else it repeats what was streamed
                yield from self._text(answer.text)
            yield Transcript(fields=_facts(answer))
            yield Finish(reason=FinishReason.STOP)
            yield UsageReport(usage=self._usage(answer))

    def _text(self, text: str | None) -> Iterator[Text]:
        if text:
            self._said += len(text)
            yield Text(text=text)

    def _usage(self, answer: _Answer) -> Usage:
        """Return the tokens that were reported, else an estimate; and the seconds that were heard, as far as told."""
        counted = reported_usage(answer.usage, answered=False)
        if counted is None:
            counted = estimated_usage(self._document, answer=self._said, reasoning=0)
        told = answer.usage.get("seconds") if isinstance(answer.usage, Mapping) else None
        seconds = _seconds(told) or _seconds(answer.duration) or likely_seconds(self._document)
        return msgspec.structs.replace(counted, heard_seconds=seconds)


def likely_seconds(document: JsonObject) -> float:
    """Return about how long a document's recording is, by its size: where nobody says it, its cost is counted by it.

    Of a WAV file it is exact; of packed sound rather too much, as if it had 32 kbit/s.
    """
    file = document.get("file")
    if not isinstance(file, str):
        return 0.0
    head = content_of(f"{file[: file.find(',') + 1]}{file[file.find(',') + 1 :][:64]}")
    size = (len(file) - file.find(",")) * 3 // 4
    rate = int.from_bytes(head.data[28:32], "little") if head is not None and head.data[:4] == b"RIFF" else 0
    return size / (rate or _USUAL_BYTES_A_SECOND)


def _facts(answer: _Answer) -> JsonObject:
    """Return what is told besides the text, in OpenAI's words."""
    facts: dict[str, Any] = {}
    if answer.language:
        facts["language"] = answer.language
    if duration := _seconds(answer.duration):
        facts["duration"] = duration
    if answer.segments is not None:
        facts["segments"] = answer.segments
    words = answer.words if answer.words is not None else _words(answer.segments or [])
    if words:
        facts["words"] = words
    return freeze_object(facts)


def _words(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the words that stand in segments, as whisper.cpp has them."""
    found = [word for segment in segments for word in segment.get("words") or () if isinstance(word, dict)]
    return [{name: word.get(name) for name in ("word", "start", "end")} for word in found]


def _seconds(value: object) -> float:
    """Return seconds as a server tells them, also as a text; 0: it does not."""
    try:
        seconds = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0.0
    return seconds if 0.0 < seconds < _MOST_SECONDS else 0.0

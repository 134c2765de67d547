"""Parse and answer `/v1/audio/transcriptions` and `/v1/audio/translations`. Pure.

Source: OpenAI's API reference ("Audio"). Fields that are not known stay in the document, are inspected with it, and go
on to targets that know them.
"""

from typing import Any

from gateway.core.attachment import is_data_url
from gateway.core.delta import Delta, Text, Transcript, UsageReport
from gateway.core.document import JsonObject, encode
from gateway.core.errors import AduanaError, BadRequest
from gateway.core.request import Dialect, Media, MediaWork, TranscriptionRequest
from gateway.core.usage import Usage
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.encoding import encode_json, incomplete
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.openai.answer_fields import error_event, named_event
from gateway.wire.openai.subtitles import srt, vtt

FILES = frozenset({"file"})
"""Fields of a form that hold files."""
FORMATS = {
    "json": "application/json",
    "text": "text/plain",
    "srt": "application/x-subrip",
    "verbose_json": "application/json",
    "vtt": "text/vtt",
}
"""Forms of an answer, and how HTTP names them."""
_LONGEST_MODEL = 256
_LONGEST_LANGUAGE = 20
_GRANULARITIES = ("word", "segment")
_STREAMED = ("json", "text")


def parse_transcription(work: MediaWork, document: JsonObject) -> TranscriptionRequest:
    """Parse the document of a request for a transcript.

    Raises:
        BadRequest: A field is missing, has the wrong type or is not served here.
    """
    refuse_overrides(document)
    fields = Fields(document)
    model = fields.required_string("model", longest=_LONGEST_MODEL)
    if not model.isprintable():
        raise bad_field("model", "has control characters.")
    _check_file(fields)
    form = fields.choice("response_format", tuple(FORMATS)) or "json"
    stream = fields.boolean("stream")
    if stream and form not in _STREAMED:
        raise bad_field("stream", f"goes together with the formats {' and '.join(_STREAMED)} alone.")
    fields.number("temperature", 0.0, 1.0)
    return TranscriptionRequest(
        dialect=Dialect.OPENAI,
        model=model,
        document=document,
        stream=stream,
        media=frozenset({Media.AUDIO}),
        work=work,
        text=fields.string("prompt") or "",
        language=_language(fields),
        response_format=form,
        granularities=_granularities(fields, form),
    )


def _check_file(fields: Fields) -> None:
    given = fields.document.get("file")
    if given is None:
        raise bad_field("file", "is missing: the recording, as a file of the form.")
    if not isinstance(given, str) or not is_data_url(given):
        raise bad_field("file", "must be one file of the form, or a data URL in base64; addresses are not fetched.")
    if given.endswith(","):
        raise BadRequest("'file': the recording is empty.", param="file", code="empty_recording")


def _language(fields: Fields) -> str:
    """Return the language's code, of `es-MX` the first part."""
    language = fields.string("language", longest=_LONGEST_LANGUAGE) or ""
    return language.strip().lower().replace("_", "-").partition("-")[0]


def _granularities(fields: Fields, form: str) -> frozenset[str]:
    given = fields.document.get("timestamp_granularities")
    names = (given,) if isinstance(given, str) else fields.items("timestamp_granularities", 2)
    if any(name not in _GRANULARITIES for name in names):
        raise bad_field("timestamp_granularities", "must be word, segment or both.")
    if names and form != "verbose_json":
        raise bad_field("timestamp_granularities", "goes together with response_format verbose_json alone.")
    return frozenset(str(name) for name in names)


class TranscriptStream:
    """Encoder of a streamed transcript: pieces of the text, then the whole of it."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._usage: Usage | None = None

    def start(self) -> bytes:
        """Return nothing: events begin with the first piece."""
        return b""

    def encode(self, delta: Delta) -> bytes:
        """Return the event for one delta; empty where it has none."""
        match delta:
            case Text(text=text):
                piece = text if self._pieces else text.lstrip()
                self._pieces.append(piece)
                return named_event({"type": "transcript.text.delta", "delta": piece})
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
        text = "".join(self._pieces).rstrip()
        return named_event({"type": "transcript.text.done", "text": text, "usage": usage_fields(self._usage)})

    def error(self, error: AduanaError) -> bytes:
        """Return the end of an answer that failed."""
        return error_event(error)


class TranscriptAssembly:
    """Collector of one whole transcript, which becomes what the client asked for."""

    def __init__(self, request: TranscriptionRequest) -> None:
        self._request = request
        self._pieces: list[str] = []
        self._facts: dict[str, Any] = {}
        self._usage: Usage | None = None

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        match delta:
            case Text(text=text):
                self._pieces.append(text)
            case Transcript(fields=fields):
                self._facts = dict(fields)
            case UsageReport(usage=usage):
                self._usage = usage

    def body(self) -> bytes:
        """Return the whole answer.

        Raises:
            TargetProtocolError: The answer did not come to its end.
        """
        if self._usage is None:
            raise incomplete()
        text = "".join(self._pieces).strip()
        segments = self._facts.get("segments") or ()
        match self._request.response_format:
            case "text":
                return f"{text}\n".encode()
            case "srt":
                return srt(segments or self._one_cue(text)).encode()
            case "vtt":
                return vtt(segments or self._one_cue(text)).encode()
            case "verbose_json":
                return encode(self._verbose(text))
            case _:
                return encode_json({"text": text, "usage": usage_fields(self._usage)})

    def _one_cue(self, text: str) -> tuple[dict[str, Any], ...]:
        """Return the whole text as one segment, for targets that tell no times."""
        return ({"start": 0.0, "end": self._facts.get("duration") or 0.0, "text": text},) if text else ()

    def _verbose(self, text: str) -> dict[str, Any]:
        assert self._usage is not None
        wanted = self._request.granularities or frozenset({"segment"})
        verbose: dict[str, Any] = {
            "task": "translate" if self._request.work is MediaWork.TRANSLATIONS else "transcribe",
            "language": self._facts.get("language", ""),
            "duration": self._facts.get("duration", 0.0),
            "text": text,
        }
        if "segment" in wanted:
            verbose["segments"] = self._facts.get("segments", ())
        if "word" in wanted:
            verbose["words"] = self._facts.get("words", ())
        return verbose | {"usage": usage_fields(self._usage)}


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Return the `usage` object of a transcript: seconds where they are known, else tokens."""
    if usage.heard_seconds:
        return {"type": "duration", "seconds": max(1, round(usage.heard_seconds))}
    given, made = usage.prompt_tokens, usage.completion_tokens
    details = {"text_tokens": given - usage.input_audio, "audio_tokens": usage.input_audio}
    return {
        "type": "tokens",
        "input_tokens": given,
        "input_token_details": details,
        "output_tokens": made,
        "total_tokens": given + made,
    }

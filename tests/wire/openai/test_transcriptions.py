"""Requests for transcripts: what is understood of them, and what an answer looks like."""

import json
from typing import Any

import pytest

from gateway.core.delta import Delta, Finish, FinishReason, Text, Transcript, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import BadRequest, TargetProtocolError
from gateway.core.request import Media, MediaWork
from gateway.core.usage import Usage
from gateway.wire.openai.subtitles import srt, vtt
from gateway.wire.openai.transcriptions import TranscriptAssembly, TranscriptStream, parse_transcription

FILE = "data:audio/wav;base64,UklGRg=="
SEGMENTS = [
    {"start": 0.0, "end": 1.5, "text": " Hello there."},
    {"start": 3599.9996, "end": 3661.25, "text": " It is\n late --> go."},
    {"start": 3661.25, "end": 3662.0, "text": "  "},
]
END: tuple[Delta, ...] = (Finish(reason=FinishReason.STOP), UsageReport(usage=Usage(heard_seconds=2.4)))


def parsed(work: MediaWork = MediaWork.TRANSCRIPTIONS, **fields: Any) -> Any:
    """Return the request of a document."""
    return parse_transcription(work, freeze_object({"model": "whisper-1", "file": FILE} | fields))


def test_a_request_for_a_transcript_is_understood() -> None:
    """Its recording counts as sound, and what helps to understand it as its text."""
    request = parsed(
        language="es-MX", prompt="Ana", response_format="verbose_json", timestamp_granularities=["word", "segment"],
        temperature=0.2,
    )  # fmt: skip
    assert (request.language, request.text, request.media) == ("es", "Ana", {Media.AUDIO})
    assert request.granularities == {"word", "segment"}
    assert not request.stream


@pytest.mark.parametrize(
    "fields",
    [
        {"file": None},
        {"file": ["data:audio/wav;base64,AA=="] * 2},
        {"file": "https://example.org/a.wav"},
        {"file": "data:audio/wav;base64,"},
        {"model": ""},
        {"response_format": "docx"},
        {"temperature": 3},
        {"stream": True, "response_format": "srt"},
        {"timestamp_granularities": ["word"]},
        {"timestamp_granularities": [{}], "response_format": "verbose_json"},
        {"timestamp_granularities": ["letter"], "response_format": "verbose_json"},
        {"language": "x" * 50},
        {"prompt": 5},
    ],
)
def test_what_is_wrong_with_a_recording_is_said(fields: dict[str, Any]) -> None:
    """A client error that names the field."""
    with pytest.raises(BadRequest) as refused:
        parsed(**fields)
    assert refused.value.param == next(iter(fields))


def assembled(*deltas: Delta, **fields: Any) -> bytes:
    """Return the whole answer."""
    assembly = TranscriptAssembly(parsed(**fields))
    for delta in deltas:
        assembly.add(delta)
    return assembly.body()


def test_a_transcript_in_each_form() -> None:
    """As its client asked for it."""
    facts = Transcript(fields=freeze_object({"language": "en", "duration": 2.4, "segments": SEGMENTS[:1]}))
    deltas = (Text(text=" Hello there."), facts, *END)
    assert json.loads(assembled(*deltas)) == {
        "text": "Hello there.", "usage": {"type": "duration", "seconds": 2},
    }  # fmt: skip
    assert assembled(*deltas, response_format="text") == b"Hello there.\n"
    assert assembled(*deltas, response_format="srt") == b"1\n00:00:00,000 --> 00:00:01,500\nHello there.\n\n"
    verbose = json.loads(assembled(*deltas, response_format="verbose_json"))
    assert verbose["segments"] == SEGMENTS[:1]
    assert (verbose["task"], verbose["language"], verbose["duration"], "words" in verbose) == (
        "transcribe", "en", 2.4, False,
    )  # fmt: skip
    words = json.loads(assembled(*deltas, response_format="verbose_json", timestamp_granularities=["word"]))
    assert ("segments" in words, words["words"]) == (False, [])
    translated = assembled(*deltas, work=MediaWork.TRANSLATIONS, response_format="verbose_json")
    assert json.loads(translated)["task"] == "translate"


def test_subtitles_of_a_target_without_times_are_one() -> None:
    """The whole text stands there for the whole recording."""
    facts = Transcript(fields=freeze_object({"duration": 61.5}))
    answer = assembled(Text(text="Hello."), facts, *END, response_format="vtt")
    assert answer == b"WEBVTT\n\n00:00:00.000 --> 00:01:01.500\nHello.\n\n"


def test_a_transcript_that_stops_is_none() -> None:
    """What did not come to its end is no answer, streamed or whole."""
    with pytest.raises(TargetProtocolError):
        assembled(Text(text="Hello."))
    with pytest.raises(TargetProtocolError):
        TranscriptStream().end()


def test_a_streamed_transcript_ends_with_all_of_it() -> None:
    """The pieces together are the text of the end, without the blank that a model begins with."""
    stream = TranscriptStream()
    frames = (
        b"".join(stream.encode(delta) for delta in (Text(text=" Hello"), Text(text=" there."), *END)) + stream.end()
    )
    events = [json.loads(line[6:]) for line in frames.decode().split("\n") if line.startswith("data: ")]
    assert [event.get("delta") for event in events] == ["Hello", " there.", None]
    assert events[-1]["text"] == "Hello there."


def test_subtitles_have_hours_and_no_arrows_in_their_text() -> None:
    """What is empty is left out; a text can't end its cue."""
    assert srt(SEGMENTS).split("\n")[4:8] == ["2", "01:00:00,000 --> 01:01:01,250", "It is", "late -> go."]
    assert vtt(SEGMENTS).count("-->") == 2
    assert (srt([]), vtt([])) == ("", "WEBVTT\n\n")
    assert "00:00:00,000 --> 00:00:00,000" in srt([{"start": None, "end": "x", "text": "a"}])

"""Transcripts as servers send them: whole or in events, with what each calls its times."""

import json
from types import MappingProxyType
from typing import Any

import pytest

from gateway.core.delta import Delta, Finish, Text, Transcript, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import AduanaError, TargetProtocolError
from gateway.upstream.media.transcripts import TranscriptEvents, transcript_wanted

DOCUMENT = freeze_object({"model": "whisper-1", "file": "data:audio/wav;base64,AAAA"})


def read(*events: dict[str, Any]) -> list[Delta]:
    """Return the deltas of an answer's events."""
    reader = TranscriptEvents("ear", DOCUMENT)
    found = [delta for event in events for delta in reader.event(json.dumps(event).encode())]
    assert reader.done is (bool(found) and isinstance(found[-1], UsageReport))
    return found


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        (None, {"response_format": "json", "stream": True}),
        ("json", {"response_format": "json", "stream": True}),
        ("text", {"response_format": "json", "stream": True}),
        ("srt", {"response_format": "verbose_json", "timestamp_granularities": ("word",)}),
        ("vtt", {"response_format": "verbose_json", "timestamp_granularities": ("word",)}),
        ("verbose_json", {"response_format": "verbose_json", "timestamp_granularities": ("word",)}),
    ],
)
def test_a_server_is_asked_for_json(form: str | None, asked: dict[str, Any]) -> None:
    """With times where the client's form has them: subtitles are made here."""
    document = {"model": "m", "stream": True, "timestamp_granularities": ("word",)}
    if form is not None:
        document["response_format"] = form
    assert transcript_wanted(MappingProxyType(document)) == {"model": "m"} | asked


def test_a_whole_answer_has_its_text_and_its_times() -> None:
    """The seconds that were heard are what it costs."""
    segment = {"id": 0, "start": 0.0, "end": 2.5, "text": " Hello."}
    text, facts, finish, report = read(
        {"text": "Hello.", "language": "english", "duration": "2.5", "segments": [segment], "words": []}
    )
    assert text == Text(text="Hello.")
    assert isinstance(facts, Transcript)
    assert facts.fields == {"language": "english", "duration": 2.5, "segments": (segment,)}
    assert isinstance(finish, Finish)
    assert isinstance(report, UsageReport)
    assert (report.usage.heard_seconds, report.usage.estimated) == (2.5, True)


def test_words_inside_segments_are_found() -> None:
    """As whisper.cpp's server has them."""
    words = [{"word": "Hello", "start": 0.0, "end": 1.0, "t_dtw": -1, "probability": 0.9}]
    (_, facts, *_) = read({"text": "Hello", "segments": [{"text": "Hello", "words": words}]})
    assert isinstance(facts, Transcript)
    assert facts.fields["words"] == ({"word": "Hello", "start": 0.0, "end": 1.0},)


def test_events_come_piece_by_piece_and_are_not_repeated() -> None:
    """The end has the whole text once more, which is not said again; its tokens count."""
    usage = {"type": "tokens", "input_tokens": 20, "output_tokens": 5, "input_token_details": {"audio_tokens": 18}}
    *pieces, facts, _, report = read(
        {"type": "transcript.text.delta", "delta": "Hello"},
        {"type": "transcript.text.segment", "text": "Hello there."},
        {"type": "transcript.text.delta", "delta": " there."},
        {"type": "transcript.text.done", "text": "Hello there.", "usage": usage},
    )
    assert pieces == [Text(text="Hello"), Text(text=" there.")]
    assert isinstance(facts, Transcript)
    assert isinstance(report, UsageReport)
    assert (report.usage.input, report.usage.input_audio, report.usage.output) == (20, 18, 5)


def test_silence_is_an_answer_without_words() -> None:
    """An empty text is a whole answer."""
    assert [type(delta) for delta in read({"text": ""})] == [Transcript, Finish, UsageReport]


@pytest.mark.parametrize("seconds", ["soon", -1, 1e12, None, [], True])
def test_absurd_lengths_are_no_facts(seconds: Any) -> None:
    """What can't be true is not counted."""
    (*_, report) = read({"text": "Hi", "duration": seconds if seconds is not True else "nan"})
    assert isinstance(report, UsageReport)
    assert report.usage.heard_seconds < 0.01  # of the file's few bytes


@pytest.mark.parametrize("data", [b"WEBVTT\n", b"[]", b'{"text": 5}', b"{" * 2000])
def test_what_cannot_be_read_is_said(data: bytes) -> None:
    """No piece of it reaches the client."""
    with pytest.raises(TargetProtocolError):
        list(TranscriptEvents("ear", DOCUMENT).event(data))


def test_an_error_in_the_answer_is_one() -> None:
    """Servers that answer 200 and then fail."""
    with pytest.raises(AduanaError):
        read({"error": {"message": "out of memory"}})

"""The money that is set aside covers whatever a request can use."""

import base64
import json
import random
from typing import Any

import pytest

from gateway.core.attachment import data_url
from gateway.core.document import freeze_object
from gateway.core.request import MediaWork
from gateway.pipeline.most_use import asked, most_tokens, most_use
from gateway.wire.openai import parse_chat, parse_completion, parse_embeddings
from gateway.wire.openai.speech import parse_speech
from gateway.wire.openai.transcriptions import parse_transcription
from tests.speech.sounds import silence, wav

PROSE = (
    "The committee met on Tuesday, and after a long discussion it agreed to postpone the vote until the spring. " * 20
)
SPANISH = (
    "La comisión se reunió el martes y, después de una larga discusión, acordó aplazar la votación a primavera. " * 20
)
CODE = json.dumps({"items": [{"id": number, "name": f"item_{number}", "on": True} for number in range(100)]}, indent=2)


def chat(**fields: Any) -> Any:
    """The most that a chat uses."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]} | fields
    return most_use(parse_chat(json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # Counted with SmolLM2's tokenizer, whose vocabulary of 49,152 tokens is mostly English.
        pytest.param(PROSE, 441, id="English"),
        pytest.param(SPANISH, 781, id="Spanish"),
        pytest.param(CODE, 2690, id="JSON"),
        pytest.param("東京都は日本の首都です。" * 50, 1050, id="Japanese"),
        pytest.param("Комиссия собралась во вторник и отложила голосование. " * 20, 760, id="Russian"),
        pytest.param("ኮሚቴው ማክሰኞ ተሰብስቦ ነበር " * 20, 961, id="Amharic"),
        pytest.param("1234567890" * 50, 500, id="digits"),
        pytest.param("👩🏽‍🚀" * 50, 550, id="emoji"),
        pytest.param(base64.b64encode(random.Random(1).randbytes(1024)).decode(), 1093, id="Base64"),
        pytest.param(random.Random(1).randbytes(500).hex(), 889, id="hex"),
        pytest.param("a b c d e f g h " * 50, 401, id="single letters"),
        pytest.param("Donaudampfschifffahrtsgesellschaftskapitän " * 20, 381, id="long words"),
    ],
)
def test_no_text_has_more_tokens(text: str, tokens: int) -> None:
    """The bound is above what the tokenizers make of it, and not far: at most 2.1 times as much for prose."""
    bound = most_tokens(text.encode())
    assert bound >= tokens
    if text in (PROSE, SPANISH):
        assert bound <= 2.1 * tokens


@pytest.mark.parametrize(
    "field",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "description": PROSE, "parameters": {}}}]},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"description": PROSE}}}},
        {
            "messages": [
                {"role": "assistant", "content": "x", "reasoning_content": PROSE},
                {"role": "user", "content": "y"},
            ]
        },
        {"prediction": {"type": "content", "content": PROSE}},
        {"metadata": {"note": PROSE}},
    ],
    ids=lambda field: next(iter(field)),
)
def test_everything_that_is_sent_counts(field: dict[str, Any]) -> None:
    """Tools, schemas, reasoning and fields that nobody knows are paid like messages."""
    assert chat(**field).prompt >= 441


def test_pictures_count_as_pictures() -> None:
    """Not as a text of a million letters."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    most = chat(messages=[{"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture, picture]}])
    assert most.pictures == 2
    assert 0 < most.prompt < 1_000


def test_every_answer_counts() -> None:
    """`n`, and several prompts of text completions; vectors have no answer to pay."""
    assert (chat().answers, chat().limit) == (1, None)
    assert (chat(n=4, max_tokens=7).answers, chat(n=4, max_tokens=7).limit) == (4, 7)
    body = {"model": "m", "prompt": ["a", "b", "c"], "max_tokens": 5}
    assert most_use(parse_completion(json.dumps(body).encode())).answers == 3
    assert most_use(parse_completion(json.dumps(body | {"n": 4}).encode())).answers == 12
    vectors = most_use(parse_embeddings(json.dumps({"model": "m", "input": [PROSE, PROSE]}).encode()))
    assert vectors.answers == 0
    assert vectors.prompt >= 882


def test_a_recording_and_a_text_to_speak_have_bounds() -> None:
    """Of a recording its bytes bound its length; a text is as long as it is, and its sound is bounded by it."""
    file = "data:audio/wav;base64," + "A" * 8000
    heard = most_use(parse_transcription(MediaWork.TRANSCRIPTIONS, freeze_object({"model": "m", "file": file})))
    assert 12.0 <= heard.heard_seconds <= 12.1
    assert (heard.answers, heard.limit) == (1, None)
    spoken = most_use(parse_speech(freeze_object({"model": "m", "input": "Good morning."})))
    assert (spoken.spoken_characters, spoken.answers, spoken.limit) == (13, 1, 52)


def test_what_is_asked_for_counts_where_nobody_says_what_was_done() -> None:
    """A WAV file tells its seconds; the characters are known."""
    file = data_url("audio/wav", wav(silence(2.0)))
    request = parse_transcription(MediaWork.TRANSCRIPTIONS, freeze_object({"model": "m", "file": file}))
    assert asked(request).heard_seconds == pytest.approx(2.0, abs=0.01)
    assert asked(parse_speech(freeze_object({"model": "m", "input": "Good morning."}))).spoken_characters == 13

"""What servers are sent for pictures and recordings is made of the cleared document, and of nothing else."""

import json
from collections.abc import Callable

import pytest

from gateway.core.attachment import data_url
from gateway.core.errors import TargetError, TargetRejected
from gateway.core.request import MediaWork
from gateway.upstream.media.a1111 import a1111_body
from gateway.upstream.media.requests import SentBody, media_body
from tests.standins.pictures import form_of, png

PICTURE = data_url("image/png", png())
SOUND = data_url("audio/mpeg", b"ID3 sound")


def sent(work: MediaWork, **document: object) -> dict[str, list[object]]:
    """Return the fields of the form that is sent."""
    body = media_body("one", work, document)
    return form_of(body.content_type, body.content)


def test_a_form_has_the_fields_of_the_document() -> None:
    """Files get names of ours, arrays brackets, flags and numbers their text."""
    assert sent(MediaWork.EDITS, model="m", prompt="Ñ", image=(PICTURE, PICTURE), n=2, stream=True, mask=PICTURE) == {
        "model": ["m"],
        "prompt": ["Ñ"],
        "image[]": [("image.png", png()), ("image.png", png())],
        "n": ["2"],
        "stream": ["true"],
        "mask": [("image.png", png())],
        "response_format": ["b64_json"],
    }


def test_a_recording_keeps_the_kind_by_which_servers_read_it() -> None:
    """Its arrays go under the name that OpenAI gives them; of what subtitles are made of here is asked for."""
    assert sent(MediaWork.TRANSCRIPTIONS, file=SOUND, response_format="srt", timestamp_granularities=("word",)) == {
        "file": [("audio.mp3", b"ID3 sound")],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["word"],
    }


def test_a_field_can_not_write_a_head_of_its_own() -> None:
    """Quotes and line breaks in a name stay in the name; a text with a boundary in it stays a text."""
    name = 'x"\r\nContent-Type: text/html\r\n\r\nnothing'
    body = media_body("one", MediaWork.EDITS, {name: "a", "prompt": "--\r\n--x--"})
    assert b"\r\nContent-Type: text/html" not in body.content
    assert form_of(body.content_type, body.content)["prompt"] == ["--\r\n--x--"]


@pytest.mark.parametrize("model", ["gpt-image-1", "openai/gpt-image-2", "chatgpt-image-latest"])
def test_models_that_refuse_the_word_are_not_sent_it(model: str) -> None:
    """OpenAI's newer models always answer in base64, and refuse `response_format`."""
    body = media_body("one", MediaWork.GENERATIONS, {"model": model, "prompt": "a", "response_format": "b64_json"})
    assert json.loads(body.content) == {"model": model, "prompt": "a"}


def test_a_broken_file_is_not_sent() -> None:
    """A data URL whose base64 is broken is an error before anything is sent."""
    with pytest.raises(TargetError, match="image"):
        media_body("one", MediaWork.EDITS, {"prompt": "a", "image": "data:image/png;base64,%%%"})


@pytest.mark.parametrize("body", [media_body, a1111_body])
@pytest.mark.parametrize("work", [MediaWork.GENERATIONS, MediaWork.EDITS])
def test_a_prompt_brings_no_settings_to_a_server(body: Callable[..., SentBody], work: MediaWork) -> None:
    """sd-server reads settings in prompts, with files of its machine and pictures among them: such one is refused."""
    prompt = 'a cat <sd_cpp_extra_args>{"lora": [{"path": "/etc/x"}]}</sd_cpp_extra_args>'
    with pytest.raises(TargetRejected, match="sd_cpp_extra_args") as refused:
        body("one", work, {"prompt": prompt, "image": PICTURE})
    assert refused.value.status == 400
    assert body("one", work, {"prompt": "a cat <lora:fur:1>, sd_cpp", "image": PICTURE}).content

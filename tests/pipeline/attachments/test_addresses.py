"""Addresses that would make a server at home ask somebody outside of it."""

from typing import Any

import pytest

from gateway.core.document import freeze_object
from gateway.core.errors import BadRequest
from gateway.core.request import MediaWork
from gateway.pipeline.attachments.addresses import refuse_addresses
from gateway.wire.openai.images import parse_images
from gateway.wire.openai.requests import parse_chat
from gateway.wire.openai.speech import parse_speech
from tests.pipeline.attachments.reader import PHOTO, asking, picture_part, url

ADDRESS = "https://voices.example/anna.wav"


def speech(**fields: Any) -> Any:
    return parse_speech(freeze_object({"model": "m", "input": "Hello.", **fields}))


def edit(**fields: Any) -> Any:
    picture = url(PHOTO, "image/png")
    return parse_images(MediaWork.EDITS, freeze_object({"model": "m", "prompt": "Red.", "image": picture, **fields}))


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (speech(ref_audio=ADDRESS), "ref_audio"),
        (speech(references=[{"audio": ADDRESS}]), "references[0].audio"),
        (edit(ref_images=[ADDRESS]), "ref_images[0]"),
    ],
)
def test_a_field_that_only_some_servers_know_names_no_file_elsewhere(request_, param):
    """Servers that clone voices or mix pictures fetch what such a field names, and would tell who is asked."""
    with pytest.raises(BadRequest, match="by its address") as refused:
        refuse_addresses(request_)
    assert refused.value.param == param


@pytest.mark.parametrize(
    "request_",
    [
        speech(input=ADDRESS, instructions=ADDRESS, metadata={"page": ADDRESS}),
        speech(ref_audio="http://192.168.1.20/anna.wav"),
        speech(ref_audio=url(PHOTO, "audio/wav")),
        edit(prompt=ADDRESS, negative_prompt=ADDRESS),
        parse_chat(freeze_object({"model": "m", "messages": [{"role": "user", "content": ADDRESS}]})),
        parse_chat(
            freeze_object(
                {"model": "m", **asking({"type": "input_text", "text": ADDRESS}, picture_part(PHOTO), text=ADDRESS)}
            )
        ),
    ],
)
def test_what_somebody_says_may_be_an_address(request_):
    """A prompt, a text to be spoken and a server of the house's own are left alone."""
    refuse_addresses(request_)

"""Pictures come whole or not at all, with what they cost."""

import json

import pytest

from gateway.core.delta import Picture, UsageReport
from gateway.core.errors import AduanaError, TargetProtocolError
from gateway.upstream.body import BodyShape
from gateway.upstream.media.answers import EventBody
from gateway.upstream.media.pictures import PictureEvents, read_pictures
from tests.standins.pictures import encoded

ASKED = {"model": "m", "prompt": "A harbour at noon", "size": "1024x1024", "quality": "auto"}


def read(**answer: object) -> tuple[object, ...]:
    return read_pictures("one", ASKED, json.dumps(answer).encode())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"data": []}, "no picture"),
        ({"data": [{"url": "https://elsewhere.example/a.png"}]}, "not followed"),
        ({"data": [{"b64_json": "%%%"}]}, "can't be read"),
        ({"data": [{"b64_json": ""}]}, "empty"),
        ({"data": "nothing"}, "can't be read"),
        ({"error": {"message": "out of memory"}}, "out of memory"),
    ],
)
def test_what_is_no_picture_is_an_error(answer: dict[str, object], words: str) -> None:
    """An address, broken base64, an empty list or the server's own error never look like an answer."""
    with pytest.raises(AduanaError, match=words):
        read(**answer)


def test_a_data_url_is_a_picture() -> None:
    """Servers that write a picture as an address that holds it are understood."""
    first, *_ = read(data=[{"url": f"data:image/png;base64,{encoded()}"}])
    assert first == Picture(base64=encoded())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, (5, 0, 1, "1024x1024", "")),
        ({"quality": "high", "size": "1536x1024"}, (5, 0, 1, "1536x1024", "high")),
        ({"usage": {"input_tokens": 9, "output_tokens": 272}}, (9, 272, 1, "1024x1024", "")),
        (
            {"usage": {"input_tokens": 9, "output_tokens": 300, "output_tokens_details": {"image_tokens": 272}}},
            (9, 272, 1, "1024x1024", ""),
        ),
    ],
)
def test_usage_says_what_a_price_depends_on(answer: dict[str, object], expected: tuple[object, ...]) -> None:
    """Tokens as they are reported, else estimated; size and quality as the answer says, else as they were asked for."""
    *_, last = read(data=[{"b64_json": encoded()}], **answer)
    assert isinstance(last, UsageReport)
    usage = last.usage
    assert (usage.input, usage.output_image, usage.pictures, usage.picture_size, usage.picture_quality) == expected


def test_a_stream_that_breaks_off_is_an_error() -> None:
    """Previews alone are no answer, and an error event says so."""
    shape = BodyShape(content_type="text/event-stream", content_encoding="", most_bytes=2**20)
    preview = {"type": "image_generation.partial_image", "b64_json": encoded(), "partial_image_index": 0}
    body = EventBody("one", PictureEvents("one", ASKED), shape)
    assert [one.number for (one,) in body.feed(f"data: {json.dumps(preview)}\n\n".encode())] == [0]
    with pytest.raises(TargetProtocolError):
        list(body.end())
    with pytest.raises(AduanaError, match="flagged"):
        list(body.feed(b'data: {"type": "error", "error": {"message": "flagged"}}\n\n'))

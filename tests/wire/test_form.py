"""A form becomes the one document that is inspected."""

import pytest

from gateway.core.attachment import content_of
from gateway.core.errors import BadRequest
from gateway.wire.form import FormField, form_document
from tests.standins.pictures import png

FILES = frozenset({"image"})


def field(name: str, content: bytes = b"x", file_name: str | None = None, declared: str = "") -> FormField:
    return FormField(name=name, content=content, file_name=file_name, declared=declared)


def test_texts_files_and_arrays_become_json() -> None:
    """Fields that repeat, or end in brackets, are arrays; numbers and flags get their type; files become data URLs."""
    document = form_document(
        [
            field("prompt", "Ñandú".encode()),
            field("n", b"2"),
            field("stream", b"true"),
            field("image", png(), "María.png"),
            field("image", png(), "b.png"),
            field("include[]", b"logprobs"),
        ],
        FILES,
        "auto",
    )
    pictures = document["image"]
    assert isinstance(pictures, tuple)
    assert [content_of(str(one)).data for one in pictures] == [png(), png()]  # type: ignore[union-attr]
    assert {name: value for name, value in document.items() if name != "image"} == {
        "prompt": "Ñandú", "n": 2, "stream": True, "include": ("logprobs",), "model": "auto",
    }  # fmt: skip
    assert "María" not in str(document)


def test_numbers_that_json_does_not_have_stay_text() -> None:
    """So that whoever reads the document refuses them by their range, and nothing else is sent in their place."""
    document = form_document([field("temperature", b"nan"), field("speed", b"-inf")], FILES)
    assert document == {"temperature": "nan", "speed": "-inf"}


@pytest.mark.parametrize(
    "fields",
    [
        [field("")],
        [field("a" * 100)],
        [field("a\nb")],
        [field(f"f{number}") for number in range(100)],
        [field("prompt", b"\xff\xfe")],
        [field("notes", b"x", "notes.txt")],
    ],
)
def test_an_odd_form_is_refused(fields: list[FormField]) -> None:
    """A field without a name, too many, bytes that are no text, or a file where none is expected are a clear error."""
    with pytest.raises(BadRequest):
        form_document(fields, FILES)


@pytest.mark.parametrize(
    ("content", "name", "declared", "expected"),
    [
        (png(), "a.jpg", "image/jpeg", "image/png"),
        (b"RIFF\0\0\0\0WAVEfmt", "a", "", "audio/wav"),
        (b"RIFF\0\0\0\0WEBPVP8", "a", "", "image/webp"),
        (b"\0\0\0\x20ftypM4A ", "a", "", "audio/m4a"),
        (b"?", "talk.MP3", "", "audio/mpeg"),
        (b"?", "a", "image/avif; charset=x", "image/avif"),
        (b"?", "a", "text/x-secret-of-maria", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, name: str, declared: str, expected: str) -> None:
    """Bytes go before the name, the name before the client's word, and no word of the client's own is passed on."""
    document = form_document([field("image", content, name, declared)], FILES)
    file = content_of(str(document["image"]))
    assert file is not None
    assert (file.media_type, file.data) == (expected, content)

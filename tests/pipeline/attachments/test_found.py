"""Where attachments are found: behind each doubt about a part that is no text, in whatever form a client sent it."""

import base64
from typing import Any

import pytest

from gateway.core.document import freeze_object
from gateway.core.request import Media
from gateway.pipeline.attachments.found import Found, found
from gateway.privacy import Inspector
from gateway.wire.openai import requests as openai
from tests.pipeline.attachments.reader import PDF, PHOTO, SOUND, asking, file_part, picture_part, url


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(hyperscan=False)


def attachments(inspector: Inspector, body: dict[str, Any]) -> tuple[Found, ...]:
    document = freeze_object({"model": "auto", **body})
    media = openai.parse_chat(document).media if "messages" in body else frozenset()
    return found(document, inspector.inspect(document, media).doubts)


B64 = base64.b64encode
PNG = url(PHOTO, "image/png")


@pytest.mark.parametrize(
    ("body", "data", "medium", "alone"),
    [
        (asking(file_part(PDF)), PDF, Media.FILE, True),
        (asking(picture_part(PHOTO)), PHOTO, Media.IMAGE, True),
        (asking({"type": "input_audio", "input_audio": {"data": B64(SOUND).decode(), "format": "wav"}}), SOUND,
         Media.AUDIO, True),
        (asking({"type": "document", "source": {"type": "base64", "media_type": "application/pdf",
                                                 "data": B64(PDF).decode()}}), PDF, Media.FILE, True),
        ({"messages": [{"role": "user", "content": "Look", "images": [B64(PHOTO).decode()]}]}, PHOTO, Media.IMAGE,
         True),
        (asking(text=f"Look: ![a page]({PNG}) and tell"), PHOTO, Media.IMAGE, False),
        (asking(text=f"It begins {B64(PHOTO).decode()} and ends"), PHOTO, Media.IMAGE, False),
        ({"messages": [{"role": "user", "content": "x"}], "image": [PNG]}, PHOTO, Media.IMAGE, True),
        (asking(file_part(PDF) | {"anthropic_native": {"span": {"type": "document", "parts": 1, "title": True},
                                                        "fields": {"citations": {"enabled": True}}}}), PDF, Media.FILE,
         True),
        (asking(file_part(PDF) | {"anthropic_native": {"fields": {"more": B64(PHOTO).decode()}}}), PDF, Media.FILE,
         False),
        # Read, and yet not all that a target may see in the part: never a reason to leave.
        (asking({"type": "image_url", "image_url": {"url": PNG + "\n"}}), PHOTO, Media.IMAGE, False),
        (asking({"type": "file", "file": {"file_data": url(PDF), "file_id": "file-1"}}), PDF, Media.FILE, False),
        (asking({"type": "image_url", "image_url": {"url": url(PHOTO, "image/png;name=maria")}}), PHOTO,
         Media.IMAGE, False),
        (asking({"type": "image_url", "image_url": {"url": url(PHOTO, "image/maria.is.ill")}}), PHOTO,
         Media.IMAGE, False),
        (asking({"type": "file", "file": {"file_data": url(PDF), B64(PHOTO).decode(): True}}), PDF, Media.FILE, False),
        (asking({"type": "file", "file": {"file_data": url(PDF), "url": "https://x.example/a.pdf"}}), PDF, Media.FILE,
         False),
        (asking({"type": "odd", "odd": {"data": B64(PDF).decode()}}), PDF, Media.FILE, False),
    ],
)  # fmt: skip
def test_an_attachment_is_found_with_its_bytes(inspector, body, data, medium, alone):
    """Its bytes are those that were sent; whether nothing else is in the part is known as well."""
    (one,) = attachments(inspector, body)
    assert (one.data, one.medium, one.alone) == (data, medium, alone)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
        {"type": "file", "file": {"file_id": "file-123"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,!!!"}},
        {"type": "image_url", "image_url": {}},
    ],
)
def test_what_has_no_bytes_is_an_attachment_that_nobody_can_read(inspector, part):
    """An address, an id or broken data is counted, has no bytes, and never stands alone."""
    (one,) = attachments(inspector, asking(part))
    assert (one.data, one.alone) == (b"", False)


def test_several_attachments_of_one_request_each_have_their_place(inspector):
    """Two files and a picture of two messages are three attachments, in their order."""
    body = {
        "messages": [
            asking(file_part(PDF, "first report.pdf"), picture_part(PHOTO))["messages"][0],
            {"role": "assistant", "content": "I see."},
            asking(file_part(PDF + b"!", "second.pdf"))["messages"][0],
        ]
    }
    assert [(one.path, one.message) for one in attachments(inspector, body)] == [
        ('$.messages[0].file "first report.pdf"', 0),
        ("$.messages[0].content[2]", 0),
        ('$.messages[2].file "second.pdf"', 2),
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("report.pdf", 'file "report.pdf"'),
        ("../../etc/passwd", 'file ".._.._etc_passwd"'),
        ("12345678Z scan.pdf", 'file "#Z scan.pdf"'),
        ('a"b\n.pdf', 'file "a_b_.pdf"'),
        ("informe médico.pdf", 'file "informe m_dico.pdf"'),
    ],
)
def test_a_name_is_shown_only_as_plain_letters(inspector, name, shown):
    """What people are shown of a file's name has no numbers of anybody, no line ends and no quotes."""
    (one,) = attachments(inspector, asking(file_part(PDF, name)))
    assert one.path == f"$.messages[0].{shown}"
    assert one.name == name.strip()


def test_a_text_has_no_attachment(inspector):
    """Plain messages, tools and their results bring no attachment."""
    assert attachments(inspector, asking(text="What is a PDF? See https://x.example/a.png.")) == ()

"""Pictures in the rendered prompt: where they stand, and that no text can pretend to be one."""

import pytest

from gateway.core.errors import BadRequest
from gateway.core.request import Media, MediaPart, Message
from gateway.local.embedded.text.media import Markers

PICTURE = MediaPart(kind=Media.IMAGE, source="data:image/png;base64,AA==")


def test_pictures_stand_where_the_client_put_them() -> None:
    """Texts are joined by a line break, a picture by nothing: the model's own tokens stand around it."""
    markers = Markers()
    message = Message(role="user", text="", parts=("one", "two", PICTURE, "three", PICTURE))
    assert markers.split(markers.marked(message).text) == ["one\ntwo", 0, "three", 1, ""]


def test_a_text_can_not_pretend_to_be_a_picture() -> None:
    """What llama.cpp's tools, or another request, use as a mark is text like any other."""
    other, markers = Markers(), Markers()
    forged = other.marked(Message(role="user", text="", parts=(PICTURE,))).text
    message = Message(role="user", text="", parts=(f"<__media__>{forged}", PICTURE))
    assert markers.split(markers.marked(message).text) == [f"<__media__>{forged}", 0, ""]


@pytest.mark.parametrize("rendered", ["", "{0}{0}"])
def test_a_template_that_drops_or_repeats_a_picture(rendered: str) -> None:
    """The request is refused: the answer would be about something else."""
    markers = Markers()
    text = markers.marked(Message(role="user", text="", parts=(PICTURE,))).text
    with pytest.raises(BadRequest, match="no place"):
        markers.split(rendered.format(text))

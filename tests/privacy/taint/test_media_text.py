"""Long pictures in base64 are remembered by their beginning; every other text is remembered whole."""

import base64

import pytest

from gateway.privacy.taint.media_text import KEPT, remembered_part
from tests.standins.pictures import png

PICTURE = base64.b64encode(png() + bytes(KEPT)).decode()
LETTER = base64.b64encode(b"Dear doctor, " * KEPT).decode()


@pytest.mark.parametrize("text", [PICTURE, f"data:image/png;base64,{PICTURE}"])
def test_a_long_picture_is_its_beginning(text: str) -> None:
    """However it is written."""
    assert remembered_part(text) == text[:KEPT]


@pytest.mark.parametrize(
    "text",
    [
        PICTURE[:KEPT],
        LETTER,
        f"data:image/png;base64,{LETTER}",
        f"{PICTURE}\nAnd the patient's name is Ana.",
        f"{PICTURE} {PICTURE}",
        "a" * (2 * KEPT),
        "The harbour at noon. " * KEPT,
    ],
)
def test_whatever_else_is_said_is_remembered_whole(text: str) -> None:
    """Short ones, texts in base64 whatever they claim to be, and words before or behind a picture."""
    assert remembered_part(text) == text

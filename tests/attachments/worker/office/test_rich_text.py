"""Rich Text Format: its text is read, and it is never whole."""

import pytest

from gateway.core.attachment import FileKind
from tests.attachments.read import read

ID = "12345678Z"
FONTS = r"{\fonttbl{\f0 Calibri;}}"


@pytest.mark.parametrize(
    "body",
    [
        ID,
        r"{\b 1234}5678Z",
        r"1234\u53 ?678Z",
        r"\'31\'32345678Z",
        rf"{{\header {ID}}}",
        rf"{{\info{{\author {ID}}}}}",
        rf"{{\v {ID}}}",
        "1234\n5678Z",
    ],
)
def test_text_is_read(body: str) -> None:
    """Wherever it stands, and however its letters are written."""
    said = read(rf"{{\rtf1\ansi\ansicpg1252{FONTS}Informe\par {body}}}".encode(), "a.rtf")
    assert ID in said.texts[""]
    assert "Calibri" not in said.texts[""]
    assert said.reasons == ["unreadable"]
    assert said.kind is FileKind.DOCUMENT


def test_letters_with_accents_are_read() -> None:
    """In the code page that the file names, or in Unicode."""
    assert read(rb"{\rtf1\ansi\ansicpg1252 Mar\'eda N\u250?\u241?ez}").texts[""] == "María Núñez"

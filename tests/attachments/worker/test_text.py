"""Plain text in whatever encoding, and bytes that are none."""

import pytest

from gateway.core.attachment import FileKind
from tests.attachments.read import read

SPANISH = "Paciente: María Núñez Ibáñez, DNI 12345678Z, 60 €, año 2026. Acudió a la consulta por un dolor.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_text_is_read_in_its_encoding(encoding: str) -> None:
    """With a mark or without, wide or narrow: the same text, and all of it."""
    said = read(SPANISH.encode(encoding), "a.txt")
    assert said.texts == {"": SPANISH}
    assert said.reasons == []
    assert said.kind is FileKind.TEXT


@pytest.mark.parametrize(
    "text",
    [
        "a;b\n1;2\n",
        '{"a": [1]}',
        "# Title\n\nText",
        "def f() -> int:\n    return 1\n",
        "\x1b[31mlog\x1b[0m\n",
        "1 < 2 > 1",
    ],
)
def test_what_is_written_is_text(text: str) -> None:
    """CSV, JSON, Markdown, source code and logs are read as they stand."""
    said = read(text.encode())
    assert said.texts[""] == text
    assert said.reasons == []
    assert said.kind is FileKind.TEXT


def test_a_guess_is_not_whole() -> None:
    """Letters of an encoding that nobody named could be others."""
    said = read("Пациент Иванова, 12345678Z".encode("koi8-r"))
    assert "12345678Z" in said.all
    assert said.reasons == ["encoding"]


@pytest.mark.parametrize("data", [bytes(range(256)), b"\x00" * 100, b"text\x00text\x01" * 9])
def test_bytes_are_no_text(data: bytes) -> None:
    """What is no text and no known file is not whole."""
    said = read(data)
    assert said.reasons == ["unknown_kind"]
    assert said.kind is FileKind.UNKNOWN


def test_nothing_is_whole() -> None:
    """An empty file says nothing, and that is all."""
    assert read(b"").reasons == []

"""Compound files: what they are, and that they are never whole."""

import pytest

from gateway.core.attachment import FileKind
from tests.attachments.read import read

START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def stream(name: str) -> bytes:
    """An entry of the directory."""
    return name.encode("utf-16-le").ljust(128, b"\0")


@pytest.mark.parametrize(
    ("name", "kind", "reasons"),
    [
        ("WordDocument", FileKind.DOCUMENT, ["unreadable"]),
        ("Workbook", FileKind.SPREADSHEET, ["unreadable"]),
        ("__substg1.0_0037001F", FileKind.MAIL, ["unreadable"]),
        ("EncryptedPackage", FileKind.UNKNOWN, ["encrypted"]),
        ("_VBA_PROJECT", FileKind.UNKNOWN, ["program", "unreadable"]),
    ],
)
def test_kinds_are_told_apart(name: str, kind: FileKind, reasons: list[str]) -> None:
    """By the streams in them."""
    said = read(START + stream(name))
    assert said.kind is kind
    assert said.reasons == reasons


def test_letters_in_them_are_read() -> None:
    """In one byte a letter, or in two: so that what is found in them is known."""
    said = read(START + b"DNI 12345678Z" + bytes(20) + "María Núñez".encode("utf-16-le") + bytes(20))
    assert "DNI 12345678Z" in said.texts[""]
    assert "María Núñez" in said.texts[""]

"""E-mail: headers, texts, and attachments by their own kind."""

from email.message import EmailMessage

import pytest

from gateway.core.attachment import FileKind
from tests.attachments.read import read
from tests.attachments.zip_files import docx

ID = "12345678Z"


def letter(body: str = "Hello", subject: str = "Report", **headers: str) -> EmailMessage:
    """A message."""
    message = EmailMessage()
    message["From"] = "Ana <ana@example.org>"
    message["To"] = "bob@example.org"
    message["Subject"] = subject
    message["Date"] = "Sun, 29 Nov 2026 01:00:00 +0000"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


def attached(data: bytes, name: str = "a.bin") -> EmailMessage:
    """A message with a file."""
    message = letter()
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


def forwarded() -> EmailMessage:
    """A message with a message in it."""
    message = letter()
    message.add_attachment(letter(f"DNI {ID}"))
    return message


def with_page() -> EmailMessage:
    """A message as a page, too."""
    message = letter()
    message.add_alternative(f"<html><p hidden>{ID}</p></html>", subtype="html")
    return message


BOX = b"From ana Sun Nov 29 01:00:00 2026\n%s\n\nFrom bob Sun Nov 29 01:00:00 2026\n%s\n"
SAYS = {
    "its text": (letter(f"DNI {ID}").as_bytes(), ""),
    "a text in another encoding": (letter(f"Núñez ñ {ID}").as_bytes().replace(b"utf-8", b"utf-8"), ""),
    "its subject": (letter(subject=ID).as_bytes(), "headers"),
    "an encoded subject": (letter(subject=f"Núñez {ID}").as_bytes(), "headers"),
    "a header of its own": (letter(X_Patient=ID).as_bytes(), "headers"),
    "its page": (with_page().as_bytes(), ""),
    "a document": (attached(docx(f"<w:p><w:r><w:t>{ID}</w:t></w:r></w:p>")).as_bytes(), "attachment 1"),
    "a file's name": (attached(b"text", f"{ID}.txt").as_bytes(), "headers"),
    "a file's name with accents": (attached(b"text", f"Núñez {ID}.txt").as_bytes(), "headers"),
    "a message in it": (forwarded().as_bytes(), ""),
    "what stands between its parts": (
        with_page().as_bytes().replace(b"\n\n--", f"\n\n{ID}\n--".encode(), 1),
        "between parts",
    ),
    "the second message of a mailbox": (BOX % (letter().as_bytes(), letter(f"DNI {ID}").as_bytes()), "message 2"),
}


@pytest.mark.parametrize("name", sorted(SAYS))
def test_every_place_is_read(name: str) -> None:
    """All that a message says counts, and a message of only that is whole."""
    data, place = SAYS[name]
    said = read(data, "a.eml")
    assert ID in said.texts.get(place, ""), said.texts
    assert said.reasons == []
    assert said.kind is FileKind.MAIL


NOT_WHOLE = {
    "encrypted": (letter("-----BEGIN PGP MESSAGE-----\nx").as_bytes(), "encrypted"),
    "sealed": (
        letter().as_bytes().replace(b"text/plain", b"application/pkcs7-mime").replace(b"Hello", b"MIIB"),
        "encrypted",
    ),
    "an unreadable file": (attached(b"7z\xbc\xaf\x27\x1c" + bytes(50)).as_bytes(), "unreadable"),
    "an encoding that it is not in": (
        letter().as_bytes().replace(b'charset="utf-8"', b'charset="us-ascii"').replace(b"Hello", b"N\xfa\xf1ez"),
        "encoding",
    ),
    "a part that has no end": (with_page().as_bytes()[:-30], "broken"),
}


@pytest.mark.parametrize("name", sorted(NOT_WHOLE))
def test_what_can_not_be_read_is_said(name: str) -> None:
    """A message with anything in it that nobody read is not whole."""
    data, reason = NOT_WHOLE[name]
    assert reason in read(data).reasons


def test_a_note_with_colons_is_no_mail() -> None:
    """Lines such as `Name: value` make no message."""
    assert read(b"Name: Ana\nPhone: 600123456\nNote: x\n\nText").kind is FileKind.TEXT


@pytest.mark.parametrize("encoding", ["base64", "x-uuencode"])
def test_what_decoding_skips_is_read_as_it_stands(encoding: str) -> None:
    """Behind the end of base64, and beside a packed file."""
    head = f"From: a@example.org\nTo: b@example.org\nSubject: x\nContent-Transfer-Encoding: {encoding}\n\n"
    body = "T3BlbiBhdCBuaW5lLg==\n" if encoding == "base64" else "begin 644 a\n!80``\n`\nend\n"
    said = read(f"{head}{body}\nDNI {ID}\n".encode())
    assert ID in said.all
    assert said.reasons == ["broken"]
    assert encoding != "base64" or "Open at nine." in said.all

"""Kinds of files by their bytes, whatever their name says, and files of two kinds at once."""

import io

import pytest
from PIL import Image

from gateway.attachments.worker.extensions import agrees
from gateway.attachments.worker.kinds import Format, also, format_of
from tests.attachments.pdf_files import pdf
from tests.attachments.zip_files import docx, odf, zipped


def picture(kind: str) -> bytes:
    """A small picture."""
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, kind)
    return target.getvalue()


KINDS: list[tuple[bytes, Format]] = [
    (b"", Format.EMPTY),
    (pdf("x"), Format.PDF),
    (b"\r\n\r\n" + pdf("x"), Format.PDF),
    *((picture(kind), Format.PICTURE) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "PPM")),
    (b"\x00\x00\x00\x20ftypheic" + bytes(20), Format.PICTURE),
    (docx(""), Format.OOXML),
    (odf("text", ""), Format.ODF),
    (zipped({"a": "b"}), Format.ZIP),
    (zipped({}), Format.ZIP),
    (b"ID3\x04\x00" + bytes(20), Format.AUDIO),
    (b"\xff\xfb\x90\x00" + bytes(20), Format.AUDIO),
    (b"RIFF\x24\0\0\0WAVEfmt ", Format.AUDIO),
    (b"OggS\0\2" + bytes(22) + b"\x01vorbis", Format.AUDIO),
    (b"OggS\0\2" + bytes(22) + b"\x80theora", Format.VIDEO),
    (b"\x00\x00\x00\x20ftypM4A " + bytes(20), Format.AUDIO),
    (b"\x00\x00\x00\x20ftypisom" + bytes(20), Format.VIDEO),
    (b"\x1a\x45\xdf\xa3" + bytes(20), Format.VIDEO),
    (b"7z\xbc\xaf\x27\x1c" + bytes(20), Format.ARCHIVE),
    (b"MZ\x90\x00" + bytes(60), Format.UNKNOWN),
    (b"\x7fELF" + bytes(60), Format.UNKNOWN),
    *(
        (text.encode(), Format.TEXT)
        for text in ("P1 is urgent", "caffeine", ".snd is a suffix", "BM 25", "ID3 tags", "GIF89 is not", "%PDF is one")
    ),
    (b"<p>A page</p>", Format.HTML),
    (b"\xef\xbb\xbf<!DOCTYPE html><html></html>", Format.HTML),
    ("<html></html>".encode("utf-16"), Format.HTML),
    (b"<?xml version='1.0'?><a/>", Format.XML),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Format.XML),
    (b"1 < 2", Format.TEXT),
]


@pytest.mark.parametrize(("data", "expected"), KINDS, ids=range(len(KINDS)))
def test_kinds_are_told_by_bytes(data: bytes, expected: Format) -> None:
    """A signature counts, and a text that only begins like one does not."""
    assert format_of(data) is expected


@pytest.mark.parametrize(
    "data",
    [
        picture("GIF") + pdf("x"),
        picture("JPEG") + zipped({"a": "b"}),
        pdf("x") + zipped({"a": "b"}),
        b"#!/bin/sh\nexit\n" + zipped({"a": "b"}),
        b"A note\n" + pdf("x"),
    ],
    ids=["GIF and PDF", "JPEG and ZIP", "PDF and ZIP", "script and ZIP", "text and PDF"],
)
def test_files_of_two_kinds_are_seen(data: bytes) -> None:
    """Another program would open the other half."""
    assert also(data, format_of(data))


@pytest.mark.parametrize("data", [picture("PNG"), pdf("x"), zipped({"a": "b"}), docx(""), b"%PDF-1.7 begins each PDF."])
def test_files_of_one_kind_are_no_others(data: bytes) -> None:
    """An ordinary file is just that."""
    assert not also(data, format_of(data))


@pytest.mark.parametrize(
    ("name", "format_", "fits"),
    [
        ("a.pdf", Format.PDF, True),
        ("a.PDF ", Format.PDF, True),
        ("a.pdf", Format.HTML, False),
        ("a.png", Format.PDF, False),
        ("a.txt", Format.ZIP, False),
        ("a.docx", Format.ZIP, False),
        ("a.docx", Format.OLE, True),
        ("a.jpg", Format.PICTURE, True),
        ("a.csv", Format.TEXT, True),
        ("a", Format.PDF, True),
        ("", Format.PDF, True),
        ("a.strange", Format.PDF, True),
    ],
)
def test_a_name_that_promises_something_else_is_seen(name: str, format_: Format, fits: bool) -> None:
    """What is not a known extension promises nothing."""
    assert agrees(name, format_) is fits

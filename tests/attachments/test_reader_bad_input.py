"""Files that are made to break whoever opens them, through the real process: an answer in time, and no memory spent."""

import asyncio
import gc
import gzip
import io
import sys
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from gateway.attachments.reader import AttachmentReader, ReaderSettings
from gateway.attachments.worker.parts import Limits
from tests.attachments.pdf_files import file_of, objects_of, pdf, shown, stream
from tests.attachments.zip_files import docx, xlsx, zipped

SECONDS = 4.0
MIB = 2**20


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def reader() -> AsyncIterator[AttachmentReader]:
    """One process for all of them: the next file is read after each."""
    one = AttachmentReader(ReaderSettings(limits=Limits(seconds=SECONDS, unpacked_bytes=64 * MIB)))
    yield one
    await one.close()


def zip_of_zips() -> bytes:
    """Sixteen ZIPs of sixteen ZIPs of sixteen files of 4 MB of zeros: 16 GB."""
    data: bytes = bytes(4 * MIB)
    for _ in range(3):
        data = zipped({str(number): data for number in range(16)})
    return data


def quine() -> bytes:
    """A ZIP whose members all are the same bytes: overlapping, so that little becomes much."""
    data = bytearray(zipped({"a": bytes(8 * MIB)}))
    start, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry, count = bytes(data[start:end]), 2000
    tail = bytearray(data[end:])
    tail[8:12] = count.to_bytes(2, "little") * 2
    tail[12:16] = (len(entry) * count).to_bytes(4, "little")
    return bytes(data[:start]) + entry * count + bytes(tail)


def million_cells() -> bytes:
    """A sheet of a thousand rows of a thousand numbers."""
    row = "".join(f"<c><v>{number}</v></c>" for number in range(1000))
    return xlsx(f"<sheetData>{f'<row>{row}</row>' * 1000}</sheetData>")


def many_strings() -> bytes:
    """A workbook of a million texts that no cell uses."""
    return xlsx("", strings=("text",) * 1_000_000)


def circles() -> bytes:
    """A PDF whose pages, outline and forms lead to themselves."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X1 500 0 R >> >>"
    objects = objects_of(
        [b"/X1 Do " + shown("x")],
        resources=b"/XObject << /X1 500 0 R >>",
        catalogue=b"/Outlines 501 0 R",
        extra={
            500: stream(b"/X1 Do " * 1000, form),
            501: b"<< /First 502 0 R /Last 502 0 R /Count 1 >>",
            502: b"<< /Title (x) /Parent 501 0 R /Next 502 0 R /First 502 0 R >>",
        },
    )
    return file_of(objects | {2: b"<< /Type /Pages /Kids [10 0 R 2 0 R 2 0 R] /Count 2000000000 >>"})


def packed_page() -> bytes:
    """A PDF whose page unpacks to 50 MB of text."""
    objects = objects_of([b"x"])
    return file_of(objects | {11: stream(shown("12345678Z " * 100) * 50_000, packed=True)})


def huge_page() -> bytes:
    """A PDF with a page of ten kilometres that shows a picture."""
    image = stream(
        bytes(64), b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8"
    )
    objects = objects_of([b"q 9 0 0 9 0 0 cm /I Do Q"], resources=b"/XObject << /I 500 0 R >>", extra={500: image})
    return file_of(objects).replace(b"[0 0 595 842]", b"[0 0 3e7 3e7]")


def deep_mail() -> bytes:
    """A message in a message in a message …"""
    head = "From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n"
    return (f"{head}Content-Type: message/rfc822\n\n" * 5000 + head + "\nend").encode()


def many_members() -> bytes:
    """A ZIP of 20,000 empty files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(20_000):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")
    return target.getvalue()


def lying_tar() -> bytes:
    """A tar with a file of eight terabytes that is not there."""
    member = tarfile.TarInfo("a")
    member.size = 8 * 2**40
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(tarfile.RECORDSIZE - tarfile.BLOCKSIZE)


def drawn(kind: str, size: tuple[int, int], frames: int = 1) -> bytes:
    """A picture with nothing on it."""
    target = io.BytesIO()
    pictures = [Image.new("L", size, 250 - number % 2) for number in range(frames)]
    pictures[0].save(target, kind, save_all=True, append_images=pictures[1:]) if frames > 1 else pictures[0].save(
        target, kind
    )
    return target.getvalue()


LAUGHS = "".join(f"<!ENTITY l{number + 1} '{f'&l{number};' * 10}'>" for number in range(9))
FILES: dict[str, Callable[[], bytes]] = {
    "ten thousand pages": lambda: pdf(*(f"page {number}" for number in range(10_000))),
    "a ZIP of 16 GB": zip_of_zips,
    "a ZIP whose members are one": quine,
    "a ZIP of 20,000 files": many_members,
    "gzip of 200 MB": lambda: gzip.compress(bytes(200 * MIB), 1),
    "a tar with a size that is not there": lying_tar,
    "a sheet of a million cells": million_cells,
    "a million texts": many_strings,
    "an entity bomb": lambda: docx("", {"word/x.xml": f"<!DOCTYPE l [<!ENTITY l0 'x'>{LAUGHS}]><l>&l9;</l>"}),
    "a hundred thousand elements in each other": lambda: docx("<w:p>" * 100_000 + "</w:p>" * 100_000),
    "an attribute of ten megabytes": lambda: f"<?xml version='1.0'?><a b='{'x' * 10 * MIB}'/>".encode(),
    "a PDF in circles": circles,
    "a page that unpacks to 50 MB": packed_page,
    "a page of ten kilometres": huge_page,
    "messages in each other": deep_mail,
    "a page of brackets": lambda: b"<html>" + b"<a " * 2 * MIB,
    "a page of comments": lambda: b"<html>" + b"<!--" * MIB,
    "a page of data URLs": lambda: b"<html>" + b"data:" * MIB + b"data:;a=b" + b";a=b" * MIB,
    "rich text of brackets": lambda: rb"{\rtf1" + b"{" * 5 * MIB,
    "a header of ten megabytes": lambda: b"From: a\nTo: b\nSubject: " + b"=?utf-8?q?x?= " * 700_000 + b"\n\nx",
    "a picture of a pixel by 60,000": lambda: drawn("PNG", (1, 60_000)),
    "a picture of 400 megapixels": lambda: drawn("PNG", (20_000, 20_000)),
    "half a JPEG": lambda: drawn("JPEG", (2000, 2000))[:5000],
    "a picture that moves for long": lambda: drawn("GIF", (64, 64), frames=300),
    "a PDF and a ZIP": lambda: pdf("x") + zipped({"a.txt": b"hidden"}),
}  # fmt: skip

READABLE = (  # with time, or by a newer Python
    "a million texts",
    "a hundred thousand elements in each other",
    "a page of comments",
    "a sheet of a million cells",
)


def resident(line: str) -> int:
    """Bytes of memory that this process uses now (`VmRSS`), or has used at most (`VmHWM`)."""
    status = Path("/proc/self/status").read_text()
    return next(int(text.split()[1]) * 1024 for text in status.splitlines() if text.startswith(line))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in /proc")
@pytest.mark.parametrize("name", FILES)
async def test_a_bad_file_costs_the_gateway_nothing(reader: AttachmentReader, name: str) -> None:
    """It is answered in time, and whole only if it could be; the gateway grows by 50 MB at most; the next is read."""
    data = FILES[name]()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now
    before = resident("VmRSS")
    async with asyncio.timeout(SECONDS + 30):
        reading = await reader.read(data)
    assert resident("VmHWM") - before <= 50 * MIB
    assert bool(reading.reasons) is not reading.whole
    assert not reading.whole or name in READABLE
    assert (await reader.read(f"after {name}".encode())).whole

"""PDF files that tests write themselves, object by object."""

import zlib
from collections.abc import Mapping, Sequence

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def stream(content: bytes, words: bytes = b"", *, packed: bool = False) -> bytes:
    """An object that is a stream."""
    if packed:
        content, words = zlib.compress(content), words + b" /Filter /FlateDecode"
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), words, content)


def file_of(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """A file of numbered objects; the first is the catalogue."""
    return b"%PDF-1.7\n" + _section(objects, 9, trailer, None)


def saved_again(before: bytes, objects: Mapping[int, bytes]) -> bytes:
    """The file after a change that was only added behind it."""
    last = int(before.rsplit(b"startxref\n", 1)[1].split(b"\n", 1)[0])
    return before + _section(objects, len(before), b"", last)


def _section(objects: Mapping[int, bytes], start: int, trailer: bytes, previous: int | None) -> bytes:
    body, places = bytearray(), {}
    for number, content in objects.items():
        places[number] = start + len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"xref\n" + b"".join(b"%d 1\n%010d 00000 n \n" % (number, at) for number, at in sorted(places.items()))
    if previous is None:
        table = table.replace(b"xref\n", b"xref\n0 1\n0000000000 65535 f \n", 1)
    behind = b"" if previous is None else b" /Prev %d" % previous
    words = b"<< /Size 1000 /Root 1 0 R %s%s >>" % (trailer, behind)
    at = start + len(body)
    return bytes(body) + table + b"trailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (words, at)


def shown(text: str, x: int = 72, y: int = 700, size: int = 12, more: str = "") -> bytes:
    """Content of a page that shows a line of text."""
    safe = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F1 {size} Tf {more} {x} {y} Td ({safe}) Tj ET\n".encode("cp1252")


def objects_of(
    contents: Sequence[bytes],
    *,
    page: bytes = b"",
    catalogue: bytes = b"",
    resources: bytes = b"",
    extra: Mapping[int, bytes] | None = None,
) -> dict[int, bytes]:
    """Objects of a document with these contents of pages. `extra` takes numbers from 500 on."""
    kids = b" ".join(b"%d 0 R" % (10 + 2 * index) for index in range(len(contents)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue,
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(contents)),
        3: HELVETICA,
    }
    for index, content in enumerate(contents):
        number = 10 + 2 * index
        objects[number] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> %s >> %s >>" % (number + 1, resources, page)
        )
        objects[number + 1] = stream(content)
    return objects | dict(extra or {})


def pdf(*texts: str) -> bytes:
    """A plain PDF of one line a page."""
    return file_of(objects_of([shown(text) for text in texts]))

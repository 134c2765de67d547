"""Small files of other formats, made here: what people and tools paste, and what text hides in."""

import base64
import io
import random
import struct
import zipfile
import zlib
from xml.sax.saxutils import escape


def png(seed: int = 1, side: int = 24) -> bytes:
    """Return a picture of coloured noise."""
    draw = random.Random(seed)  # noqa: S311 - a picture, no secret
    rows = b"".join(b"\0" + draw.randbytes(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pdf(text: str = "Hola") -> bytes:
    """Return a document of one page whose text is compressed."""
    content = zlib.compress(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("latin-1", "replace"))
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(content), content),
    )
    body = b"".join(b"%d 0 obj%b endobj\n" % (number, text) for number, text in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def zipped(text: str, name: str = "note.txt") -> bytes:
    """Return an archive with one compressed file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def docx(text: str) -> bytes:
    """Return a document of a word processor (an archive of XML)."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>"
    return zipped(f'<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>', "word/document.xml")


def data_uri(kind: str, data: bytes) -> str:
    """Return a `data:` address that holds these bytes."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
